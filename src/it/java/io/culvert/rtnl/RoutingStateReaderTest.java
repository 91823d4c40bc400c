// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.run;
import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.netlink.KernelNetlinkSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads rules and routes that ip made, with its own listing for comparison. */
@NamespaceTest
class RoutingStateReaderTest {

    /** include/uapi/linux/rtnetlink.h. */
    private static final int RTNLGRP_LINK = 1;

    private static RoutingState read() {
        try (KernelNetlinkSocket socket = KernelNetlinkSocket.route()) {
            return new RoutingStateReader(socket).read();
        }
    }

    private static RoutingState readAndCompareRules() throws Exception {
        RoutingState state = read();
        for (Family family : Family.values()) {
            assertThat(RoutingOutline.ofRules(state, family))
                    .as(family.toString())
                    .isEqualTo(RoutingOutline.parseRules(sh("ip " + option(family) + " -N -j rule")));
        }
        return state;
    }

    private static RoutingState readAndCompareRoutes() throws Exception {
        // Some time later the kernel notices that a link has lost its carrier, or that a link-local address is unique.
        for (int attempt = 0; ; attempt++) {
            Map<Family, String> before = listRoutes();
            RoutingState state = read();
            if (before.equals(listRoutes()) || attempt == 20) {
                for (Family family : Family.values()) {
                    assertThat(RoutingOutline.ofRoutes(state, family))
                            .as(family.toString())
                            .isEqualTo(RoutingOutline.parseRoutes(Objects.requireNonNull(before.get(family)), family));
                }
                return state;
            }
        }
    }

    private static Map<Family, String> listRoutes() throws Exception {
        Map<Family, String> listings = new EnumMap<>(Family.class);
        for (Family family : Family.values()) {
            listings.put(family, sh("ip " + option(family) + " -N -j route show table all"));
        }
        return listings;
    }

    private static String option(Family family) {
        return family == Family.IPV4 ? "-4" : "-6";
    }

    /** Two links with addresses, connected to each other. */
    private static void links() throws Exception {
        sh("ip link add up0 type veth peer name far0");
        sh("ip link set up0 group 77 up");
        sh("ip link set far0 alias of-somebody up");
        sh("ip address add 192.0.2.2/24 dev up0");
        sh("ip address add 10.64.0.5 peer 10.64.0.6/24 dev up0");
        sh("ip address add 2001:db8::2/64 dev up0 nodad");
    }

    private static void rules(String... rules) throws Exception {
        for (String rule : rules) {
            sh("ip " + rule);
        }
    }

    @Test
    void the_rules_of_a_new_namespace_are_those_of_the_kernel() throws Exception {
        inside(() -> {
            RoutingState state = readAndCompareRules();
            assertThat(state.rules(Family.IPV4))
                    .extracting(LookupRule::preference)
                    .containsExactly(0L, 32766L, 32767L);
            assertThat(state.rules(Family.IPV6))
                    .extracting(LookupRule::preference)
                    .containsExactly(0L, 32766L);
            readAndCompareRoutes();
        });
    }

    @Test
    void rules_have_all_their_conditions_in_the_order_of_evaluation() throws Exception {
        inside(() -> {
            links();
            rules(
                    "rule add pref 20 not oif absent uidrange 5-10 sport 10-20 dport 5 ipproto tcp goto 200",
                    "rule add pref 10 iif up0 lookup 100",
                    "rule add pref 25 goto 26",
                    "rule add pref 30 iif absent lookup main",
                    "rule add pref 200 nop",
                    "rule add pref 200 from 10.0.0.0/8 lookup 100",
                    "rule add pref 200 to 203.0.113.7 lookup 70000",
                    "rule add pref 201 fwmark 0x5/0xff prohibit",
                    "rule add pref 202 fwmark 0/0xff0000 unreachable",
                    "rule add pref 203 fwmark 7 blackhole",
                    "rule add pref 204 tos 0x10 blackhole",
                    "rule add pref 205 to 10.0.0.0/8 lookup 100 realms 5",
                    "rule add pref 206 lookup main suppress_prefixlength 0 suppress_ifgroup 77",
                    "rule add pref 207 l3mdev",
                    "rule add pref 208 iif lo oif up0 tun_id 5 lookup 100",
                    "rule add pref 209 ipproto udp dport 1-65534 uidrange 0-4294967294 lookup 100",
                    "rule add pref 0 fwmark 0x80000/0xff0000 lookup main",
                    "-6 rule add pref 5 from 2001:db8::/32 to ff00::/8 iif lo lookup main suppress_prefixlength 64",
                    "-6 rule add pref 6 tos 0x10 prohibit",
                    "-6 rule add pref 7 not fwmark 1 lookup 5");
            RoutingState state = readAndCompareRules();

            assertThat(state.rules(Family.IPV4).get(1))
                    .as("the kernel's own rule was the first with preference 0")
                    .extracting(LookupRule::preference)
                    .isEqualTo(0L);
            assertThat(state.rules())
                    .filteredOn(LookupRule::hasOtherCondition)
                    .extracting(LookupRule::preference)
                    .containsExactly(204L, 208L, 6L);
        });
    }

