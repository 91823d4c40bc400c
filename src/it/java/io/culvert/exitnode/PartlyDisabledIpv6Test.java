// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Containers in which IPv6 is enabled on some interfaces only, and tunnels whose MTU is too small for it. */
@NamespaceTest
class PartlyDisabledIpv6Test {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    /** In the order of a container engine: sysctls first, then addresses. */
    private void withSysctls(String settings) {
        fixture.verifyObserverDetectsLeaks(Family.values());
        for (String setting : settings.split(" ", -1)) {
            fixture.namespace().sysctl("net.ipv6.conf." + setting.replace("=", ".disable_ipv6="));
        }
        if (settings.contains("all=1")) {
            fixture.namespace()
                    .ip(
                            "address add " + Lab.NODE_IPV6 + "/64 dev eth0 nodad",
                            "route add default via " + Lab.ROUTER_IPV6 + " dev eth0");
        }
        assertThat(fixture.observer.sees(() -> fixture.node.whoami(Family.IPV6)))
                .isTrue();
    }

    private void assertIpv4WorksAndIpv6Blocked() {
        fixture.lab.client().useExitNode();
        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        fixture.assertLocalTrafficBlocked(Family.IPV6);
        assertThat(fixture.phone.whoami(Family.IPV6)).isEmpty();
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    private static long warnings(String output) {
        return output.lines().filter(line -> line.contains("IPv6 is blocked")).count();
    }

    @ParameterizedTest
    @ValueSource(strings = {"all=1 eth0=0 lo=0", "all=1 eth0=0", "default=1", "default=1 lo=1"})
    void where_new_links_have_no_ipv6_it_is_blocked_with_one_warning(String settings) {
        withSysctls(settings);
        CommandResult check = fixture.run(fixture.settings(Map.of()), "check");

        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));

        assertIpv4WorksAndIpv6Blocked();
        assertThat(culvert.output())
                .contains("warn: net.ipv6.conf.default.disable_ipv6: is 1, so there is no IPv6 on wg0 and mesh0")
                .contains("--sysctl net.ipv6.conf.default.disable_ipv6=0");
        assertThat(warnings(culvert.output())).isEqualTo(1);
        assertThat(check.status()).isZero();
        assertThat(check.out()).contains("net.ipv6.conf.default.disable_ipv6: is 1");
    }

    @Test
    void the_DNS_stub_works_without_ipv6_on_loopback() {
        withSysctls("lo=1");

        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(warnings(culvert.output())).isZero();
        assertThat(fixture.lab.node().resolvConf())
                .contains("nameserver 127.0.0.1")
                .doesNotContain("::1");
    }

    @Test
    void ipv6_disabled_on_the_tunnel_alone_is_blocked_until_it_is_enabled() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        fixture.assertLocalTrafficUsesTunnel(Family.values());

        culvert.ignoreEarlierOutput();
        fixture.namespace().sysctl("net.ipv6.conf.wg0.disable_ipv6=1");
        culvert.awaitLine("warn: net.ipv6.conf.wg0.disable_ipv6: is 1", ExitNodeFixture.TIMEOUT);
        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
        fixture.assertLocalTrafficBlocked(Family.IPV6);

        fixture.namespace().sysctl("net.ipv6.conf.wg0.disable_ipv6=0");
        culvert.awaitLine("network: ip -6 route (add|replace) .*wg0", ExitNodeFixture.TIMEOUT);
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @ParameterizedTest
    @CsvSource({"setting, CULVERT_MTU", "file, MTU in its file", "uplink, for a path MTU of 1280"})
    void an_MTU_too_small_for_ipv6_blocks_it_with_one_warning(String where, String origin) {
        fixture.verifyObserverDetectsLeaks(Family.values());
        Map<String, String> more = Map.of();
        switch (where) {
            case "setting" -> more = Map.of("CULVERT_MTU", "1200");
            case "file" ->
                fixture.lab
                        .node()
                        .wireGuardFile(
                                "provider.conf",
                                fixture.lab.provider().file().replace("[Interface]", "[Interface]\nMTU = 1200"));
            default -> fixture.namespace().ip("link set eth0 mtu 1280");
        }
        CommandResult check = fixture.run(ExitNodeFixture.withoutMesh(more), "check");

        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(more));

        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
        fixture.assertLocalTrafficBlocked(Family.IPV6);
        assertThat(culvert.output()).contains("warn: wg0: its MTU is 12").contains(origin);
        assertThat(warnings(culvert.output())).isEqualTo(1);
        assertThat(check.status()).isZero();
        assertThat(check.out()).contains(origin);
    }
}
