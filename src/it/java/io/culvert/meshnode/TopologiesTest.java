// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.MeshLab;
import io.culvert.lab.NamespaceTest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whole meshes of real machines: linked peers reach each other at every address, and no other peers do. */
@NamespaceTest
class TopologiesTest {

    private static final List<String> NAMES =
            IntStream.range(0, 8).mapToObj(i -> "n" + i).toList();
    private static final String ALL = "connections: [{a: [], b: []}]";

    @SuppressWarnings("NullAway.Init")
    private static MeshOfNodes mesh;

    @SuppressWarnings("NullAway.Init")
    private static ReachabilityTester tester;

    @BeforeAll
    static void open_lab() {
        mesh = new MeshOfNodes(NAMES);
        tester = new ReachabilityTester(mesh, NAMES);
    }

    @AfterAll
    static void close_lab() {
        tester.close();
        mesh.close();
    }

    /** Brings nodes up, tests which nodes reach each other and that there are no differences, and takes them down. */
    private static void assertReach(String head, Map<String, String> peers, Set<String> reach) {
        String before = footprint();
        mesh.file(head, peers);
        try {
            peers.keySet().forEach(mesh::up);
            assertThat(tester.reachability(List.copyOf(peers.keySet()), reach)).isEqualTo(new TreeSet<>(reach));
            assertThat(peers.keySet())
                    .allSatisfy(name -> assertThat(mesh.diff(name)).isEmpty());
        } finally {
            peers.keySet().forEach(mesh::down);
        }
        assertThat(footprint()).isEqualTo(before);
    }

    /** Returns everything that a node could leave behind. */
    private static String footprint() {
        return mesh.namespace("n0").run("ip", "-o", "link").replaceAll("(?m)^\\d+: ", "")
                + mesh.namespace("n0").run("ip", "-o", "addr")
                + mesh.namespace("n0").run("ip", "-4", "route", "show", "table", "all")
                + mesh.namespace("n0").run("ip", "-6", "route", "show", "table", "all")
                + mesh.namespace("n0").run("ip", "rule")
                + mesh.namespace("n0").run("nft", "list", "ruleset")
                + mesh.hosts("n0");
    }

    private static Set<String> links(String... pairs) {
        Set<String> all = new TreeSet<>();
        for (String pair : pairs) {
            String[] ends = pair.split("-", 2);
            all.add(ends[0] + ">" + ends[1]);
            all.add(ends[1] + ">" + ends[0]);
        }
        return all;
    }

    private static Set<String> fullMesh(List<String> names) {
        return links(names.stream()
                .flatMap(a -> names.stream().filter(b -> a.compareTo(b) < 0).map(b -> a + "-" + b))
                .toArray(String[]::new));
    }

    /** Returns a peer with its public address as endpoint, and a port for each subnet. */
    private static String peer(String name, String... subnets) {
        StringBuilder text = new StringBuilder("subnets: {");
        for (String subnet : subnets) {
            text.append(subnet).append(": {listenPort: ").append(port(subnet)).append("}, ");
        }
        return text + "}, endpoints: [{ip: " + MeshLab.public4(mesh.number(name)) + "}]";
    }

    /** Returns a peer in subnet {@code a} with these addresses. */
    private static String peerWith(String name, String addresses) {
        return peer(name, "a").replace("listenPort: 51820", "listenPort: 51820, ipAddresses: [" + addresses + "]");
    }

    private static int port(String subnet) {
        return 51820 + subnet.charAt(0) - 'a';
    }

    private static String subnets(String... names) {
        StringBuilder text = new StringBuilder("subnets:\n");
        for (String name : names) {
            text.append("  - {name: ")
                    .append(name)
                    .append(", endpoints: [{port: ")
                    .append(port(name))
                    .append("}]}\n");
        }
        return text.toString();
    }

    private static Map<String, String> peers(List<String> names, String... subnets) {
        Map<String, String> peers = new LinkedHashMap<>();
        names.forEach(name -> peers.put(name, peer(name, subnets)));
        return peers;
    }

    private static String connections(List<String> connections) {
        return "connections: [" + String.join(", ", connections) + "]";
    }

    private static List<String> ring(List<String> names, String subnet) {
        return IntStream.range(0, names.size())
                .mapToObj(i -> "{a: [{type: peer, rule: is, value: " + names.get(i)
                        + "}], b: [{type: peer, rule: is, value: " + names.get((i + 1) % names.size())
                        + "}], subnets: [" + subnet + "]}")
                .toList();
    }

