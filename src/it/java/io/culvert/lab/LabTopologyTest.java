// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The lab itself, without Culvert: other tests depend on it. */
@NamespaceTest
class LabTopologyTest {

    private static final String UPLINK = "enp3s0";

    private final Lab lab = Lab.open(LabOptions.DEFAULTS.uplink(UPLINK).providers(2));
    private final Probe node = Probe.from(lab.node().namespace());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    /** Sets up WireGuard with a default route of its own by hand, without a kill switch. */
    private WireGuardInterface plainTunnel() {
        LabNamespace namespace = lab.node().namespace();
        String file = lab.provider()
                .file()
                .lines()
                .filter(line -> !line.startsWith("Address") && !line.startsWith("DNS"))
                .collect(Collectors.joining("\n"));
        WireGuardInterface tunnel =
                WireGuardInterface.up(namespace, "plain", file.replace("[Peer]", "FwMark = 1\n[Peer]"));
        for (String family : new String[] {"-4", "-6"}) {
            boolean v4 = family.equals("-4");
            String address =
                    v4 ? lab.provider().customerIpv4() + "/32" : lab.provider().customerIpv6() + "/128";
            namespace.run("ip", family, "address", "add", address, "dev", "plain");
            namespace.run("ip", "link", "set", "plain", "mtu", "1420", "up");
            namespace.run("ip", family, "route", "add", "default", "dev", "plain", "table", "7");
            namespace.attempt("ip", family, "rule", "delete", "table", "7");
            namespace.run("ip", family, "rule", "add", "not", "fwmark", "1", "table", "7");
        }
        tunnel.awaitUp();
        return tunnel;
    }

    @ParameterizedTest
    @EnumSource
    void every_host_reaches_the_internet_with_its_own_address(Family family) {
        boolean v4 = family == Family.IPV4;
        assertThat(node.whoami(family)).contains(v4 ? Lab.NODE_IPV4 : Lab.NODE_IPV6);
        assertThat(Probe.from(lab.client().namespace()).whoami(family))
                .contains(v4 ? Lab.CLIENT_IPV4 : Lab.CLIENT_IPV6);
        assertThat(Probe.from(lab.lanHost()).echo(family)).contains(v4 ? Lab.LAN_HOST_IPV4 : Lab.LAN_HOST_IPV6);
        for (int number = 0; number < 2; number++) {
            assertThat(Probe.from(lab.provider(number).namespace()).echo(family))
                    .contains(
                            v4
                                    ? lab.provider(number).publicIpv4()
                                    : lab.provider(number).publicIpv6());
        }
    }

