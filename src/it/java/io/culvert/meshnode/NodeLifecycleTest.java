// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.lab.Lab;
import io.culvert.lab.MeshLab;
import io.culvert.lab.NamespaceTest;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.KeyGenerator;
import java.net.DatagramSocket;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The life cycle of a node: changes of its file, failures, use as an exit node, and its removal. */
@NamespaceTest
class NodeLifecycleTest {

    private static final List<String> NAMES = List.of("hub", "phone", "nas", "site");
    private static final String HEAD = "subnets: [{name: home, endpoints: [{port: 51820}]}]\n";
    private static final String ALL = HEAD + "connections: [{a: [], b: []}]";

    @SuppressWarnings("NullAway.Init")
    private static MeshOfNodes mesh;

    @BeforeAll
    static void open_lab() {
        mesh = new MeshOfNodes(NAMES);
    }

    @AfterAll
    static void close_lab() {
        mesh.close();
    }

    @AfterEach
    void take_down() {
        NAMES.forEach(mesh::down);
    }

    private static String peer(String name, String more) {
        int number = mesh.number(name);
        return "subnets: {home: {listenPort: 51820, ipAddresses: [10.8.0." + (number + 1)
                + ", auto]}}, endpoints: [{ip: " + MeshLab.public4(number) + "}]" + more;
    }

    private static Map<String, String> all() {
        Map<String, String> peers = new LinkedHashMap<>();
        NAMES.forEach(name -> peers.put(name, peer(name, "")));
        return peers;
    }

    private static Set<String> reach(List<String> names, Set<String> expected) {
        try (ReachabilityTester tester = new ReachabilityTester(mesh, names)) {
            return tester.reachability(names, expected);
        }
    }

    private static String kernel(String name) {
        return mesh.kernel(name);
    }

    private static String link(String name) {
        return mesh.namespace(name).run("ip", "-o", "link").replaceAll("(?s).*\\d: (wn\\.\\w+):.*", "$1");
    }

    @Test
    void a_changed_file_updates_peers_and_keeps_the_sessions_of_the_others() {
        Map<String, String> peers = all();
        peers.remove("site");
        mesh.file(ALL, peers);
        peers.keySet().forEach(mesh::up);
        Set<String> expected = new TreeSet<>(Set.of("hub>nas", "nas>hub"));
        assertThat(reach(List.of("hub", "nas"), expected)).isEqualTo(expected);
        String index = mesh.namespace("hub").run("ip", "-o", "link").replaceAll("(?s).*\\n(\\d+): wn.*", "$1");
        String handshake = mesh.namespace("hub").run("wg", "show", link("hub"), "latest-handshakes");

        peers = all();
        peers.remove("phone");
        mesh.file(ALL, peers);

        assertThat(mesh.diff("hub"))
                .anySatisfy(line -> assertThat(line).contains("wg set").contains("remove"))
                .anySatisfy(line -> assertThat(line).contains("10.8.0.4/32").endsWith("# site"))
                .noneSatisfy(line -> assertThat(line).contains("# nas"))
                .anySatisfy(line -> assertThat(line).contains("etc/hosts"));

        mesh.up("hub");
        mesh.up("site");

        assertThat(mesh.diff("hub")).isEmpty();
        assertThat(mesh.namespace("hub").run("ip", "-o", "link").replaceAll("(?s).*\\n(\\d+): wn.*", "$1"))
                .isEqualTo(index);
        assertThat(handshake.lines().filter(line -> !line.endsWith("\t0")))
                .isNotEmpty()
                .isSubsetOf(mesh.namespace("hub")
                        .run("wg", "show", link("hub"), "latest-handshakes")
                        .lines()
                        .toList());
        assertThat(mesh.hosts("hub"))
                .contains("10.8.0.3 nas.home nas\n", "10.8.0.4 site.home site\n")
                .doesNotContain("phone")
                .startsWith("127.0.0.1 localhost\n");
        Set<String> more = new TreeSet<>(Set.of("hub>site", "site>hub"));
        assertThat(reach(List.of("hub", "site"), more)).isEqualTo(more);
    }

