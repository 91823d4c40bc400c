package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.MeshLab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Shape;
import io.culvert.lab.WireGuard;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The exit node as a peer of a network file: a whole mesh behind a provider, without Tailscale. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NetworkFileTest {

    /** The node's port in the other subnet. */
    private static final int WORK = 51822;

    private static final String NOWHERE = "203.0.113.200";

    private final World world = World.of(Shape.USUAL);
    private final String key =
            world.lab.node().file("exit.key", world.lab.client().nodeKey() + "\n");

    @AfterEach
    void closeLab() {
        world.close();
    }

    private Map<String, String> settings(String file, String node) {
        return world.settings(
                Map.of("CULVERT_MESH_CONFIG", world.lab.node().file("network.yaml", file), "CULVERT_MESH_NODE", node));
    }

    @Test
    void a_phone_of_the_file_exits_by_the_provider_in_both_families() {
        world.observerIsNotBlind(Family.values());
        Child culvert = world.connect(settings(world.lab.client().networkFile(key), "exit"));

        world.lab.client().useExitNode();

        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).contains(world.provider(family));
        }
        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.run(Map.of(), "status").out()).contains("clients connected: 1 of 1");

        // Nothing of the phone's leaves when the tunnel is gone.
        culvert.signal("STOP");
        world.space().run("ip", "link", "delete", "wg0");
        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).isEmpty();
        }
        world.localTrafficIsClosed(Family.values());
        culvert.signal("CONT");
    }

    @Test
    void subnets_have_an_interface_each_and_their_peers_are_found_by_any_of_their_names_and_kept_apart() {
        String nasKey = WireGuard.privateKey();
        Namespace neighbour = world.lab.neighbour();
        // Where the NAS is sought first, nobody gets; nor to the other address that the lab's resolver has for it.
        world.space().ip("route add unreachable " + NOWHERE, "route add unreachable " + Lab.SERVER_6);
        world.lab.internet().point("nas.example", Lab.NEIGHBOUR_4);
        world.observer
                .allow("our questions for names", packet -> packet.isUdpTo(Lab.ROUTER_4, 53))
                .allow("WireGuard of the other subnet", packet -> packet.sourcePort() == WORK && packet.isWireGuard());
        Child culvert = world.connect(settings(twoSubnets(WireGuard.publicKey(nasKey)), "exit"));
        world.lab.client().useExitNode();
        try (WireGuard nas = WireGuard.up(neighbour, link(neighbour), """
                [Interface]
                PrivateKey = %s
                ListenPort = 51820
                [Peer]
                PublicKey = %s
                AllowedIPs = 0.0.0.0/0, ::/0
                """.formatted(
                        nasKey, WireGuard.publicKey(world.lab.client().nodeKey())))) {
            neighbour.ip(
                    "address add 10.78.0.2/32 dev " + link(neighbour),
                    "address add fd00:78::2/128 dev " + link(neighbour) + " nodad",
                    "link set " + link(neighbour) + " mtu 1340 up",
                    "route add 10.0.0.0/8 dev " + link(neighbour),
                    "route add " + Lab.SERVER_4 + "/32 dev " + link(neighbour),
                    "route add fd00::/16 dev " + link(neighbour),
                    "route add " + Lab.SERVER_6 + "/128 dev " + link(neighbour));
            nas.awaitUp();

            // The node calls it first, as it does not know where the node is.
            assertThat(MeshLab.whoAsks(world.space(), "", neighbour, "10.78.0.2", 30))
                    .as(culvert.output())
                    .isEqualTo("10.78.0.1");

            for (Family family : Family.values()) {
                assertThat(world.phone.whoami(family)).contains(world.provider(family));
                assertThat(Probe.from(neighbour).whoami(family)).contains(world.provider(family));
            }
            assertThat(world.run(Map.of(), "status").out())
                    .contains("mesh0 (home)", "mesh1 (work)", "port " + WORK + ", clients connected: 1 of 1");
            Namespace phone = world.lab.client().space();
            assertThat(MeshLab.whoAsks(phone, "", world.space(), "10.77.0.1", 30))
                    .isEqualTo("10.77.0.2");
            assertThat(MeshLab.whoAsks(neighbour, "", world.space(), "fd00:78::1", 30))
                    .isEqualTo("fd00:78::2");
            for (String other : List.of("10.78.0.2", "fd00:78::2")) {
                assertThat(MeshLab.whoAsks(phone, "", neighbour, other, 1)).isEqualTo("nobody");
            }
            for (String other : List.of("10.77.0.2", "fd00:77::2")) {
                assertThat(MeshLab.whoAsks(neighbour, "", phone, other, 1)).isEqualTo("nobody");
            }
            assertThat(world.observer.leaks()).isEmpty();
        }
    }

    /** The usual mesh, and another one in which the exit is too. */
    private String twoSubnets(String nas) {
        return world.lab
                .client()
                .networkFile(key)
                .replace("subnets: [{name: home}]", "subnets: [{name: home}, {name: work}]")
                .replace(
                        "'fd00:77::1']}}",
                        "'fd00:77::1']}, work: {listenPort: " + WORK + ", ipAddresses: [10.78.0.1, 'fd00:78::1']}}")
                .replace("connections: [{a: [], b: []}]\n", """
                          - name: nas
                            external: true
                            publicKey: %s
                            subnets: {work: {listenPort: 51820, ipAddresses: [10.78.0.2, 'fd00:78::2']}}
                            endpoints: [{candidates: [{ip: %s}, {ip: nas.example}]}]
                        connections:
                          - {subnets: [home], a: [%s], b: [%s]}
                          - {subnets: [work], a: [%s], b: [%s]}
                        """.formatted(
                                nas, NOWHERE, in("home"), in("home"), in("work"), in("work")));
    }

    private static String in(String subnet) {
        return "{type: subnet, rule: is, value: " + subnet + "}";
    }

    private static String link(Namespace space) {
        return space.name().replace("-neighbour", "nas");
    }

    @Test
    void what_is_wrong_with_the_file_is_told_with_its_place_before_anything_is_done() {
        String file = world.lab.client().networkFile(key);

        assertThat(refused(file, "exot").err())
                .contains("peer 'exot' not found")
                .contains("did you mean 'exit'?");
        assertThat(refused(file, "phone").err()).contains("is an external peer");
        assertThat(refused(file.replace("listenPort", "listenport"), "exit").err())
                .contains("network.yaml:8")
                .contains("listenPort");
        String other = file.replace("exit: true", "exit: true\n    routes: [10.99.0.0/24]")
                .replace(key, world.lab.node().file("wrong.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=\n"));
        assertThat(refused(other, "exit").err()).contains("its public key is");
        Outcome without = world.run(
                world.settings(Map.of("CULVERT_MESH_CONFIG", world.lab.node().file("network.yaml", file))), "up");
        assertThat(without.status()).isEqualTo(2);
        assertThat(without.err()).contains("set CULVERT_MESH_NODE to the peer's name");
        assertThat(world.footprintBesideNftables()).doesNotContain("culvert");
    }

    private Outcome refused(String file, String node) {
        Outcome outcome = world.run(settings(file, node), "up");
        assertThat(outcome.status()).as(outcome.err()).isEqualTo(2);
        return outcome;
    }
}
