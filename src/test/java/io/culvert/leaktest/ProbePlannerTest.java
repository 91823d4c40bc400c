// SPDX-License-Identifier: Apache-2.0
package io.culvert.leaktest;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.leaktest.LeakProbe.Purpose;
import io.culvert.net.Bypass;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.rtnl.Uplink;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ProbePlannerTest {

    private static final InetAddress GATEWAY = InetAddress.ofLiteral("192.0.2.1");
    private static final InetSocketAddress SERVER = new InetSocketAddress("203.0.113.10", 65535);

    private static LeakTestInput input(List<Prefix> lan, List<Bypass> bypasses) {
        return new LeakTestInput(
                Set.of("wg0"),
                Map.of(
                        Family.IPV4,
                        new Uplink("eth0", Optional.of(GATEWAY), List.of(Prefix.parse("192.0.2.10/26")), 1500)),
                Map.of(Family.IPV4, List.of("eth0", "eth1")),
                Marks.DEFAULT,
                List.of(SERVER),
                List.of(GATEWAY),
                lan,
                bypasses);
    }

    private static List<String> names(LeakTestInput input, boolean skipped) {
        return ProbePlanner.of(input).stream()
                .filter(probe -> probe.skipped().isPresent() == skipped)
                .map(LeakProbe::name)
                .toList();
    }

    @Test
    void each_way_out_is_tried_with_each_kind_of_packet() {
        assertThat(names(input(List.of(), List.of()), false))
                .contains(
                        "IPv4 UDP to 198.51.100.1 port 9",
                        "IPv4 TCP to 198.51.100.1 port 9, bound to eth0",
                        "IPv4 ICMP echo to 198.51.100.1, bound to eth1",
                        "IPv4 UDP to 198.51.100.1 port 9, from 192.0.2.10",
                        "IPv4 UDP to 198.51.100.1 port 9, with the mark of the tunnel",
                        "IPv4 TCP to 203.0.113.10 port 1, with the mark of the tunnel",
                        "IPv4 UDP to 203.0.113.10 port 65535, bound to eth0",
                        "IPv4 UDP to 192.0.2.1 port 53, with the mark of Tailscale",
                        "IPv4 TCP to 192.0.2.1 port 853, bound to eth0",
                        "IPv4 UDP to 224.0.0.251 port 5353, bound to eth1",
                        "IPv4 UDP to 255.255.255.255 port 9, bound to eth0",
                        "control: IPv4 TCP is seen on lo",
                        "control: a DHCP request is seen on eth0")
                .doesNotHaveDuplicates();
    }

    @Test
    void a_family_without_an_uplink_is_skipped() {
        assertThat(ProbePlanner.of(input(List.of(), List.of())).stream().filter(probe -> probe.family() == Family.IPV6))
                .singleElement()
                .satisfies(probe -> assertThat(probe.skipped()).contains("this machine has no IPv6 uplink"));
    }

    @Test
    void another_documentation_address_is_used_where_the_settings_allow_one() {
        LeakTestInput input = input(List.of(Prefix.parse("198.51.100.0/24")), List.of());

        assertThat(names(input, false)).contains("IPv4 UDP to 203.0.113.1 port 9");
        assertThat(names(input, true)).containsExactly("all IPv6");
    }

    /** DNS is blocked in an allowed network too. */
    @Test
    void what_an_allowed_network_contains_is_skipped_except_DNS() {
        LeakTestInput input = input(List.of(Prefix.parse("203.0.113.0/24"), Prefix.parse("192.0.2.0/24")), List.of());

        assertThat(names(input, true))
                .contains("IPv4 ICMP echo to 203.0.113.10, bound to eth0")
                .noneMatch(name -> name.contains(" port 53") || name.contains(" port 853"));
    }

    @Test
    void what_a_bypass_allows_is_skipped_and_nothing_else() {
        Bypass dns = new Bypass(Prefix.host(GATEWAY), Optional.of(Transport.UDP), OptionalInt.of(53));

        assertThat(ProbePlanner.of(input(List.of(), List.of(dns))).stream()
                        .filter(probe -> probe.skipped().isPresent() && probe.family() == Family.IPV4))
                .hasSize(3)
                .allSatisfy(probe -> {
                    assertThat(probe.name()).startsWith("IPv4 UDP to 192.0.2.1 port 53");
                    assertThat(probe.skipped()).contains("the settings allow 192.0.2.1:53/udp");
                });
    }

    @Test
    void a_bypass_for_one_protocol_allows_no_other() {
        Bypass tcp = new Bypass(Prefix.parse("203.0.113.10"), Optional.of(Transport.TCP), OptionalInt.empty());

        assertThat(names(input(List.of(), List.of(tcp)), true))
                .containsExactly(
                        "IPv4 TCP to 203.0.113.10 port 1, with the mark of the tunnel",
                        "IPv4 TCP to 203.0.113.10 port 1, bound to eth0",
                        "all IPv6");
    }

    @Test
    void every_kind_of_packet_has_a_positive_control() {
        List<LeakProbe> probes = ProbePlanner.of(input(List.of(), List.of()));

        assertThat(probes.stream().filter(probe -> probe.purpose() == Purpose.SEEN_INSIDE))
                .hasSize(3);
        assertThat(probes.stream().filter(probe -> probe.purpose() == Purpose.SEEN_OUTSIDE))
                .hasSize(1);
    }
}