    @Test
    void the_observer_reports_unencrypted_packets_as_leaks() {
        Observer observer = lab.observe();

        node.whoami(Family.IPV4);
        node.echo(Family.IPV6);
        Probe.from(lab.lanHost()).whoami(Family.IPV4);

        assertThat(observer.leaks())
                .containsOnlyKeys(
                        "TCP " + Lab.NODE_IPV4 + " to " + Lab.SERVER_IPV4 + " port 80",
                        "UDP " + Lab.NODE_IPV6 + " to " + Lab.SERVER_IPV6 + " port 7");
        observer.reset();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    @KernelTest
    void a_tunnel_replaces_the_nodes_address_until_it_is_removed() {
        Observer observer = lab.observe().allowWireGuardTo(lab.provider().publicIpv4(), Provider.PORT);
        assertThat(observer.sees(() -> node.whoami(Family.IPV4))).isTrue();

        try (WireGuardInterface _ = plainTunnel()) {
            assertThat(node.whoami(Family.IPV4)).contains(lab.provider().publicIpv4());
            assertThat(node.echo(Family.IPV6)).contains(lab.provider().publicIpv6());
            assertThat(observer.leaks()).isEmpty();
            assertThat(observer.count("WireGuard to " + lab.provider().publicIpv4()))
                    .isPositive();
        }
        assertThat(node.whoami(Family.IPV4)).contains(Lab.NODE_IPV4);
        assertThat(observer.leaks()).containsOnlyKeys("TCP " + Lab.NODE_IPV4 + " to " + Lab.SERVER_IPV4 + " port 80");
    }

    @Test
    void unencrypted_packets_to_the_provider_are_leaks_too() {
        Observer observer = lab.observe().allowWireGuardTo(lab.provider().publicIpv4(), Provider.PORT);

        lab.node()
                .namespace()
                .run(
                        "bash",
                        "-c",
                        "echo hello > /dev/udp/%s/%d".formatted(lab.provider().publicIpv4(), Provider.PORT));

        assertThat(observer.leaks()).hasSize(1);
    }

    @Test
    void the_observer_detects_frames_that_bypass_nftables() {
        lab.node()
                .namespace()
                .nft("table inet wall { chain out { type filter hook output priority 0; policy drop; }; }");
        Observer observer = lab.observe();

        assertThat(observer.sees(() -> node.echo(Family.IPV4))).isFalse();
        assertThat(observer.sees(lab.node()::sendFrameBypassingNetfilter)).isTrue();
    }

    @Test
    void a_provider_can_be_stopped_or_blocked_and_recover() {
        try (WireGuardInterface _ = plainTunnel()) {
            assertThat(node.whoami(Family.IPV4)).contains(lab.provider().publicIpv4());

            lab.provider().blockTraffic();
            assertThat(node.echo(Family.IPV4)).isEmpty();
            lab.provider().unblockTraffic();
            assertThat(node.echo(Family.IPV4)).contains(lab.provider().publicIpv4());

            lab.provider().stop();
            assertThat(node.echo(Family.IPV4)).isEmpty();
        }
        lab.provider().start();
        try (WireGuardInterface _ = plainTunnel()) {
            assertThat(node.echo(Family.IPV4)).contains(lab.provider().publicIpv4());
            assertThat(lab.provider().received()).isPositive();
        }
    }

    @Test
    void a_client_uses_the_node_as_exit_node() {
        LabNamespace namespace = lab.node().namespace();
        String file = lab.client()
                .nodeConfig()
                .lines()
                .filter(line -> !line.startsWith("Address"))
                .collect(Collectors.joining("\n"));
        namespace.nft(
                "table ip nat { chain out { type nat hook postrouting priority srcnat; oifname %s masquerade; }; }"
                        .formatted(UPLINK));
        try (WireGuardInterface mesh = WireGuardInterface.up(namespace, "mesh", file)) {
            namespace.ip("address add " + WireGuardClient.MESH_NODE_IPV4 + "/24 dev mesh", "link set mesh up");
            mesh.awaitUp();

            lab.client().useExitNode();
            assertThat(Probe.from(lab.client().namespace()).whoami(Family.IPV4)).contains(Lab.NODE_IPV4);

            lab.client().leaveExitNode();
            assertThat(Probe.from(lab.client().namespace()).whoami(Family.IPV4)).contains(Lab.CLIENT_IPV4);
        }
    }

    @Test
    void the_resolver_replies_and_records_its_queries() {
        assertThat(node.resolve(Lab.ROUTER_IPV4, "www.example", Family.IPV6)).containsExactly(Lab.SERVER_IPV6);
        assertThat(Probe.from(lab.provider().namespace()).resolve(Lab.RESOLVER_IPV6, "provider1.example", Family.IPV4))
                .containsExactly(lab.provider(1).publicIpv4());
        assertThat(node.resolve(Lab.RESOLVER_IPV4, "www.nowhere", Family.IPV4)).isEmpty();
        assertThat(lab.internet().queries())
                .containsExactly(
                        new ReceivedQuery("www.example.", "AAAA", "udp", Lab.NODE_IPV4),
                        new ReceivedQuery(
                                "provider1.example.", "A", "udp", lab.provider().publicIpv6()),
                        new ReceivedQuery("www.nowhere.", "A", "udp", Lab.NODE_IPV4));
        assertThat(lab.lanHost().run("dig", "+tcp", "+short", "@" + Lab.RESOLVER_IPV6, "AAAA", "x.example"))
                .isEqualTo(Lab.SERVER_IPV6 + "\n");
    }

    @Test
    void the_sandbox_confines_programs_like_a_container() {
        LabNode sandbox = lab.node().wireGuardFile("vpn.conf", "text").resolvConf("nameserver 127.0.0.1\n");

        assertThat(sandbox.attempt(
                                "sh",
                                "-c",
                                "echo $$; cat /etc/wireguard/vpn.conf /etc/resolv.conf; ls -A /run; ls /sys/class/net")
                        .outputOrFail())
                .isEqualTo("1\ntextnameserver 127.0.0.1\nwireguard\n" + UPLINK + "\nlo\n");
        assertThat(sandbox.attempt("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
                        .status())
                .isNotZero();
        assertThat(sandbox.attempt("ip", "link", "set", UPLINK, "mtu", "1400").status())
                .isZero();
        assertThat(sandbox.in(Sandbox.CONTAINER.without("net_admin"))
                        .attempt("ip", "link", "set", UPLINK, "mtu", "1300")
                        .status())
                .isNotZero();
        assertThat(sandbox.in(Sandbox.CONTAINER.withoutTun())
                        .attempt("ls", "-A", "/dev/net")
                        .outputOrFail())
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void the_observer_detects_client_traffic_through_an_exit_node_without_kill_switch(Family family) {
        Observer observer = lab.observe().allowMesh();
        Probe client = Probe.from(lab.client().namespace());

        try (ExitNodeWithoutKillSwitch _ = lab.exitNodeWithoutKillSwitch()) {
            assertThat(client.echo(family))
                    .contains(
                            family == Family.IPV4
                                    ? WireGuardClient.MESH_CLIENT_IPV4
                                    : WireGuardClient.MESH_CLIENT_IPV6);
        }

        assertThat(observer.leaks()).hasSize(1);
        assertThat(client.echo(family)).contains(family == Family.IPV4 ? Lab.CLIENT_IPV4 : Lab.CLIENT_IPV6);
    }
}
