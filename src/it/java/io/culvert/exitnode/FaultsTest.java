// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.WireGuardClient;
import io.culvert.net.Family;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One exit node runs throughout, with traffic of a local process and of a phone in both families. Faults are injected:
 * nothing leaks, and traffic flows again without a restart.
 */
@NamespaceTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FaultsTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.uplink("enp3s0"));
    private RunningProgram culvert;
    private List<ContinuousProbe> local = List.of();
    private List<ContinuousProbe> phones = List.of();

    @BeforeAll
    void start() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        culvert = fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();
        local = List.of(
                ContinuousProbe.of(fixture.namespace(), Family.IPV4),
                ContinuousProbe.of(fixture.namespace(), Family.IPV6));
        phones = List.of(
                ContinuousProbe.of(fixture.lab.client().namespace(), Family.IPV4),
                ContinuousProbe.of(fixture.lab.client().namespace(), Family.IPV6));
        assertTrafficFlows();
    }

    @AfterEach
    void nothing_leaked_and_traffic_flows_again() {
        assertTrafficFlows();
        assertThat(fixture.observer.leaks()).isEmpty();
        for (ContinuousProbe pulse : local) {
            assertThat(pulse.seenAddresses()).isSubsetOf(fixture.provider(Family.IPV4), fixture.provider(Family.IPV6));
        }
        assertThat(culvert.isAlive()).isTrue();
    }

    @AfterAll
    void stop() {
        local.forEach(ContinuousProbe::close);
        phones.forEach(ContinuousProbe::close);
        fixture.close();
    }

    private void assertTrafficFlows() {
        assertLocalTrafficFlows();
        phones.get(0).awaitReply(fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
        phones.get(1).awaitReply(fixture.provider(Family.IPV6), ExitNodeFixture.TIMEOUT);
    }

    private void assertLocalTrafficFlows() {
        local.get(0).awaitReply(fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
        local.get(1).awaitReply(fixture.provider(Family.IPV6), ExitNodeFixture.TIMEOUT);
    }

    private void assertPhoneBlocked() {
        for (Family family : Family.values()) {
            assertThat(fixture.phone.whoami(family)).isEmpty();
        }
    }

    /** While the program is suspended it corrects nothing, so the remaining layer alone blocks leaks. */
    private void whileSuspended(Runnable scenario) {
        culvert.signal("STOP");
        try {
            scenario.run();
        } finally {
            culvert.signal("CONT");
        }
    }

    @Test
    void a_deleted_tunnel_interface_is_restored() {
        culvert.ignoreEarlierOutput();
        fixture.namespace().run("ip", "link", "delete", "wg0");
        culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void a_tunnel_interface_that_is_set_down_is_set_up_again() {
        culvert.ignoreEarlierOutput();
        fixture.namespace().run("ip", "link", "set", "wg0", "down");
        culvert.awaitLine("network: ip link set", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void a_deleted_mesh_interface_is_restored() {
        culvert.ignoreEarlierOutput();
        fixture.namespace().run("ip", "link", "delete", "mesh0");
        culvert.awaitLine("network: ip -4 address add 10.77.0.1", ExitNodeFixture.TIMEOUT);
    }

    /** Their packets come from the mesh, so the provider must not see their addresses. */
    @Test
    void mesh_traffic_does_not_enter_the_tunnel_while_the_mesh_interface_is_missing() {
        fixture.lab.provider().countPacketsTo(WireGuardClient.MESH_CLIENT_IPV4, WireGuardClient.MESH_CLIENT_IPV6);
        culvert.ignoreEarlierOutput();
        whileSuspended(() -> {
            fixture.namespace().run("ip", "link", "delete", "mesh0");
            sendToPhone();
            for (String family : List.of("-4", "-6")) {
                fixture.namespace().run("ip", family, "rule", "add", "pref", "10", "lookup", "51820");
            }
            sendToPhone();
            assertThat(fixture.lab.provider().countedPackets())
                    .as("by either layer")
                    .isZero();

            fixture.namespace().run("nft", "delete", "table", "inet", "culvert");
            sendToPhone();
            assertThat(fixture.lab.provider().countedPackets())
                    .as("without a kill switch, packets reach the provider")
                    .isPositive();
            for (String family : List.of("-4", "-6")) {
                fixture.namespace().run("ip", family, "rule", "delete", "pref", "10");
            }
            assertThat(fixture.namespace()
                            .attempt("ip", "route", "get", WireGuardClient.MESH_CLIENT_IPV4)
                            .err())
                    .as("by routing alone")
                    .contains("No route to host");
        });
        culvert.awaitLine("network: ip -4 address add 10.77.0.1", ExitNodeFixture.TIMEOUT);
    }

    private void sendToPhone() {
        for (String address : List.of(WireGuardClient.MESH_CLIENT_IPV4, WireGuardClient.MESH_CLIENT_IPV6)) {
            fixture.namespace().attempt("timeout", "2", "bash", "-c", "echo hello > /dev/udp/" + address + "/9");
        }
    }

    @Test
    void a_killed_userspace_WireGuard_is_restarted() {
        culvert.ignoreEarlierOutput();
        culvert.descendant("wireguard-go", "wg0").destroyForcibly();
        culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void a_flushed_tunnel_routing_table_is_restored() {
        culvert.ignoreEarlierOutput();
        fixture.namespace().run("ip", "-4", "route", "flush", "table", "51820");
        fixture.namespace().run("ip", "-6", "route", "flush", "table", "51820");
        culvert.awaitLine("network: ip -[46] route add", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void routing_alone_blocks_leaks_without_nftables_and_both_layers_are_restored() {
        whileSuspended(() -> {
            fixture.namespace().run("nft", "flush", "ruleset");
            fixture.namespace().run("ip", "link", "delete", "wg0");
            fixture.assertLocalTrafficBlocked(Family.values());
            assertPhoneBlocked();
            culvert.ignoreEarlierOutput();
        });
        culvert.awaitLine(
                "kill switch: reverted an external change: nftables ruleset reloaded", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT);
        assertThat(fixture.status().killSwitch())
                .containsEntry("nftables", true)
                .containsEntry("routing", true);
    }

    @Test
    void nftables_alone_block_leaks_without_routing_rules_and_both_layers_are_restored() {
        whileSuspended(() -> {
            deleteOurRules();
            fixture.assertLocalTrafficBlocked(Family.values());
            assertPhoneBlocked();
            culvert.ignoreEarlierOutput();
        });
        culvert.awaitLine("kill switch: reverted an external change: ip -4 rule add", ExitNodeFixture.TIMEOUT);
        assertThat(fixture.status().killSwitch())
                .containsEntry("nftables", true)
                .containsEntry("routing", true);
    }

    private void deleteOurRules() {
        for (String family : List.of("-4", "-6")) {
            fixture.namespace()
                    .run("ip", family, "rule")
                    .lines()
                    .map(line -> line.split(":", 2)[0])
                    .filter(preference -> preference.startsWith("5"))
                    .forEach(preference ->
                            fixture.namespace().run("ip", family, "rule", "delete", "preference", preference));
        }
    }

    @Test
    void more_specific_routes_in_the_main_table_do_not_leak() {
        fixture.namespace()
                .ip(
                        "route add 198.51.100.0/25 via " + Lab.ROUTER_IPV4,
                        "route add 198.51.100.10/32 dev enp3s0",
                        "route add 2001:db8:1::/64 via " + Lab.ROUTER_IPV6,
                        "route add " + Lab.SERVER_IPV6 + "/128 dev enp3s0");
        try {
            assertTrafficFlows();
            fixture.assertLocalTrafficUsesTunnel(Family.values());
        } finally {
            fixture.namespace()
                    .ip(
                            "route delete 198.51.100.0/25",
                            "route delete 198.51.100.10/32",
                            "route delete 2001:db8:1::/64",
                            "route delete " + Lab.SERVER_IPV6 + "/128");
        }
    }

    @Test
    void routes_on_the_uplink_that_cover_the_internet_do_not_leak() {
        fixture.namespace()
                .ip("address add 198.51.100.200/24 dev enp3s0", "address add 2001:db8:1::200/64 dev enp3s0 nodad");
        try {
            assertTrafficFlows();
            fixture.assertLocalTrafficUsesTunnel(Family.values());
        } finally {
            fixture.namespace()
                    .ip("address delete 198.51.100.200/24 dev enp3s0", "address delete 2001:db8:1::200/64 dev enp3s0");
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_process_bound_to_the_uplink_s_address_does_not_leak(Family family) {
        boolean v4 = family == Family.IPV4;
        String server = v4 ? Lab.SERVER_IPV4 : "[" + Lab.SERVER_IPV6 + "]";
        String own = v4 ? Lab.NODE_IPV4 : Lab.NODE_IPV6;
        // Bound to the address it uses the tunnel like all others, bound to the interface it is blocked.
        assertThat(ask("--interface", own, "http://" + server + "/")).isIn("", fixture.provider(family));
        assertThat(ask("--interface", "enp3s0", "http://" + server + "/")).isEmpty();
        whileSuspended(() -> {
            fixture.namespace().run("ip", "link", "delete", "wg0");
            assertThat(ask("--interface", own, "http://" + server + "/")).isEmpty();
            assertThat(ask("--interface", "enp3s0", "http://" + server + "/")).isEmpty();
        });
    }

    private String ask(String... arguments) {
        return fixture.namespace()
                .attempt(Stream.concat(Stream.of("curl", "-s", "--max-time", "2"), Stream.of(arguments))
                        .toArray(String[]::new))
                .out()
                .strip();
    }

    @Test
    void plaintext_packets_to_the_server_s_port_do_not_leak() {
        for (String protocol : List.of("udp", "tcp")) {
            fixture.namespace()
                    .attempt(
                            "timeout",
                            "2",
                            "bash",
                            "-c",
                            "echo hello > /dev/%s/%s/%d"
                                    .formatted(protocol, fixture.lab.provider().publicIpv4(), Provider.PORT));
        }
    }

    @Test
    void an_uplink_that_goes_down_and_up_is_used_again() {
        fixture.namespace().run("ip", "link", "set", "enp3s0", "down");
        // The observer sees nothing while the link is down, so leaks are checked when it is up again.
        fixture.assertNothingReachable(Family.values());
        fixture.namespace().ip("link set enp3s0 up", "route add default via " + Lab.ROUTER_IPV4 + " dev enp3s0");
        fixture.namespace().ip("address replace " + Lab.NODE_IPV6 + "/64 dev enp3s0 nodad");
        fixture.namespace().ip("route replace default via " + Lab.ROUTER_IPV6 + " dev enp3s0");
    }

    @Test
    void an_uplink_with_a_new_address_and_gateway_is_used() {
        fixture.lab.router().ip("address add 192.0.2.2/26 dev lan", "address add 2001:db8:e::2/64 dev lan nodad");
        fixture.lab.moveNode(Lab.NODE_IPV4, "192.0.2.30", "192.0.2.2");
        fixture.lab.moveNode(Lab.NODE_IPV6, "2001:db8:e::30", "2001:db8:e::2");
        // The phones know the old address only: they reconnect only if the node sends from the new one automatically.
        assertTrafficFlows();
        fixture.assertLocalTrafficUsesTunnel(Family.values());
        fixture.lab.moveNode("192.0.2.30", Lab.NODE_IPV4, Lab.ROUTER_IPV4);
        fixture.lab.moveNode("2001:db8:e::30", Lab.NODE_IPV6, Lab.ROUTER_IPV6);
    }

    @Test
    void a_server_that_stops_responding_and_responds_again_is_reported() {
        fixture.lab.provider().blockTraffic();
        fixture.assertLocalTrafficBlocked(Family.values());
        assertPhoneBlocked();
        fixture.lab.provider().unblockTraffic();
    }

    @Test
    void a_server_that_dies_and_returns_is_reconnected() {
        fixture.lab.provider().stop();
        fixture.assertLocalTrafficBlocked(Family.values());
        assertPhoneBlocked();
        fixture.lab.provider().start();
    }

    @Test
    void an_overwritten_resolv_conf_is_restored() {
        fixture.lab.node().resolvConf("nameserver " + Lab.RESOLVER_IPV4 + "\n");
        assertThat(fixture.node.resolve(Lab.RESOLVER_IPV4, "overwritten.example", Family.IPV4))
                .containsExactly(Lab.SERVER_IPV4);
        assertThat(fixture.lab.internet().queries())
                .filteredOn(query -> query.name().equals("overwritten.example."))
                .isNotEmpty()
                .allSatisfy(query -> assertThat(query.sourceAddress())
                        .isIn(fixture.provider(Family.IPV4), fixture.provider(Family.IPV6)));
    }
}
