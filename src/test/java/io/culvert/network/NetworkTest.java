package io.culvert.network;

import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.sh;
import static io.culvert.network.Wanted.exitNode;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.network.Rule.Selector;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("lab")
@DisplayNameGeneration(ReplaceUnderscores.class)
class NetworkTest {

    private interface Story {
        void tell(Network network) throws Exception;
    }

    private static void withTunnel(Story story) throws Exception {
        inside(() -> {
            sh("ip tuntap add dev wg0 mode tun");
            try (var socket = KernelNetlinkSocket.route()) {
                story.tell(new Network(socket));
            }
        });
    }

    /** Returns everything that {@code ip} lists, of both families and any owner. */
    static String everything() throws Exception {
        // A link that was up once keeps its queue.
        return sh("ip -d link show dev wg0").replaceAll("qdisc [a-z_]+", "")
                + sh("ip -4 addr")
                + sh("ip -6 addr")
                + sh("ip -4 route show table all")
                + sh("ip -6 route show table all")
                + sh("ip -4 rule")
                + sh("ip -6 rule");
    }

    @Test
    void a_whole_exit_node_becomes_true_and_a_second_run_changes_nothing() throws Exception {
        withTunnel(network -> {
            assertThat(network.apply(exitNode()))
                    .hasSize(1 + 3 + 7 + exitNode().rules().size());
            assertThat(network.observe().rules())
                    .containsExactlyInAnyOrderElementsOf(exitNode().rules());
            assertThat(network.observe().routes())
                    .containsExactlyInAnyOrderElementsOf(exitNode().routes());
            assertThat(network.observe().addresses())
                    .containsExactlyInAnyOrderElementsOf(exitNode().addresses());
            assertThat(network.observe().links()).isEqualTo(exitNode().links());

            String before = everything();
            assertThat(network.drift(exitNode())).isEmpty();
            assertThat(network.apply(exitNode())).isEmpty();
            assertThat(everything()).isEqualTo(before);
        });
    }

    @Test
    void another_process_adopts_what_it_finds() throws Exception {
        withTunnel(network -> {
            network.apply(exitNode());
            try (var socket = KernelNetlinkSocket.route()) {
                assertThat(new Network(socket).apply(exitNode())).isEmpty();
            }
        });
    }

    @Test
    void removing_leaves_what_is_not_ours_as_it_was() throws Exception {
        withTunnel(network -> {
            sh("ip link add up0 type veth peer name far0");
            sh("ip link set up0 up");
            sh("ip link set far0 up");
            sh("ip addr add 192.0.2.2/26 dev up0");
            sh("ip route add default via 192.0.2.1");
            sh("ip route add 203.0.113.0/24 via 192.0.2.1 table 51820");
            sh("ip -6 rule add pref 5310 iif up0 lookup 51820");
            sh("ip rule add pref 5310 iif up0 lookup 51820");
            String rules = sh("ip -4 rule") + sh("ip -6 rule");
            String routes = sh("ip -4 route show table all") + sh("ip -4 addr show dev up0");

            network.apply(exitNode());
            assertThat(network.remove()).isNotEmpty();

            assertThat(sh("ip -4 rule") + sh("ip -6 rule")).isEqualTo(rules);
            assertThat(sh("ip -4 route show table all") + sh("ip -4 addr show dev up0"))
                    .isEqualTo(routes);
            assertThat(network.observe()).isEqualTo(NetworkState.EMPTY);
            assertThat(network.remove()).isEmpty();
            assertThat(sh("ip -br link")).as("Culvert's link").doesNotContain("wg0");
        });
    }

    @Test
    void what_drifted_is_put_back() throws Exception {
        withTunnel(network -> {
            network.apply(exitNode());
            sh("ip link set wg0 down");
            sh("ip rule del pref 5310");
            sh("ip -6 rule del pref 5340");
            sh("ip rule add pref 1 lookup main protocol 67");
            sh("ip addr del 10.64.0.2/32 dev wg0");
            sh("ip link set wg0 mtu 1300");
            assertThat(network.drift(exitNode()))
                    .contains(
                            "ip link set dev wg0 mtu 1420 alias culvert up",
                            "ip -4 address add 10.64.0.2/32 dev wg0",
                            "ip -4 route add default dev wg0 table 51820 protocol 67",
                            "ip -4 rule add pref 5310 iif tailscale0 lookup 51820 protocol 67",
                            "ip -6 rule add pref 5340 not fwmark 0x51000000 unreachable protocol 67",
                            "ip -4 rule delete pref 1 lookup main protocol 67");
            network.apply(exitNode());
            assertThat(network.drift(exitNode())).isEmpty();
        });
    }

    @Test
    void a_changed_plan_replaces_routes_and_addresses_in_place() throws Exception {
        withTunnel(network -> {
            sh("ip tuntap add dev wg1 mode tun");
            network.apply(exitNode());
            List<Route> routes = new ArrayList<>(List.of(
                    Route.unreachable(Prefix.parse("0.0.0.0/0"), Wanted.TABLE),
                    Route.unreachable(Prefix.parse("::/0"), Wanted.TABLE),
                    Route.through("wg1", Prefix.parse("203.0.113.128/25"), Wanted.TABLE),
                    Route.through("wg1", Prefix.parse("2001:db8:dead::/48"), Wanted.TABLE)));
            NetworkState other = new NetworkState(
                    List.of(new Link("wg0", 1400, Ownership.ALIAS), new Link("wg1", 1280, Ownership.ALIAS)),
                    List.of(Wanted.address("10.65.0.2/32"), Wanted.address("fd00:64::2/64")),
                    routes,
                    exitNode().rules());
            List<String> changes = network.apply(other);
            assertThat(changes)
                    .contains(
                            "ip -4 route replace unreachable default table 51820 protocol 67",
                            "ip -6 route replace unreachable default table 51820 protocol 67",
                            "ip -4 route replace 203.0.113.128/25 dev wg1 table 51820 protocol 67",
                            "ip -6 route replace 2001:db8:dead::/48 dev wg1 table 51820 protocol 67")
                    .noneMatch(change -> change.contains("rule"));
            assertThat(network.apply(other)).isEmpty();
            network.apply(exitNode());
            assertThat(sh("ip -br link")).doesNotContain("wg1");
        });
    }

