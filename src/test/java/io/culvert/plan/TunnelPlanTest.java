// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static io.culvert.plan.TunnelExamples.file;
import static io.culvert.plan.TunnelExamples.machine;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.NftText;
import io.culvert.routing.ActiveTunnels;
import io.culvert.rtnl.IpSyntax;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.Route;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.config.WireGuardFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Plans of tunnels without a mesh: what wg-quick would do, in the syntax of iproute2. */
class TunnelPlanTest {

    private static final String EVERYTHING = "0.0.0.0/0, ::/0";

    @Test
    void a_full_tunnel_has_its_own_table_and_more_specific_routes_in_main_take_precedence() {
        assertThat(commands(plan(file("wg0", EVERYTHING, ""), NetworkState.EMPTY, false)))
                .containsExactly(
                        "ip link set dev wg0 mtu 1420 alias culvert up",
                        "ip -4 address add 10.64.0.2/32 dev wg0",
                        "ip -6 address add fd00:64::2/128 dev wg0 nodad",
                        "ip -4 route add default dev wg0 table 1358954496 protocol 67",
                        "ip -6 route add default dev wg0 table 1358954496 protocol 67",
                        "ip -4 rule add pref 32762 lookup main suppress_prefixlength 0 protocol 67",
                        "ip -4 rule add pref 32763 not fwmark 0x51000000/0xffffff00 lookup 1358954496 protocol 67",
                        "ip -6 rule add pref 32762 lookup main suppress_prefixlength 0 protocol 67",
                        "ip -6 rule add pref 32763 not fwmark 0x51000000/0xffffff00 lookup 1358954496 protocol 67");
    }

    @Test
    void the_kill_switch_blocks_both_families_and_records_its_tunnel() {
        TunnelPlan plan = plan(file("wg0", "0.0.0.0/0", ""), NetworkState.EMPTY, true);

        assertThat(commands(plan))
                .filteredOn(line -> line.contains(" rule "))
                .containsExactly(
                        "ip -4 rule add pref 32764 not fwmark 0x51000000 unreachable protocol 67",
                        "ip -4 rule add pref 32764 iif wg0 unreachable protocol 67",
                        "ip -6 rule add pref 32764 not fwmark 0x51000000 unreachable protocol 67",
                        "ip -6 rule add pref 32764 iif wg0 unreachable protocol 67",
                        "ip -4 rule add pref 32762 lookup main suppress_prefixlength 0 protocol 67",
                        "ip -4 rule add pref 32763 not fwmark 0x51000000/0xffffff00 lookup 1358954496 protocol 67",
                        "ip -6 rule add pref 32762 lookup main suppress_prefixlength 0 protocol 67");
        assertThat(new ActiveTunnels(plan.all()).tunnelWithKillSwitch()).contains("wg0");
        assertThat(NftText.of(plan.killSwitch().orElseThrow())).contains("meta mark 0x51000000", "51820");
    }

    @Test
    void a_split_tunnel_has_routes_in_main_without_rules_or_mark() {
        TunnelPlan plan = plan(file("wg0", "10.0.0.0/8, 10.64.0.2/32, fd00:64::2/128", ""), NetworkState.EMPTY, false);

        assertThat(commands(plan))
                .as("the kernel itself makes the route to fd00:64::2, but none to 10.64.0.2")
                .filteredOn(line -> !line.contains("address") && !line.contains("link"))
                .containsExactly(
                        "ip -4 route add 10.64.0.2 dev wg0 table main protocol 67",
                        "ip -4 route add 10.0.0.0/8 dev wg0 table main metric 51820 protocol 67");
        assertThat(plan.device().mark()).isZero();
        assertThat(plan.ruleset()).isEmpty();
    }

    @Test
    void halves_that_contain_the_server_are_in_the_tunnels_own_table() {
        TunnelPlan plan = plan(file("wg0", "0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1", ""), NetworkState.EMPTY, false);

        assertThat(commands(plan))
                .contains(
                        "ip -4 route add 128.0.0.0/1 dev wg0 table 1358954496 protocol 67",
                        "ip -6 route add 8000::/1 dev wg0 table main protocol 67");
        assertThat(plan.device().mark()).isEqualTo(0x51000000L);
    }

