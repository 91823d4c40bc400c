// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.MeshLab;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.WireGuardInterface;
import io.culvert.net.Family;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The exit node as a peer of a network file: a whole mesh behind a provider, without Tailscale. */
@NamespaceTest
class ExitNodeNetworkFileTest {

    /** The node's port in the other subnet. */
    private static final int WORK = 51822;

    private static final String NOWHERE = "203.0.113.200";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private final String key =
            fixture.lab.node().file("exit.key", fixture.lab.client().nodeKey() + "\n");

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private Map<String, String> settings(String file, String node) {
        return fixture.settings(Map.of(
                "CULVERT_MESH_CONFIG", fixture.lab.node().file("network.yaml", file), "CULVERT_MESH_NODE", node));
    }

    @Test
    void a_peer_of_the_network_file_exits_through_the_tunnel_in_both_families() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = fixture.connect(settings(fixture.lab.client().networkFile(key), "exit"));

        fixture.lab.client().useExitNode();

        for (Family family : Family.values()) {
            assertThat(fixture.phone.whoami(family)).contains(fixture.provider(family));
        }
        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.run(Map.of(), "status").out()).contains("clients connected: 1 of 1");

        // The phone's traffic does not leak when the tunnel is gone.
        culvert.signal("STOP");
        fixture.namespace().run("ip", "link", "delete", "wg0");
        for (Family family : Family.values()) {
            assertThat(fixture.phone.whoami(family)).isEmpty();
        }
        fixture.assertLocalTrafficBlocked(Family.values());
        culvert.signal("CONT");
    }

    @Test
    void each_subnet_has_its_own_interface_and_its_peers_are_isolated_from_other_subnets() {
        String nasKey = WireGuardInterface.privateKey();
        LabNamespace lanHost = fixture.lab.lanHost();
        // The first endpoint candidate of the NAS is unreachable, as is the other address that the lab's resolver
        // returns.
        fixture.namespace().ip("route add unreachable " + NOWHERE, "route add unreachable " + Lab.SERVER_IPV6);
        fixture.lab.internet().setAddresses("nas.example", Lab.LAN_HOST_IPV4);
        fixture.observer
                .allow("bootstrap DNS queries", packet -> packet.isUdpTo(Lab.ROUTER_IPV4, 53))
                .allow("WireGuard of the other subnet", packet -> packet.sourcePort() == WORK && packet.isWireGuard());
        RunningProgram culvert = fixture.connect(settings(twoSubnets(WireGuardInterface.publicKey(nasKey)), "exit"));
        fixture.lab.client().useExitNode();
        try (WireGuardInterface nas = WireGuardInterface.up(lanHost, link(lanHost), """
                [Interface]
                PrivateKey = %s
                ListenPort = 51820
                [Peer]
                PublicKey = %s
                AllowedIPs = 0.0.0.0/0, ::/0
                """.formatted(
                nasKey, WireGuardInterface.publicKey(fixture.lab.client().nodeKey())))) {
            lanHost.ip(
                    "address add 10.78.0.2/32 dev " + link(lanHost),
                    "address add fd00:78::2/128 dev " + link(lanHost) + " nodad",
                    "link set " + link(lanHost) + " mtu 1340 up",
                    "route add 10.0.0.0/8 dev " + link(lanHost),
                    "route add " + Lab.SERVER_IPV4 + "/32 dev " + link(lanHost),
                    "route add fd00::/16 dev " + link(lanHost),
                    "route add " + Lab.SERVER_IPV6 + "/128 dev " + link(lanHost));
            nas.awaitUp();

            // The node initiates the handshake, as the NAS does not know the node's endpoint.
            assertThat(MeshLab.observedSource(fixture.namespace(), "", lanHost, "10.78.0.2", 30))
                    .as(culvert.output())
                    .isEqualTo("10.78.0.1");

            for (Family family : Family.values()) {
                assertThat(fixture.phone.whoami(family)).contains(fixture.provider(family));
                assertThat(Probe.from(lanHost).whoami(family)).contains(fixture.provider(family));
            }
            assertThat(fixture.run(Map.of(), "status").out())
                    .contains("mesh0 (home)", "mesh1 (work)", "port " + WORK + ", clients connected: 1 of 1");
            LabNamespace phone = fixture.lab.client().namespace();
            assertThat(MeshLab.observedSource(phone, "", fixture.namespace(), "10.77.0.1", 30))
                    .isEqualTo("10.77.0.2");
            assertThat(MeshLab.observedSource(lanHost, "", fixture.namespace(), "fd00:78::1", 30))
                    .isEqualTo("fd00:78::2");
            for (String other : List.of("10.78.0.2", "fd00:78::2")) {
                assertThat(MeshLab.observedSource(phone, "", lanHost, other, 1)).isEqualTo("no reply");
            }
            for (String other : List.of("10.77.0.2", "fd00:77::2")) {
                assertThat(MeshLab.observedSource(lanHost, "", phone, other, 1)).isEqualTo("no reply");
            }
            assertThat(fixture.observer.leaks()).isEmpty();
        }
    }

    /** A mesh, and a second one that also contains the exit node. */
    private String twoSubnets(String nas) {
        return fixture.lab
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

    private static String link(LabNamespace namespace) {
        return namespace.name().replace("-lanhost", "nas");
    }

    @Test
    void errors_in_the_network_file_are_reported_with_their_location_before_any_change() {
        String file = fixture.lab.client().networkFile(key);

        assertThat(assertRefused(file, "exot").err())
                .contains("peer 'exot' not found")
                .contains("did you mean 'exit'?");
        assertThat(assertRefused(file, "phone").err()).contains("is an external peer");
        assertThat(assertRefused(file.replace("listenPort", "listenport"), "exit")
                        .err())
                .contains("network.yaml:8")
                .contains("listenPort");
        String other = file.replace("exit: true", "exit: true\n    routes: [10.99.0.0/24]")
                .replace(key, fixture.lab.node().file("wrong.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=\n"));
        assertThat(assertRefused(other, "exit").err()).contains("its public key is");
        CommandResult without = fixture.run(
                fixture.settings(
                        Map.of("CULVERT_MESH_CONFIG", fixture.lab.node().file("network.yaml", file))),
                "up");
        assertThat(without.status()).isEqualTo(2);
        assertThat(without.err()).contains("set CULVERT_MESH_NODE to the peer's name");
        assertThat(fixture.footprintWithoutNftables()).doesNotContain("culvert");
    }

    private CommandResult assertRefused(String file, String node) {
        CommandResult outcome = fixture.run(settings(file, node), "up");
        assertThat(outcome.status()).as(outcome.err()).isEqualTo(2);
        return outcome;
    }
}
