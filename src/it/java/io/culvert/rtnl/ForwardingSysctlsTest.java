// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static io.culvert.linux.FreshNamespace.enterNewMountNamespace;
import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.ProblemException;
import io.culvert.lab.NamespaceTest;
import io.culvert.linux.Sysctl;
import io.culvert.net.Family;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

@NamespaceTest
class ForwardingSysctlsTest {

    private static final Sysctl SYSCTL = new Sysctl(Path.of("/proc/sys"));
    private static final Set<Family> BOTH = EnumSet.allOf(Family.class);

    @Test
    void forwarding_is_enabled_and_restored() throws Exception {
        inside(() -> {
            sh("ip link add up0 type veth peer name far0");
            try (ForwardingSysctls forwarding = new ForwardingSysctls(SYSCTL)) {
                forwarding.enable(BOTH, Set.of("up0"));
                assertThat(ForwardingSysctls.read(SYSCTL)).isEqualTo(BOTH);
                assertThat(SYSCTL.read("net/ipv6/conf/up0/accept_ra")).contains("2");
            }
            assertThat(ForwardingSysctls.read(SYSCTL)).isEmpty();
            assertThat(SYSCTL.read("net/ipv6/conf/up0/accept_ra")).contains("1");
        });
    }

    @Test
    void an_uplink_keeps_the_default_route_that_its_router_advertises() throws Exception {
        inside(() -> {
            sh("ip link add up0 type veth peer name far0");
            sh("ip link set far0 up");
            sh("ip link set up0 up");
            sh("ip -6 route add default via fe80::1 dev up0 proto ra expires 600");
            try (ForwardingSysctls forwarding = new ForwardingSysctls(SYSCTL)) {
                forwarding.enable(BOTH, Set.of("up0"));
                assertThat(sh("ip -6 route")).contains("default via fe80::1 dev up0 proto ra");
            }
        });
    }

    @Test
    void forwarding_that_is_already_enabled_is_not_changed() throws Exception {
        inside(() -> {
            sh("sysctl -qw net.ipv4.ip_forward=1");
            enterNewMountNamespace();
            sh("mount --bind -o ro /proc/sys /proc/sys");
            try (ForwardingSysctls forwarding = new ForwardingSysctls(SYSCTL)) {
                forwarding.enable(Set.of(Family.IPV4), Set.of());
            }
            assertThat(ForwardingSysctls.read(SYSCTL)).containsExactly(Family.IPV4);
        });
    }

    @Test
    void read_only_parameters_are_reported_with_a_hint_and_nothing_is_changed() throws Exception {
        inside(() -> {
            enterNewMountNamespace();
            sh("mount --bind -o ro /proc/sys/net/ipv6 /proc/sys/net/ipv6");
            try (ForwardingSysctls forwarding = new ForwardingSysctls(SYSCTL)) {
                assertThatThrownBy(() -> forwarding.enable(BOTH, Set.of()))
                        .isInstanceOf(ProblemException.class)
                        .hasMessage("net.ipv6.conf.all.forwarding: must be 1, but is read-only here\n    hint: "
                                + Hints.here().sysctl("net.ipv6.conf.all.forwarding", "1"));
            }
            assertThat(ForwardingSysctls.read(SYSCTL)).isEmpty();
        });
    }
}