    @Test
    void a_rule_for_a_link_is_named_after_the_link_that_the_kernel_compares() throws Exception {
        inside(() -> {
            links();
            sh("ip link property add dev far0 altname other-name");
            rules("rule add pref 10 iif other-name lookup 100", "rule add pref 11 oif far0 lookup 100");
            assertThat(read().rules(Family.IPV4))
                    .as("an alternative name")
                    .filteredOn(rule -> rule.preference() == 10)
                    .allMatch(rule -> rule.inputLink().orElseThrow().equals("far0"));

            sh("ip link set far0 down");
            sh("ip link set far0 name far1");
            assertThat(ruleAt(11).outputLink()).as("no such link").contains("far0");
            sh("ip link set up0 down");
            sh("ip link set up0 name far0");
            assertThat(ruleAt(11).outputLink()).as("another link").contains("far0");
        });
    }

    private static LookupRule ruleAt(long preference) throws Exception {
        return read().rules(Family.IPV4).stream()
                .filter(rule -> rule.preference() == preference)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void links_and_addresses_are_read() throws Exception {
        inside(() -> {
            links();
            sh("ip link add down0 type veth peer name down1");
            RoutingState state = read();

            assertThat(state.links())
                    .extracting(RoutingState.StateLink::name)
                    .containsExactlyInAnyOrder("lo", "up0", "far0", "down0", "down1");
            assertThat(state.links())
                    .filteredOn(RoutingState.StateLink::isLoopback)
                    .hasSize(1);
            assertThat(link(state, "up0")).matches(link -> link.isUp() && link.group() == 77);
            assertThat(link(state, "up0").kind()).isEqualTo("veth");
            assertThat(link(state, "far0").alias()).isEqualTo("of-somebody");
            assertThat(link(state, "down0").isUp()).isFalse();
            assertThat(state.addresses(Family.IPV4))
                    .as("the prefix length of a point-to-point address is that of the peer's network")
                    .contains(Prefix.parse("192.0.2.2/24"), Prefix.parse("10.64.0.5/32"));
            assertThat(state.addresses()).contains(new LinkAddress("up0", Prefix.parse("2001:db8::2/64")));
        });
    }

    private static RoutingState.StateLink link(RoutingState state, String name) {
        return state.links().stream()
                .filter(link -> link.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void the_routes_of_all_tables_and_types_are_read() throws Exception {
        inside(() -> {
            links();
            rules(
                    "route add default via 192.0.2.1",
                    "route add default via 192.0.2.3 metric 50 table 70000",
                    "route add 10.1.0.0/16 nexthop via 192.0.2.9 nexthop dev far0",
                    "route add 10.2.0.0/16 via inet6 fe80::1 dev up0 src 192.0.2.2 metric 5",
                    "route add throw 10.3.0.0/16 table 100 tos 0x10",
                    "route add blackhole 10.4.0.0/16 table 100",
                    "route add unreachable 10.5.0.0/16 table 100",
                    "route add prohibit 10.6.0.0/16 table 100",
                    "route add local 10.7.0.0/16 dev lo table 100",
                    "route add broadcast 10.8.0.1 dev up0 table 100",
                    "route append 10.1.0.0/16 via 192.0.2.4",
                    "-6 route add default via 2001:db8::1",
                    "-6 route add 2001:db8:5::/48 from 2001:db8:6::/48 dev up0",
                    "-6 route add prohibit 2001:db8:7::/48",
                    "-6 route add throw 2001:db8:8::/48 table 100",
                    "-6 route add anycast 2001:db8:9::1 dev up0",
                    "-6 route add 2001:db8:a::/48 nexthop via 2001:db8::7 nexthop via 2001:db8::3 dev up0");
            RoutingState state = readAndCompareRoutes();

            assertThat(state.routes()).allMatch(LookupRoute::isUnderstood);
            assertThat(state.routes(Family.IPV6))
                    .filteredOn(route -> route.source().equals(Prefix.parse("2001:db8:6::/48")))
                    .hasSize(1);
            assertThat(state.routes(Family.IPV6))
                    .as("the multicast route of a link")
                    .anyMatch(route -> route.destination().equals(Prefix.parse("ff00::/8"))
                            && route.kind() == LookupRoute.Kind.BROADCAST);
        });
    }

    @Test
    void a_hop_over_a_link_without_a_carrier_is_not_usable() throws Exception {
        inside(() -> {
            links();
            rules("route add 10.1.0.0/16 via 192.0.2.9");
            try (KernelNetlinkSocket events = KernelNetlinkSocket.routeEvents(List.of(RTNLGRP_LINK))) {
                sh("ip link set far0 down");
                while (read().routes().stream()
                        .allMatch(route -> route.hops().stream().allMatch(LookupRoute.Hop::isUsable))) {
                    assertThat(events.receive(Duration.ofSeconds(60)))
                            .as("events")
                            .isNotEmpty();
                }
            }
            assertThat(route(readAndCompareRoutes(), "10.1.0.0/16").hops()).noneMatch(LookupRoute.Hop::isUsable);
        });
    }

    @Test
    void nexthop_objects_are_read_as_long_as_the_kernel_lists_their_hops() throws Exception {
        inside(() -> {
            links();
            rules(
                    "nexthop add id 1 via 192.0.2.9 dev up0",
                    "nexthop add id 2 dev far0",
                    "nexthop add id 3 group 1/2",
                    "nexthop add id 4 blackhole",
                    "route add 10.1.0.0/16 nhid 1",
                    "route add 10.3.0.0/16 nhid 3",
                    "route add 10.4.0.0/16 nhid 4");
            RoutingState state = readAndCompareRoutes();
            assertThat(route(state, "10.3.0.0/16").hops()).hasSize(2);
            assertThat(route(state, "10.4.0.0/16").kind()).isEqualTo(LookupRoute.Kind.BLOCK);
            assertThat(state.routes()).allMatch(LookupRoute::isUnderstood);

            sh("sysctl -q -w net.ipv4.nexthop_compat_mode=0");
            RoutingState without = read();
            assertThat(without.routes())
                    .filteredOn(route -> !route.isUnderstood())
                    .extracting(LookupRoute::destination)
                    .containsExactlyInAnyOrder(Prefix.parse("10.1.0.0/16"), Prefix.parse("10.3.0.0/16"));
            assertThat(route(without, "10.4.0.0/16").kind()).isEqualTo(LookupRoute.Kind.BLOCK);
        });
    }

    @Test
    void a_route_with_an_encapsulation_is_not_understood() throws Exception {
        inside(() -> {
            links();
            rules("route add 10.6.0.0/16 encap ip id 5 dst 192.0.2.9 dev up0");
            assertThat(route(read(), "10.6.0.0/16").isUnderstood()).isFalse();
            assertThat(read().routes())
                    .filteredOn(route -> !route.isUnderstood())
                    .hasSize(1);
        });
    }

    private static LookupRoute route(RoutingState state, String destination) {
        return state.routes().stream()
                .filter(route -> route.destination().equals(Prefix.parse(destination)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void thousands_of_rules_and_routes_keep_their_order(@TempDir Path folder) throws Exception {
        inside(() -> {
            links();
            StringBuilder batch = new StringBuilder();
            for (int i = 0; i < 3000; i++) {
                batch.append("rule add pref 500 to 10.")
                        .append(i / 256)
                        .append('.')
                        .append(i % 256)
                        .append(".0/24 lookup 100\n");
                batch.append("route add 10.")
                        .append(i / 256)
                        .append('.')
                        .append(i % 256)
                        .append(".0/24 dev up0 table 100\n");
            }
            Path file = folder.resolve("batch");
            Files.writeString(file, batch);
            run("ip", "-batch", file.toString());
            assertThat(readAndCompareRules().rules()).hasSizeGreaterThan(3000);
            assertThat(readAndCompareRoutes().routes()).hasSizeGreaterThan(3000);
        });
    }
}
