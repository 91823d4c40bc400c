// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.ProcessPrivileges;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The HTTP proxy of an exit node, for its clients and its administrator. */
@NamespaceTest
class HttpProxyTest {

    private static final int PORT = 8888;

    /** Instead of a request for the URL, opens a tunnel as for https. */
    private static final String CONNECT = "--proxytunnel";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private final Probe lanHost = Probe.from(fixture.lab.lanHost());

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private static Map<String, String> settings(Map<String, String> more) {
        Map<String, String> settings = ExitNodeFixture.withoutMesh(more);
        settings.put("CULVERT_HTTP_PROXY", "true");
        settings.putIfAbsent("CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        return settings;
    }

    private RunningProgram startReady(Map<String, String> more) {
        RunningProgram culvert = fixture.connect(settings(more));
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        return culvert;
    }

    private Optional<String> clientAddress(Family family, String... options) {
        return lanHost.whoamiByHttpProxy(Lab.NODE_IPV4, PORT, family, options);
    }

    @Test
    void requests_and_connections_of_clients_leave_through_the_tunnel() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = startReady(Map.of("CULVERT_SOCKS_ALLOW", "192.0.2.0/26 2001:db8:e::/64"));

        for (Family family : Family.values()) {
            assertThat(clientAddress(family)).contains(fixture.provider(family));
            assertThat(clientAddress(family, CONNECT)).contains(fixture.provider(family));
            assertThat(lanHost.whoamiByHttpProxy(Lab.NODE_IPV6, PORT, family, CONNECT))
                    .contains(fixture.provider(family));
        }

        ProcessPrivileges program = ProcessPrivileges.of(culvert.descendant("tinyproxy"));
        assertThat(program.user()).isEqualTo("51821");
        assertThat(program.effective() | program.permitted() | program.ambient() | program.bounding())
                .isZero();
        assertThat(program.noNewPrivileges()).isTrue();
        assertThat(program.descriptors()).isLessThanOrEqualTo(65536);
        fixture.observer.allow(
                "the proxy's clients",
                packet -> packet.isTcpFrom(PORT) && (packet.isTo(Lab.LAN_HOST_IPV4) || packet.isTo(Lab.LAN_HOST_IPV6)));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void clients_need_the_login_and_an_address_that_is_allowed() {
        String file = fixture.lab.node().file("password", "Open-sesame_1.2\n");
        RunningProgram culvert = startReady(Map.of("CULVERT_SOCKS_USER", "Anna", "CULVERT_SOCKS_PASSWORD_FILE", file));

        assertThat(clientAddress(Family.IPV4, "--proxy-user", "Anna:Open-sesame_1.2"))
                .contains(fixture.provider(Family.IPV4));
        assertThat(clientAddress(Family.IPV4, CONNECT, "--proxy-user", "Anna:Open-sesame_1.2"))
                .contains(fixture.provider(Family.IPV4));
        assertThat(clientAddress(Family.IPV4, "--proxy-user", "Anna:Open")).isEmpty();
        assertThat(clientAddress(Family.IPV4, "--proxy-user", "anna:Open-sesame_1.2"))
                .isEmpty();
        assertThat(clientAddress(Family.IPV4)).isEmpty();
        assertThat(Probe.from(fixture.namespace())
                        .whoamiByHttpProxy("127.0.0.1", PORT, Family.IPV4, "--proxy-user", "Anna:Open-sesame_1.2"))
                .as("loopback is not listed")
                .isEmpty();
        assertThat(culvert.output()).doesNotContain("sesame");
        CommandResult configuration =
                fixture.lab.node().attempt("stat", "-c", "%a %u %g", "/run/culvert/tinyproxy.conf");
        assertThat(configuration.out().strip()).isEqualTo("640 0 51821");
    }

    @Test
    void it_is_replaced_after_a_kill_and_stops_when_it_is_turned_off() {
        fixture.in(Sandbox.MACHINE);
        startReady(Map.of()).kill();

        String file = fixture.lab.node().file("settings", "CULVERT_HTTP_PROXY=true\n");
        Map<String, String> settings = settings(Map.of("CULVERT_SETTINGS", file, "CULVERT_LOG", "debug"));
        settings.remove("CULVERT_HTTP_PROXY");
        RunningProgram culvert = fixture.connect(settings);
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        assertThat(clientAddress(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        assertThat(fixture.status().children()).containsKey("tinyproxy");

        culvert.descendant("tinyproxy").destroyForcibly();
        culvert.awaitLine("tinyproxy: exited unexpectedly", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("tinyproxy: .*Reloading config file finished", ExitNodeFixture.TIMEOUT);
        fixture.lab.node().file("settings", "CULVERT_HTTP_PROXY=false\n");
        assertThat(fixture.run(settings, "reload").status()).isZero();
        assertThat(clientAddress(Family.IPV4)).isEmpty();
        assertThat(fixture.status().children()).doesNotContainKey("tinyproxy");
    }
}
