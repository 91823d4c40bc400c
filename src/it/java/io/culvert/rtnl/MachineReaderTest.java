// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.netlink.KernelNetlinkSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NamespaceTest
class MachineReaderTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static Machine read(Path root) {
        try (var route = KernelNetlinkSocket.route();
                var generic = KernelNetlinkSocket.generic()) {
            return new MachineReader(route, generic, root).read();
        }
    }

    private static Machine read() {
        return read(Path.of("/"));
    }

    /** A network of both families, with an interface that is not named eth0. */
    private static void uplink(String name, String far) throws Exception {
        sh("ip link add " + name + " type veth peer name " + far);
        sh("ip link set " + far + " up");
        sh("ip link set " + name + " mtu 1400 up");
    }

    private static void bothFamilies() throws Exception {
        uplink("enp3s0", "far0");
        sh("ip addr add 192.0.2.2/26 dev enp3s0");
        sh("ip addr add 2001:db8:e::2/64 dev enp3s0 nodad");
        sh("ip route add default via 192.0.2.1");
        sh("ip route add default via 2001:db8:e::1");
    }

    @Test
    void the_uplink_is_found_regardless_of_its_name() throws Exception {
        inside(() -> {
            bothFamilies();
            Machine machine = read();
            assertThat(machine.uplinks())
                    .isEqualTo(Map.of(
                            Family.IPV4,
                            new Uplink(
                                    "enp3s0",
                                    Optional.of(Prefix.parseAddress("192.0.2.1")),
                                    List.of(Prefix.parse("192.0.2.2/26")),
                                    1400),
                            Family.IPV6,
                            new Uplink(
                                    "enp3s0",
                                    Optional.of(Prefix.parseAddress("2001:db8:e::1")),
                                    List.of(Prefix.parse("2001:db8:e::2/64")),
                                    1400)));
            assertThat(machine.connected())
                    .contains(Prefix.parse("192.0.2.0/26"), Prefix.parse("2001:db8:e::/64"))
                    .doesNotContain(Prefix.parse("0.0.0.0/0"), Prefix.parse("127.0.0.0/8"));
            assertThat(machine.links()).containsExactlyInAnyOrder("lo", "enp3s0", "far0");
            assertThat(machine.ipv6().isAvailableOn("wg0")).isTrue();
            assertThat(machine.netAdmin()).isTrue();
            assertThat(machine.writableSysctl()).isTrue();
            assertThat(machine.tunDevice()).isEqualTo(Files.exists(Path.of("/dev/net/tun")));
            assertThat(machine.forwarding()).isEmpty();
        });
    }

    @Test
    void the_default_route_with_the_lowest_metric_is_the_uplink() throws Exception {
        inside(() -> {
            bothFamilies();
            uplink("wlan0", "far1");
            sh("ip addr add 198.51.100.2/24 dev wlan0");
            sh("ip route add default via 198.51.100.1 metric 50");
            sh("ip route del default via 192.0.2.1");
            sh("ip route add default via 192.0.2.1 metric 100");
            assertThat(read().uplinks().get(Family.IPV4))
                    .extracting(Uplink::link, Uplink::gateway)
                    .containsExactly("wlan0", Optional.of(Prefix.parseAddress("198.51.100.1")));
        });
    }

    @Test
    void a_default_route_may_be_on_link_or_have_an_ipv6_gateway() throws Exception {
        inside(() -> {
            bothFamilies();
            sh("ip route replace default dev enp3s0 scope link");
            assertThat(read().uplinks().get(Family.IPV4))
                    .extracting(Uplink::link, Uplink::gateway)
                    .containsExactly("enp3s0", Optional.empty());
            sh("ip -4 route replace default via inet6 fe80::1 dev enp3s0");
            assertThat(read().uplinks().get(Family.IPV4))
                    .extracting(Uplink::gateway)
                    .isEqualTo(Optional.of(Prefix.parseAddress("fe80::1")));
        });
    }

    @Test
    void the_first_usable_hop_of_a_multipath_route_is_the_uplink() throws Exception {
        inside(() -> {
            bothFamilies();
            uplink("wlan0", "far1");
            sh("ip addr add 198.51.100.2/24 dev wlan0");
            sh("ip addr add 2001:db8:f::2/64 dev wlan0 nodad");
            sh("ip route replace default nexthop via 192.0.2.1 nexthop via 198.51.100.1");
            sh("ip -6 route replace default nexthop via 2001:db8:e::1 nexthop via 2001:db8:f::1");
            assertThat(read().uplinks())
                    .hasSize(2)
                    .allSatisfy((_, uplink) -> assertThat(uplink.link()).isEqualTo("enp3s0"));
            try (NetworkEvents events = NetworkEvents.open(_ -> false)) {
                sh("ip link set far0 down");
                assertThat(uplinksAfter(events, "enp3s0"))
                        .hasSize(2)
                        .allSatisfy((_, uplink) -> assertThat(uplink.link()).isEqualTo("wlan0"));
            }
        });
    }

    /**
     * Returns the uplinks after the link has lost its carrier, which the kernel detects some time after the far end
     * went down.
     */
    private static Map<Family, Uplink> uplinksAfter(NetworkEvents events, String lostLink) {
        long end = System.nanoTime() + TIMEOUT.toNanos();
        Map<Family, Uplink> uplinks = read().uplinks();
        while (System.nanoTime() < end
                && uplinks.values().stream().anyMatch(uplink -> uplink.link().equals(lostLink))) {
            events.await(Duration.ofNanos(end - System.nanoTime()));
            uplinks = read().uplinks();
        }
        return uplinks;
    }

    @Test
    void a_tunnel_of_an_earlier_run_is_not_an_uplink() throws Exception {
        inside(() -> {
            uplink("wg0", "far1");
            sh("ip link set wg0 alias culvert");
            sh("ip addr add 10.64.0.2/24 dev wg0");
            sh("ip route add default via 10.64.0.1");
            assertThat(read().uplinks()).isEmpty();
            assertThat(read().connected()).doesNotContain(Prefix.parse("10.64.0.0/24"));
        });
    }

    @Test
    void a_single_address_is_not_a_connected_network() throws Exception {
        inside(() -> {
            bothFamilies();
            uplink("tailscale0", "far1");
            sh("ip addr add fd7a:115c:a1e0::1/128 dev tailscale0 nodad");
            assertThat(read().connected()).doesNotContain(Prefix.parse("fd7a:115c:a1e0::1/128"));
        });
    }

    @Test
    void a_machine_without_a_default_route_has_no_uplink() throws Exception {
        inside(() -> {
            uplink("eth0", "far0");
            sh("ip route add 203.0.113.0/24 dev eth0");
            Machine machine = read();
            assertThat(machine.uplinks()).isEmpty();
            assertThat(machine.connected()).doesNotContain(Prefix.parse("203.0.113.0/24"));
            assertThat(machine.strictReversePath()).isFalse();
        });
    }

    @Test
    void ipv6_that_is_disabled_on_all_links_is_unavailable() throws Exception {
        inside(() -> {
            bothFamilies();
            sh("sysctl -qw net.ipv6.conf.enp3s0.disable_ipv6=1");
            assertThat(read().ipv6().isAvailableOn("wg0"))
                    .as("still on elsewhere")
                    .isTrue();
            assertThat(read().uplinks()).containsOnlyKeys(Family.IPV4);
            sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
            assertThat(read().ipv6().isAvailableOn("wg0")).isFalse();
        });
    }

    @Test
    void the_larger_of_two_reverse_path_filters_applies() throws Exception {
        inside(() -> {
            bothFamilies();
            sh("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.enp3s0.rp_filter=1");
            assertThat(read().strictReversePath()).isTrue();
            sh("sysctl -qw net.ipv4.conf.all.rp_filter=2");
            assertThat(read().strictReversePath()).isFalse();
        });
    }

    @Test
    void the_missing_privileges_of_a_bare_container_are_detected(@TempDir Path root) throws Exception {
        inside(() -> {
            bothFamilies();
            Files.createDirectories(root.resolve("proc/self"));
            Files.writeString(root.resolve("proc/self/status"), "CapEff:\t00000000a80425fb\n");
            Machine machine = read(root);
            assertThat(machine.netAdmin()).isFalse();
            assertThat(machine.tunDevice()).isFalse();
            assertThat(machine.writableSysctl()).isFalse();
            assertThat(machine.ipv6().present())
                    .as("the kernel supports it, whatever can be read")
                    .isTrue();
            assertThat(machine.ipv6().newLinks()).isEmpty();
            assertThat(machine.ipv6().isAvailableOn("wg0")).isFalse();
            assertThat(machine.forwarding()).isEmpty();
        });
    }
}