    @Test
    void an_exit_node_forwards_only_what_the_file_allows() {
        Map<String, String> peers = all();
        peers.put("hub", peer("hub", ", exit: true"));
        peers.put("phone", "via: hub, " + peer("phone", ""));
        mesh.file(ALL, peers);
        String before = kernel("hub");
        NAMES.forEach(mesh::up);
        assertThat(mesh.namespace("hub").run("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"))
                .isEqualTo("1\n1\n");
        assertThat(NAMES).allSatisfy(name -> assertThat(mesh.diff(name)).isEmpty());

        // The server returns the source address of the request.
        assertThat(mesh.lab().observedSource(mesh.namespace("phone"), Lab.SERVER_IPV4))
                .isEqualTo(MeshLab.public4(0));
        assertThat(mesh.lab().observedSource(mesh.namespace("phone"), Lab.SERVER_IPV6))
                .isEqualTo(MeshLab.public6(0));
        assertThat(mesh.lab().observedSource(mesh.namespace("nas"), Lab.SERVER_IPV4))
                .isEqualTo(MeshLab.public4(2));

        // Other peers must not use the exit node, even if they configure it.
        String hubKey = KeyGenerator.publicOf(MeshOfNodes.key("hub")).toString();
        mesh.namespace("nas")
                .run("wg", "set", link("nas"), "peer", hubKey, "allowed-ips", "10.8.0.1/32," + Lab.SERVER_IPV4 + "/32");
        mesh.namespace("nas").ip("route add " + Lab.SERVER_IPV4 + "/32 dev " + link("nas"));
        assertThat(MeshLab.observedSource(mesh.namespace("nas"), "", mesh.namespace("hub"), "10.8.0.1", 30))
                .isEqualTo("10.8.0.3");
        assertThat(MeshLab.observedSource(mesh.namespace("nas"), "", mesh.lab().router(), Lab.SERVER_IPV4, 2))
                .isEqualTo("no reply");
        mesh.namespace("nas").ip("route delete " + Lab.SERVER_IPV4 + "/32 dev " + link("nas"));

        mesh.down("hub");
        assertThat(kernel("hub")).isEqualTo(before);
    }

    @Test
    void networks_behind_peers_reach_each_other() {
        Map<String, String> peers = all();
        peers.put("hub", peer("hub", ", routes: [10.100.1.0/24]"));
        peers.put("site", peer("site", ", routes: [10.100.4.0/24]"));
        mesh.file(ALL, peers);
        mesh.namespace("hub")
                .ip("link add behind type bridge", "link set behind up", "address add 10.100.1.1/24 dev behind");
        mesh.namespace("site")
                .ip("link add behind type bridge", "link set behind up", "address add 10.100.4.1/24 dev behind");
        try {
            NAMES.forEach(mesh::up);
            assertThat(MeshLab.observedSource(
                            mesh.namespace("hub"), "10.100.1.1", mesh.namespace("site"), "10.100.4.1", 30))
                    .isEqualTo("10.100.1.1");
            assertThat(MeshLab.observedSource(mesh.namespace("nas"), "", mesh.namespace("site"), "10.100.4.1", 30))
                    .isEqualTo("10.8.0.3");
        } finally {
            mesh.namespace("hub").ip("link delete behind");
            mesh.namespace("site").ip("link delete behind");
        }
    }

    @Test
    void a_node_that_cannot_be_set_up_completely_changes_nothing() {
        Map<String, String> peers = all();
        mesh.file(ALL, peers);
        // The port is in use.
        mesh.namespace("hub").ip("link add other type bridge");
        String before = kernel("hub");
        try (DatagramSocket _ = mesh.namespace("hub").call(() -> new DatagramSocket(51820))) {
            assertThatThrownBy(() -> mesh.up("hub")).hasMessageContaining("port");
            assertThat(kernel("hub")).isEqualTo(before);
        } catch (Exception e) {
            throw new AssertionError(e);
        } finally {
            mesh.namespace("hub").ip("link delete other");
        }
    }

    @Test
    void a_node_without_its_interface_is_recreated_by_up_and_removed_by_down() {
        mesh.file(ALL, all());
        String before = kernel("nas");
        mesh.up("nas");
        String link = link("nas");
        mesh.namespace("nas").ip("link delete " + link);
        assertThat(mesh.diff("nas")).isNotEmpty();

        mesh.up("nas");

        assertThat(mesh.diff("nas")).isEmpty();
        assertThat(mesh.addresses("nas")).contains(Prefix.parseAddress("10.8.0.3"));
        mesh.down("nas");
        assertThat(kernel("nas")).isEqualTo(before);
        mesh.down("nas");
    }

    @Test
    void a_foreign_interface_is_not_changed_and_all_errors_are_reported() {
        Map<String, String> peers = all();
        peers.put("hub", peer("hub", ", exit: true"));
        mesh.file(ALL, peers);
        mesh.up("nas");
        String link = link("nas");
        mesh.down("nas");
        mesh.namespace("nas").ip("link add " + link + " type bridge");
        try {
            assertThatThrownBy(() -> mesh.up("nas")).hasMessageContaining("does not belong to this node");
            mesh.down("nas");
            assertThat(mesh.namespace("nas").run("ip", "-o", "link")).contains(link);
        } finally {
            mesh.namespace("nas").ip("link delete " + link);
        }
        assertThatThrownBy(() -> mesh.inside("nas", () -> mesh.node("naz").up(mesh.file())))
                .hasMessageContaining("did you mean 'nas'");
    }
}