    private static String within(String subnet) {
        String filter = "[{type: subnet, rule: is, value: " + subnet + "}]";
        return "{a: " + filter + ", b: " + filter + ", subnets: [" + subnet + "]}";
    }

    @Test
    void two_peers() {
        assertReach(subnets("a") + ALL, peers(NAMES.subList(0, 2), "a"), links("n0-n1"));
    }

    @Test
    void a_full_mesh_of_eight_nodes() {
        assertReach(subnets("a") + ALL, peers(NAMES, "a"), fullMesh(NAMES));
    }

    @Test
    void a_ring() {
        List<String> names = NAMES.subList(0, 4);
        assertReach(
                subnets("a") + connections(ring(names, "a")),
                peers(names, "a"),
                links("n0-n1", "n1-n2", "n2-n3", "n3-n0"));
    }

    @Test
    void two_rings_that_share_a_node() {
        Map<String, String> peers = new LinkedHashMap<>();
        peers.put("n0", peer("n0", "a", "b"));
        peers.putAll(peers(NAMES.subList(1, 4), "a"));
        peers.putAll(peers(NAMES.subList(4, 7), "b"));
        List<String> rings = new ArrayList<>(ring(List.of("n0", "n1", "n2", "n3"), "a"));
        rings.addAll(ring(List.of("n0", "n4", "n5", "n6"), "b"));
        Set<String> reach = links("n1-n2", "n2-n3", "n4-n5", "n5-n6");
        // The node in both subnets has an address in each.
        for (String neighbour : List.of("n1", "n3", "n4", "n6")) {
            reach.add("n0>" + neighbour);
            reach.add(neighbour + ">n0 in part");
        }
        assertReach(subnets("a", "b") + connections(rings), peers, reach);
    }

    @Test
    void disjoint_meshes() {
        Map<String, String> peers = peers(NAMES.subList(0, 2), "a");
        peers.putAll(peers(NAMES.subList(2, 4), "b"));
        assertReach(subnets("a", "b") + connections(List.of(within("a"), within("b"))), peers, links("n0-n1", "n2-n3"));
    }

    @Test
    void a_hub_and_spokes_where_only_the_hub_has_an_endpoint() {
        Map<String, String> peers = peers(NAMES.subList(0, 1), "a");
        NAMES.subList(1, 5).forEach(name -> peers.put(name, "subnets: {a: {}}"));
        assertReach(
                subnets("a") + connections(List.of("{a: [{type: peer, rule: is, value: n0}], b: []}")),
                peers,
                links("n0-n1", "n0-n2", "n0-n3", "n0-n4"));
    }

    @Test
    void explicit_ipv4_addresses() {
        Map<String, String> peers = new LinkedHashMap<>();
        NAMES.subList(0, 3).forEach(name -> peers.put(name, peerWith(name, "10.9.0." + (mesh.number(name) + 1))));
        assertReach(subnets("a") + ALL, peers, fullMesh(NAMES.subList(0, 3)));
    }

    @Test
    void explicit_ipv6_addresses_and_ipv6_endpoints() {
        Map<String, String> peers = new LinkedHashMap<>();
        NAMES.subList(0, 3).forEach(name -> {
            int number = mesh.number(name);
            peers.put(
                    name,
                    peerWith(name, "'fd09::" + (number + 1) + "'")
                            .replace(MeshLab.public4(number), "'" + MeshLab.public6(number) + "'"));
        });
        assertReach(subnets("a") + ALL, peers, fullMesh(NAMES.subList(0, 3)));
    }

    @Test
    void explicit_and_automatic_addresses_of_both_families() {
        Map<String, String> peers = new LinkedHashMap<>();
        peers.put("n0", peerWith("n0", "10.9.0.1, auto"));
        peers.put("n1", peerWith("n1", "10.9.0.2, auto"));
        peers.put("n2", peerWith("n2", "10.9.0.3, 10.9.0.4, auto"));
        assertReach(subnets("a") + ALL, peers, fullMesh(NAMES.subList(0, 3)));
    }

    @Test
    void a_network_without_connections() {
        assertReach(subnets("a") + "connections: []", peers(NAMES.subList(0, 2), "a"), Set.of());
    }
}