    @Test
    void table_and_fwmark_of_the_file_are_applied() {
        assertThat(commands(plan(file("wg0", EVERYTHING, "Table = 123\nFwMark = 0x77"), NetworkState.EMPTY, false)))
                .contains("ip -4 route add default dev wg0 table 123 protocol 67")
                .noneMatch(line -> line.contains(" rule "));
        assertThat(commands(plan(file("wg0", EVERYTHING, "Table = off"), NetworkState.EMPTY, false)))
                .noneMatch(line -> line.contains(" route ") || line.contains(" rule "));
        assertThat(commands(plan(file("wg0", EVERYTHING, "FwMark = 0x77"), NetworkState.EMPTY, false)))
                .contains("ip -6 rule add pref 32763 not fwmark 0x77 lookup 119 protocol 67");
    }

    @Test
    void with_strict_rp_filter_a_rule_allows_only_the_servers_replies() {
        TunnelPlan plan = TunnelPlan.of(
                TunnelInputs.of(file("wg0", "0.0.0.0/0", ""), machine(true), (_, _) -> OptionalInt.empty(), _ -> {}));

        assertThat(commands(plan))
                .contains("ip -4 rule add pref 32762 from 192.0.2.10 to 203.0.113.10 ipproto udp dport 51820"
                        + " lookup main protocol 67");
    }

