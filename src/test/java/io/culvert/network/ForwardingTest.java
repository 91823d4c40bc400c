package io.culvert.network;

import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.ownMounts;
import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.ip.Family;
import io.culvert.linux.Sysctl;
import io.culvert.problem.Hints;
import io.culvert.problem.ProblemException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("lab")
@DisplayNameGeneration(ReplaceUnderscores.class)
class ForwardingTest {

    private static final Sysctl SYSCTL = new Sysctl(Path.of("/proc/sys"));
    private static final Set<Family> BOTH = EnumSet.allOf(Family.class);

    @Test
    void it_is_switched_on_and_put_back() throws Exception {
        inside(() -> {
            sh("ip link add up0 type veth peer name far0");
            try (Forwarding forwarding = new Forwarding(SYSCTL)) {
                forwarding.enable(BOTH, Set.of("up0"));
                assertThat(Forwarding.read(SYSCTL)).isEqualTo(BOTH);
                assertThat(SYSCTL.read("net/ipv6/conf/up0/accept_ra")).contains("2");
            }
            assertThat(Forwarding.read(SYSCTL)).isEmpty();
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
            try (Forwarding forwarding = new Forwarding(SYSCTL)) {
                forwarding.enable(BOTH, Set.of("up0"));
                assertThat(sh("ip -6 route")).contains("default via fe80::1 dev up0 proto ra");
            }
        });
    }

    @Test
    void what_is_on_already_is_left_alone_and_stays() throws Exception {
        inside(() -> {
            sh("sysctl -qw net.ipv4.ip_forward=1");
            ownMounts();
            sh("mount --bind -o ro /proc/sys /proc/sys");
            try (Forwarding forwarding = new Forwarding(SYSCTL)) {
                forwarding.enable(Set.of(Family.IPV4), Set.of());
            }
            assertThat(Forwarding.read(SYSCTL)).containsExactly(Family.IPV4);
        });
    }

    @Test
    void read_only_parameters_are_a_problem_with_the_cure_and_nothing_has_changed() throws Exception {
        inside(() -> {
            ownMounts();
            sh("mount --bind -o ro /proc/sys/net/ipv6 /proc/sys/net/ipv6");
            try (Forwarding forwarding = new Forwarding(SYSCTL)) {
                assertThatThrownBy(() -> forwarding.enable(BOTH, Set.of()))
                        .isInstanceOf(ProblemException.class)
                        .hasMessage("net.ipv6.conf.all.forwarding: must be 1, but is read-only here\n    hint: "
                                + Hints.here().sysctl("net.ipv6.conf.all.forwarding", "1"));
            }
            assertThat(Forwarding.read(SYSCTL)).isEmpty();
        });
    }
}
