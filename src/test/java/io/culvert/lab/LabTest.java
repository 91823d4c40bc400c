package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The lab itself, with nothing of ours in it: what later tests conclude from rests on this. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class LabTest {

    private static final String UPLINK = "enp3s0";

    private final Lab lab = Lab.open(Shape.USUAL.uplink(UPLINK).providers(2));
    private final Probe node = Probe.from(lab.node().space());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    /** What careful people did by hand before: WireGuard, a default route of its own, and no guard. */
    private WireGuard plainTunnel() {
        Namespace space = lab.node().space();
        String file = lab.provider()
                .file()
                .lines()
                .filter(line -> !line.startsWith("Address") && !line.startsWith("DNS"))
                .collect(Collectors.joining("\n"));
        WireGuard tunnel = WireGuard.up(space, "plain", file.replace("[Peer]", "FwMark = 1\n[Peer]"));
        for (String family : new String[] {"-4", "-6"}) {
            boolean v4 = family.equals("-4");
            String address =
                    v4 ? lab.provider().customer4() + "/32" : lab.provider().customer6() + "/128";
            space.run("ip", family, "address", "add", address, "dev", "plain");
            space.run("ip", "link", "set", "plain", "mtu", "1420", "up");
            space.run("ip", family, "route", "add", "default", "dev", "plain", "table", "7");
            space.attempt("ip", family, "rule", "delete", "table", "7");
            space.run("ip", family, "rule", "add", "not", "fwmark", "1", "table", "7");
        }
        tunnel.awaitUp();
        return tunnel;
    }

    @ParameterizedTest
    @EnumSource
    void everybody_reaches_the_internet_under_his_own_address(Family family) {
        boolean v4 = family == Family.IPV4;
        assertThat(node.whoami(family)).contains(v4 ? Lab.NODE_4 : Lab.NODE_6);
        assertThat(Probe.from(lab.client().space()).whoami(family)).contains(v4 ? Lab.CLIENT_4 : Lab.CLIENT_6);
        assertThat(Probe.from(lab.neighbour()).echo(family)).contains(v4 ? Lab.NEIGHBOUR_4 : Lab.NEIGHBOUR_6);
        for (int number = 0; number < 2; number++) {
            assertThat(Probe.from(lab.provider(number).space()).echo(family))
                    .contains(
                            v4
                                    ? lab.provider(number).outer4()
                                    : lab.provider(number).outer6());
        }
    }

    @Test
    void the_observer_calls_what_leaves_in_clear_a_leak() {
        Observer observer = lab.observe();

        node.whoami(Family.IPV4);
        node.echo(Family.IPV6);
        Probe.from(lab.neighbour()).whoami(Family.IPV4);

        assertThat(observer.leaks())
                .containsOnlyKeys(
                        "TCP " + Lab.NODE_4 + " to " + Lab.SERVER_4 + " port 80",
                        "UDP " + Lab.NODE_6 + " to " + Lab.SERVER_6 + " port 7");
        observer.forget();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    @Tag("kernel")
    void a_tunnel_hides_the_node_behind_its_provider_until_the_tunnel_goes() {
        Observer observer = lab.observe().allowWireGuardTo(lab.provider().outer4(), Provider.PORT);
        assertThat(observer.sees(() -> node.whoami(Family.IPV4))).isTrue();

        try (WireGuard _ = plainTunnel()) {
            assertThat(node.whoami(Family.IPV4)).contains(lab.provider().outer4());
            assertThat(node.echo(Family.IPV6)).contains(lab.provider().outer6());
            assertThat(observer.leaks()).isEmpty();
            assertThat(observer.count("WireGuard to " + lab.provider().outer4()))
                    .isPositive();
        }
        assertThat(node.whoami(Family.IPV4)).contains(Lab.NODE_4);
        assertThat(observer.leaks()).containsOnlyKeys("TCP " + Lab.NODE_4 + " to " + Lab.SERVER_4 + " port 80");
    }

    @Test
    void clear_packets_to_the_provider_are_leaks_too() {
        Observer observer = lab.observe().allowWireGuardTo(lab.provider().outer4(), Provider.PORT);

        lab.node()
                .space()
                .run(
                        "bash",
                        "-c",
                        "echo hello > /dev/udp/%s/%d".formatted(lab.provider().outer4(), Provider.PORT));

        assertThat(observer.leaks()).hasSize(1);
    }

    @Test
    void nothing_is_too_low_for_the_observer() {
        lab.node().space().nft("table inet wall { chain out { type filter hook output priority 0; policy drop; }; }");
        Observer observer = lab.observe();

        assertThat(observer.sees(() -> node.echo(Family.IPV4))).isFalse();
        assertThat(observer.sees(lab.node()::sendFramePastAnyGuard)).isTrue();
    }

    @Test
    void a_provider_can_die_or_fall_silent_and_return() {
        try (WireGuard _ = plainTunnel()) {
            assertThat(node.whoami(Family.IPV4)).contains(lab.provider().outer4());

            lab.provider().fallSilent();
            assertThat(node.echo(Family.IPV4)).isEmpty();
            lab.provider().speak();
            assertThat(node.echo(Family.IPV4)).contains(lab.provider().outer4());

            lab.provider().die();
            assertThat(node.echo(Family.IPV4)).isEmpty();
        }
        lab.provider().live();
        try (WireGuard _ = plainTunnel()) {
            assertThat(node.echo(Family.IPV4)).contains(lab.provider().outer4());
            assertThat(lab.provider().received()).isPositive();
        }
    }

    @Test
    void a_client_uses_the_node_as_its_exit() {
        Namespace space = lab.node().space();
        String file = lab.client()
                .nodeFile()
                .lines()
                .filter(line -> !line.startsWith("Address"))
                .collect(Collectors.joining("\n"));
        space.nft("table ip nat { chain out { type nat hook postrouting priority srcnat; oifname %s masquerade; }; }"
                .formatted(UPLINK));
        try (WireGuard mesh = WireGuard.up(space, "mesh", file)) {
            space.ip("address add " + Client.MESH_NODE_4 + "/24 dev mesh", "link set mesh up");
            mesh.awaitUp();

            lab.client().useExitNode();
            assertThat(Probe.from(lab.client().space()).whoami(Family.IPV4)).contains(Lab.NODE_4);

            lab.client().leaveExitNode();
            assertThat(Probe.from(lab.client().space()).whoami(Family.IPV4)).contains(Lab.CLIENT_4);
        }
    }

    @Test
    void the_resolver_answers_and_remembers_who_asked() {
        assertThat(node.resolve(Lab.ROUTER_4, "www.example", Family.IPV6)).containsExactly(Lab.SERVER_6);
        assertThat(Probe.from(lab.provider().space()).resolve(Lab.RESOLVER_6, "provider1.example", Family.IPV4))
                .containsExactly(lab.provider(1).outer4());
        assertThat(node.resolve(Lab.RESOLVER_4, "www.nowhere", Family.IPV4)).isEmpty();
        assertThat(lab.internet().questions())
                .containsExactly(
                        new DnsQuestion("www.example.", "AAAA", "udp", Lab.NODE_4),
                        new DnsQuestion(
                                "provider1.example.", "A", "udp", lab.provider().outer6()),
                        new DnsQuestion("www.nowhere.", "A", "udp", Lab.NODE_4));
        assertThat(lab.neighbour().run("dig", "+tcp", "+short", "@" + Lab.RESOLVER_6, "AAAA", "x.example"))
                .isEqualTo(Lab.SERVER_6 + "\n");
    }

    @Test
    void the_box_confines_what_runs_in_it_like_a_container() {
        Node box = lab.node().wireGuardFile("vpn.conf", "text").resolvConf("nameserver 127.0.0.1\n");

        assertThat(box.attempt(
                                "sh",
                                "-c",
                                "echo $$; cat /etc/wireguard/vpn.conf /etc/resolv.conf; ls -A /run; ls /sys/class/net")
                        .orFail())
                .isEqualTo("1\ntextnameserver 127.0.0.1\nwireguard\n" + UPLINK + "\nlo\n");
        assertThat(box.attempt("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
                        .status())
                .isNotZero();
        assertThat(box.attempt("ip", "link", "set", UPLINK, "mtu", "1400").status())
                .isZero();
        assertThat(box.in(Box.CONTAINER.without("net_admin"))
                        .attempt("ip", "link", "set", UPLINK, "mtu", "1300")
                        .status())
                .isNotZero();
        assertThat(box.in(Box.CONTAINER.withoutTun())
                        .attempt("ls", "-A", "/dev/net")
                        .orFail())
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void what_a_client_sends_by_a_node_without_a_guard_is_seen(Family family) {
        Observer observer = lab.observe().allowMesh();
        Probe client = Probe.from(lab.client().space());

        try (UnguardedExit _ = lab.unguardedExit()) {
            assertThat(client.echo(family))
                    .contains(family == Family.IPV4 ? Client.MESH_CLIENT_4 : Client.MESH_CLIENT_6);
        }

        assertThat(observer.leaks()).hasSize(1);
        assertThat(client.echo(family)).contains(family == Family.IPV4 ? Lab.CLIENT_4 : Lab.CLIENT_6);
    }
}