    @Test
    void when_the_kernel_refuses_something_nothing_has_changed() throws Exception {
        withTunnel(network -> {
            network.apply(exitNode());
            sh("ip route add 198.51.100.0/24 dev wg0 table 77");
            String before = everything();
            List<Route> routes = new ArrayList<>(exitNode().routes());
            routes.remove(0);
            routes.add(Route.unreachable(Prefix.parse("198.51.100.0/24"), 77));
            NetworkState impossible = new NetworkState(
                    List.of(new Link("wg0", 70_000, Ownership.ALIAS)),
                    List.of(Wanted.address("10.66.0.2/32"), Wanted.address("fd00:64::2/64")),
                    routes,
                    List.of(Wanted.unreachable(Family.IPV4, 5000, Selector.ANY.inputLink("tailscale0"))));
            assertThatThrownBy(() -> network.apply(impossible))
                    .isInstanceOfSatisfying(
                            ProblemException.class,
                            e -> assertThat(e.problems())
                                    .extracting(Problem::what)
                                    .containsExactly(
                                            "refused 'ip link set dev wg0 mtu 70000 alias culvert up': invalid argument"
                                                    + " (errno 22): mtu greater than device maximum",
                                            "refused 'ip -4 route add unreachable 198.51.100.0/24 table 77 protocol 67':"
                                                    + " already exists (errno 17)"));
            assertThat(everything()).isEqualTo(before);
        });
    }

    @Test
    void a_missing_link_is_named_and_nothing_is_sent() throws Exception {
        inside(() -> {
            try (var socket = KernelNetlinkSocket.route()) {
                assertThatThrownBy(() -> new Network(socket).apply(exitNode())).hasMessage("wg0: interface not found");
                assertThat(sh("ip rule")).doesNotContain("tailscale0");
            }
        });
    }

    @Test
    void a_part_is_ensured_while_the_rest_of_an_earlier_run_still_serves() throws Exception {
        withTunnel(network -> {
            network.apply(exitNode());
            String before = everything();
            assertThat(network.ensure(Wanted.rules(exitNode().rules()))).isEmpty();
            assertThat(everything()).isEqualTo(before);
        });
    }

    @Test
    void an_equal_rule_of_somebody_else_serves_and_stays() throws Exception {
        withTunnel(network -> {
            sh("ip rule add pref 5310 iif tailscale0 lookup 51820");
            assertThat(network.apply(exitNode()))
                    .doesNotContain("ip -4 rule add pref 5310 iif tailscale0 lookup 51820 protocol 67");
            network.remove();
            assertThat(sh("ip rule")).contains("5310:\tfrom all iif tailscale0 [detached] lookup 51820");
        });
    }

    @Test
    void without_ipv6_on_the_link_the_cure_is_told_and_the_rest_is_undone() throws Exception {
        withTunnel(network -> {
            sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
            String before = everything();
            assertThatThrownBy(() -> network.apply(exitNode()))
                    .isInstanceOfSatisfying(
                            ProblemException.class,
                            e -> assertThat(e.problems())
                                    .extracting(Problem::cure)
                                    .anyMatch(cure -> cure.contains("net.ipv6.conf.all.disable_ipv6=0")));
            assertThat(everything()).isEqualTo(before);

            NetworkState ipv4 = new NetworkState(
                    exitNode().links(),
                    List.of(Wanted.address("10.64.0.2/32")),
                    List.of(Wanted.route("0.0.0.0/0"), Route.unreachable(Prefix.parse("::/0"), Wanted.TABLE)),
                    exitNode().rules());
            network.apply(ipv4);
            assertThat(network.drift(ipv4)).isEmpty();
        });
    }

    @Test
    void ten_thousand_rules_and_routes_come_and_go() throws Exception {
        withTunnel(network -> {
            List<Rule> rules = IntStream.range(0, 10_000)
                    .mapToObj(i -> Wanted.lookup(
                            Family.IPV4,
                            5100,
                            Selector.ANY
                                    .inputLink("lo")
                                    .to(Prefix.parse("10." + (i >> 8) + "." + (i & 255) + ".1"))
                                    .destinationPort(443)
                                    .transport(io.culvert.ip.Transport.TCP),
                            Route.MAIN))
                    .toList();
            List<Route> routes = IntStream.range(0, 4_000)
                    .mapToObj(i -> Wanted.route("2001:db8:" + Integer.toHexString(i) + "::/48"))
                    .toList();
            NetworkState many = new NetworkState(exitNode().links(), List.of(), routes, rules);
            assertThat(network.apply(many)).hasSize(14_001);
            assertThat(network.apply(many)).isEmpty();
            assertThat(network.remove()).hasSize(14_001);
        });
    }

    @Test
    void the_commands_of_iproute2_make_the_same_state() throws Exception {
        withTunnel(network -> {
            for (String command : IpSyntax.commands(exitNode())) {
                sh(command);
            }
            assertThat(network.apply(exitNode())).isEmpty();
        });
    }
}