    @Test
    void the_mtu_is_the_largest_path_mtu_minus_80_and_at_most_1420() {
        TunnelPlan plan = TunnelPlan.of(
                TunnelInputs.of(file("wg0", "0.0.0.0/0", ""), machine(false), (_, _) -> OptionalInt.of(9000), _ -> {}));

        assertThat(plan.network().links().getFirst().mtu()).isEqualTo(1420);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0/0, ::/0",
                "0.0.0.0/0, fd07::/64",
                "0.0.0.0/0, ::/1, 8000::/1",
                "10.66.0.0/24, fd07::/64",
                "fd07::/64"
            })
    void without_ipv6_on_the_link_ipv6_routes_are_unreachable_and_removed_with_the_tunnel(String allowedIps) {
        for (TunnelInputs inputs : List.of(
                TunnelInputs.of(
                        file("wg0", allowedIps, ""),
                        machine(
                                false,
                                new Ipv6(true, Optional.of(false), Map.of("lo", true, "eth0", true), false, true)),
                        (_, _) -> OptionalInt.of(1500),
                        _ -> {}),
                TunnelInputs.of(
                        file("wg0", allowedIps, "MTU = 1200"),
                        machine(false),
                        (_, _) -> OptionalInt.of(1500),
                        _ -> {}))) {
            TunnelPlan plan = TunnelPlan.of(inputs);

            assertThat(plan.network().addresses()).hasSize(1);
            assertThat(plan.network().routes())
                    .filteredOn(route -> route.family() == Family.IPV6)
                    .isNotEmpty()
                    .allMatch(route -> route.type() == Route.Type.UNREACHABLE && route.table() != Route.MAIN);
            assertThat(plan.network().rules()).anyMatch(rule -> rule.family() == Family.IPV6);
            assertThat(plan.remarks()).hasSize(1);
            assertThat(new ActiveTunnels(plan.all()).without("wg0")).isEqualTo(NetworkState.EMPTY);
            NetworkState both =
                    plan(file("wg1", EVERYTHING, ""), plan.all(), false).all();
            assertThat(new ActiveTunnels(both).without("wg1")).isEqualTo(plan.all());
            TunnelPlan again = TunnelPlan.of(
                    TunnelInputs.of(inputs.file(), inputs.machine(), inputs.path(), it -> it.current = plan.all()));
            assertThat(again).isEqualTo(plan);
        }
    }

    @Test
    void a_file_without_address_keeps_the_address_of_its_link() {
        WireGuardConfig file = WireGuardFile.readPartial(part()).config().orElseThrow();
        LinkAddress configured = new LinkAddress("wg0", Prefix.parse("10.64.0.9/32"));
        TunnelPlan plan = plan(file, new NetworkState(List.of(), List.of(configured), List.of(), List.of()), false);

        assertThat(plan.network().addresses()).containsExactly(configured);
        assertThat(plan.network().routes()).isEmpty();
        assertThat(plan.remarks()).isEmpty();
    }

    private static Path part() {
        try {
            Path file = Files.createTempDirectory("part").resolve("wg0.conf");
            return Files.writeString(file, "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void tunnels_keep_their_slots_and_the_latest_takes_precedence() {
        NetworkState one =
                plan(file("wg0", EVERYTHING, ""), NetworkState.EMPTY, false).all();
        NetworkState two = plan(file("wg1", EVERYTHING, ""), one, false).all();

        assertThat(IpSyntax.commands(two))
                .contains(
                        "ip -4 rule add pref 32759 lookup main suppress_prefixlength 0 protocol 67",
                        "ip -4 rule add pref 32760 not fwmark 0x51000001/0xffffff00 lookup 1358954497 protocol 67");
        assertThat(plan(file("wg0", EVERYTHING, ""), two, false).network().rules())
                .as("a second run")
                .allMatch(one.rules()::contains);
        assertThat(new ActiveTunnels(two).without("wg1")).isEqualTo(one);
        assertThat(IpSyntax.commands(new ActiveTunnels(two).without("wg0")))
                .containsExactlyElementsOf(commands(plan(file("wg1", EVERYTHING, ""), two, false)));
        assertThat(new ActiveTunnels(new ActiveTunnels(two).without("wg0")).without("wg1"))
                .isEqualTo(NetworkState.EMPTY);
    }

    @Test
    void rules_of_a_deleted_link_are_removed_but_its_kill_switch_is_kept() {
        NetworkState orphan = onlyRules(
                plan(file("wg0", EVERYTHING, ""), NetworkState.EMPTY, false).all());
        NetworkState closed = onlyRules(
                plan(file("wg0", EVERYTHING, ""), NetworkState.EMPTY, true).all());

        assertThat(new ActiveTunnels(orphan).without("wg7")).isEqualTo(NetworkState.EMPTY);
        assertThat(new ActiveTunnels(closed).without("wg7")).isEqualTo(closed);
        assertThat(new ActiveTunnels(closed).without("wg0")).isEqualTo(NetworkState.EMPTY);
    }

    @Test
    void with_a_kill_switch_the_listen_port_is_derived_and_otherwise_wireguard_chooses_it() {
        WireGuardConfig file = file("wg0", EVERYTHING, "");
        int port = plan(file, NetworkState.EMPTY, true).device().listenPort();

        assertThat(port).isBetween(61001, 65534);
        assertThat(plan(file, NetworkState.EMPTY, true).device().listenPort()).isEqualTo(port);
        assertThat(NftText.of(plan(file, NetworkState.EMPTY, true).ruleset())).contains("udp sport " + port + " ");
        assertThat(plan(file("wg1", EVERYTHING, ""), NetworkState.EMPTY, true)
                        .device()
                        .listenPort())
                .as("of another tunnel with the same key")
                .isNotEqualTo(port);
        assertThat(plan(file, NetworkState.EMPTY, Set.of(port), true).device().listenPort())
                .as("where that one is in use")
                .isNotEqualTo(port)
                .isBetween(61001, 65534);
        assertThat(plan(file("wg0", EVERYTHING, "ListenPort = 51999"), NetworkState.EMPTY, Set.of(51999), true)
                        .device()
                        .listenPort())
                .isEqualTo(51999);
        assertThat(plan(file, NetworkState.EMPTY, false).device().listenPort()).isZero();
    }

    private static NetworkState onlyRules(NetworkState state) {
        return new NetworkState(List.of(), List.of(), List.of(), state.rules());
    }

    private static List<String> commands(TunnelPlan plan) {
        return IpSyntax.commands(plan.network());
    }

    private static TunnelPlan plan(WireGuardConfig file, NetworkState current, boolean killSwitch) {
        return plan(file, current, Set.of(), killSwitch);
    }

    private static TunnelPlan plan(
            WireGuardConfig file, NetworkState current, Set<Integer> udpPorts, boolean killSwitch) {
        return TunnelPlan.of(TunnelInputs.of(file, machine(false), (_, _) -> OptionalInt.empty(), it -> {
            it.current = current;
            it.udpPorts = udpPorts;
            it.killSwitch = killSwitch;
        }));
    }
}
