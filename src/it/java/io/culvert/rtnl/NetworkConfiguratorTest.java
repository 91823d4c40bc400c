// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.sh;
import static io.culvert.rtnl.DesiredStates.exitNode;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.lab.NamespaceTest;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.rtnl.PolicyRule.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

@NamespaceTest
class NetworkConfiguratorTest {

    private interface Action {
        void run(NetworkConfigurator network) throws Exception;
    }

    private static void withTunnel(Action action) throws Exception {
        inside(() -> {
            sh("ip tuntap add dev wg0 mode tun");
            try (var socket = KernelNetlinkSocket.route()) {
                action.run(new NetworkConfigurator(socket));
            }
        });
    }

    /** Returns everything that {@code ip} lists, of both families and any owner. */
    static String kernelState() throws Exception {
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
    void an_exit_node_is_applied_completely_and_a_second_run_changes_nothing() throws Exception {
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

            String before = kernelState();
            assertThat(network.drift(exitNode())).isEmpty();
            assertThat(network.apply(exitNode())).isEmpty();
            assertThat(kernelState()).isEqualTo(before);
        });
    }

    @Test
    void another_process_adopts_the_existing_objects() throws Exception {
        withTunnel(network -> {
            network.apply(exitNode());
            try (var socket = KernelNetlinkSocket.route()) {
                assertThat(new NetworkConfigurator(socket).apply(exitNode())).isEmpty();
            }
        });
    }

    @Test
    void removing_does_not_change_foreign_objects() throws Exception {
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
    void drift_is_reported_and_reverted() throws Exception {
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
    void a_changed_state_replaces_routes_and_addresses_in_place() throws Exception {
        withTunnel(network -> {
            sh("ip tuntap add dev wg1 mode tun");
            network.apply(exitNode());
            List<Route> routes = new ArrayList<>(List.of(
                    Route.unreachable(Prefix.parse("0.0.0.0/0"), DesiredStates.TABLE),
                    Route.unreachable(Prefix.parse("::/0"), DesiredStates.TABLE),
                    Route.through("wg1", Prefix.parse("203.0.113.128/25"), DesiredStates.TABLE),
                    Route.through("wg1", Prefix.parse("2001:db8:dead::/48"), DesiredStates.TABLE)));
            NetworkState other = new NetworkState(
                    List.of(new LinkSpec("wg0", 1400, Ownership.ALIAS), new LinkSpec("wg1", 1280, Ownership.ALIAS)),
                    List.of(DesiredStates.address("10.65.0.2/32"), DesiredStates.address("fd00:64::2/64")),
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
    void nothing_is_changed_if_the_kernel_refuses_a_request() throws Exception {
        withTunnel(network -> {
            network.apply(exitNode());
            sh("ip route add 198.51.100.0/24 dev wg0 table 77");
            String before = kernelState();
            List<Route> routes = new ArrayList<>(exitNode().routes());
            routes.remove(0);
            routes.add(Route.unreachable(Prefix.parse("198.51.100.0/24"), 77));
            NetworkState impossible = new NetworkState(
                    List.of(new LinkSpec("wg0", 70_000, Ownership.ALIAS)),
                    List.of(DesiredStates.address("10.66.0.2/32"), DesiredStates.address("fd00:64::2/64")),
                    routes,
                    List.of(DesiredStates.unreachable(Family.IPV4, 5000, Selector.ANY.inputLink("tailscale0"))));
            assertThatThrownBy(() -> network.apply(impossible))
                    .isInstanceOfSatisfying(
                            ProblemException.class,
                            e -> assertThat(e.problems())
                                    .extracting(Problem::message)
                                    .containsExactly(
                                            "refused 'ip link set dev wg0 mtu 70000 alias culvert up': invalid argument"
                                                    + " (errno 22): mtu greater than device maximum",
                                            "refused 'ip -4 route add unreachable 198.51.100.0/24 table 77 protocol 67':"
                                                    + " already exists (errno 17)"));
            // The kernel adds the local route of an IPv6 address a moment later (addrconf_dad_work).
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (!kernelState().equals(before) && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            assertThat(kernelState()).isEqualTo(before);
        });
    }

    @Test
    void a_missing_link_is_reported_and_nothing_is_changed() throws Exception {
        inside(() -> {
            try (var socket = KernelNetlinkSocket.route()) {
                assertThatThrownBy(() -> new NetworkConfigurator(socket).apply(exitNode()))
                        .hasMessage("wg0: interface not found");
                assertThat(sh("ip rule")).doesNotContain("tailscale0");
            }
        });
    }

    @Test
    void ensuring_a_part_keeps_the_rest_of_an_earlier_run() throws Exception {
        withTunnel(network -> {
            network.apply(exitNode());
            String before = kernelState();
            assertThat(network.ensure(DesiredStates.rules(exitNode().rules()))).isEmpty();
            assertThat(kernelState()).isEqualTo(before);
        });
    }

    @Test
    void an_equal_foreign_rule_is_used_and_kept() throws Exception {
        withTunnel(network -> {
            sh("ip rule add pref 5310 iif tailscale0 lookup 51820");
            assertThat(network.apply(exitNode()))
                    .doesNotContain("ip -4 rule add pref 5310 iif tailscale0 lookup 51820 protocol 67");
            network.remove();
            assertThat(sh("ip rule")).contains("5310:\tfrom all iif tailscale0 [detached] lookup 51820");
        });
    }

    @Test
    void disabled_ipv6_is_reported_with_a_hint_and_everything_is_reverted() throws Exception {
        withTunnel(network -> {
            sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
            String before = kernelState();
            assertThatThrownBy(() -> network.apply(exitNode()))
                    .isInstanceOfSatisfying(
                            ProblemException.class,
                            e -> assertThat(e.problems())
                                    .extracting(Problem::hint)
                                    .anyMatch(hint -> hint.contains("net.ipv6.conf.all.disable_ipv6=0")));
            assertThat(kernelState()).isEqualTo(before);

            NetworkState ipv4 = new NetworkState(
                    exitNode().links(),
                    List.of(DesiredStates.address("10.64.0.2/32")),
                    List.of(
                            DesiredStates.route("0.0.0.0/0"),
                            Route.unreachable(Prefix.parse("::/0"), DesiredStates.TABLE)),
                    exitNode().rules());
            network.apply(ipv4);
            assertThat(network.drift(ipv4)).isEmpty();
        });
    }

    @Test
    void ten_thousand_rules_and_routes_are_added_and_removed() throws Exception {
        withTunnel(network -> {
            List<PolicyRule> rules = IntStream.range(0, 10_000)
                    .mapToObj(i -> DesiredStates.lookup(
                            Family.IPV4,
                            5100,
                            Selector.ANY
                                    .inputLink("lo")
                                    .to(Prefix.parse("10." + (i >> 8) + "." + (i & 255) + ".1"))
                                    .destinationPort(443)
                                    .transport(io.culvert.net.Transport.TCP),
                            Route.MAIN))
                    .toList();
            List<Route> routes = IntStream.range(0, 4_000)
                    .mapToObj(i -> DesiredStates.route("2001:db8:" + Integer.toHexString(i) + "::/48"))
                    .toList();
            NetworkState many = new NetworkState(exitNode().links(), List.of(), routes, rules);
            assertThat(network.apply(many)).hasSize(14_001);
            assertThat(network.apply(many)).isEmpty();
            assertThat(network.remove()).hasSize(14_001);
        });
    }

    @Test
    void the_iproute2_commands_create_the_same_state() throws Exception {
        withTunnel(network -> {
            for (String command : IpSyntax.commands(exitNode())) {
                sh(command);
            }
            assertThat(network.apply(exitNode())).isEmpty();
        });
    }
}
