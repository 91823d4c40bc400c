// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.ProcessPrivileges;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Child processes that handle packets from the network have only the capabilities that they need. */
@NamespaceTest
class ChildPrivilegesTest {

    private static final long NET_ADMIN = 1 << 12;
    private static final int PORT = 1080;

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private final Probe lanHost = Probe.from(fixture.lab.lanHost());

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private RunningProgram startReady(Map<String, String> more) {
        Map<String, String> settings = ExitNodeFixture.withoutMesh(more);
        settings.put("CULVERT_SOCKS", "true");
        settings.putIfAbsent("CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        settings.put("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace");
        RunningProgram culvert = fixture.connect(settings);
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        return culvert;
    }

    private Optional<String> clientAddressThroughProxy(String... options) {
        return lanHost.whoamiBySocks(Lab.NODE_IPV4, PORT, Family.IPV4, options);
    }

    private static List<ProcessPrivileges> dante(RunningProgram culvert) {
        ProcessHandle first = culvert.descendant("danted");
        ProcessHandle mainProcess = first.parent()
                .filter(parent -> parent.info().command().equals(first.info().command()))
                .orElse(first);
        return Stream.concat(Stream.of(mainProcess), mainProcess.descendants())
                .map(ProcessPrivileges::of)
                .toList();
    }

    private static void assertNoCapabilities(List<ProcessPrivileges> processes, String user) {
        assertThat(processes).hasSizeGreaterThan(3).allSatisfy(it -> {
            assertThat(it.user()).isEqualTo(user);
            assertThat(it.effective()).isZero();
            assertThat(it.permitted()).isZero();
            assertThat(it.ambient()).isZero();
            assertThat(it.noNewPrivileges()).isTrue();
            assertThat(it.descriptors()).isLessThanOrEqualTo(65536);
        });
    }

    @Test
    void the_proxy_runs_as_its_own_user_without_capabilities() {
        RunningProgram culvert = startReady(Map.of());

        List<ProcessPrivileges> processes = dante(culvert);
        assertNoCapabilities(processes, "51820");
        assertThat(processes).extracting(ProcessPrivileges::bounding).containsOnly(0L);
        assertThat(clientAddressThroughProxy()).contains(fixture.provider(Family.IPV4));
    }

    @Test
    void userspace_WireGuard_keeps_only_the_capabilities_for_its_device() {
        RunningProgram culvert = startReady(Map.of());

        ProcessPrivileges program = ProcessPrivileges.of(culvert.descendant("wireguard-go", "wg0"));
        assertThat(program.effective()).isEqualTo(NET_ADMIN);
        assertThat(program.permitted()).isEqualTo(NET_ADMIN);
        assertThat(program.bounding()).isEqualTo(NET_ADMIN);
        assertThat(program.noNewPrivileges()).isTrue();
        assertThat(program.descriptors()).isLessThanOrEqualTo(65536);
    }

    @Test
    void passwords_are_checked_without_capabilities() {
        RunningProgram culvert =
                startReady(Map.of("CULVERT_SOCKS_USER", "lotte", "CULVERT_SOCKS_PASSWORD", "open sesame"));

        assertNoCapabilities(dante(culvert), "51820");
        assertThat(clientAddressThroughProxy("--proxy-user", "lotte:open sesame"))
                .contains(fixture.provider(Family.IPV4));
        assertThat(clientAddressThroughProxy("--proxy-user", "lotte:open")).isEmpty();
    }

    /** As in the image, where the file has no other users. */
    @Test
    void a_shadow_file_with_our_lines_only_is_readable_for_the_proxy_only() {
        fixture.lab.node().file("shadow", "");
        RunningProgram culvert =
                startReady(Map.of("CULVERT_SOCKS_USER", "lotte", "CULVERT_SOCKS_PASSWORD", "open sesame"));

        assertNoCapabilities(dante(culvert), "51820");
        assertThat(clientAddressThroughProxy("--proxy-user", "lotte:open sesame"))
                .contains(fixture.provider(Family.IPV4));
        assertThat(fixture.lab
                        .node()
                        .attempt("stat", "-c", "%a %u %g", "/etc/shadow")
                        .out()
                        .strip())
                .isEqualTo("640 0 51820");
    }

    @Test
    void without_SETUID_the_proxy_runs_without_capabilities() {
        fixture.in(Sandbox.CONTAINER.without("setuid").without("setpcap"));
        RunningProgram culvert =
                startReady(Map.of("CULVERT_SOCKS_USER", "lotte", "CULVERT_SOCKS_PASSWORD", "open sesame"));

        assertNoCapabilities(dante(culvert), "0");
        assertThat(clientAddressThroughProxy("--proxy-user", "lotte:open sesame"))
                .contains(fixture.provider(Family.IPV4));
    }

    @Test
    void a_user_s_own_file_with_users_and_logs_runs_as_the_proxy_s_user() {
        String log = fixture.lab
                .node()
                .run()
                .resolveSibling("lib")
                .resolve("sockd.log")
                .toString();
        String sockd = fixture.lab.node().file("sockd.conf", """
                logoutput: stderr /var/lib/sockd.log
                user.privileged: root
                user.unprivileged: nobody
                internal: 0.0.0.0 port = 1080
                external: wg0
                clientmethod: none
                socksmethod: none
                client pass { from: 0/0 to: 0/0 log: connect error }
                socks pass { from: 0/0 to: 0/0 }
                """);
        RunningProgram culvert = startReady(Map.of("CULVERT_SOCKS_CONFIG", sockd));

        assertNoCapabilities(dante(culvert), "51820");
        assertThat(clientAddressThroughProxy()).contains(fixture.provider(Family.IPV4));
        assertThat(Path.of(log)).content().contains("running");
    }

    @Test
    void a_low_port_needs_one_capability() {
        String sockd = fixture.lab.node().file("sockd.conf", """
                logoutput: stderr
                internal: 0.0.0.0 port = 443
                external: wg0
                clientmethod: none
                socksmethod: none
                client pass { from: 0/0 to: 0/0 }
                socks pass { from: 0/0 to: 0/0 }
                """);
        RunningProgram culvert = startReady(Map.of("CULVERT_SOCKS_CONFIG", sockd));

        assertThat(dante(culvert)).allSatisfy(it -> {
            assertThat(it.user()).isEqualTo("51820");
            assertThat(it.effective() & ~(1L << 10)).isZero();
            assertThat(it.noNewPrivileges()).isTrue();
        });
        assertThat(lanHost.whoamiBySocks(Lab.NODE_IPV4, 443, Family.IPV4)).contains(fixture.provider(Family.IPV4));
    }
}
