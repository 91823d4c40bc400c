// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.KernelTest;
import io.culvert.lab.MeshLab;
import io.culvert.lab.NamespaceTest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** A node goes up and down with each implementation of WireGuard. */
@NamespaceTest
class NodeTest {

    private static final List<String> NAMES = List.of("hub", "nas");

    @Test
    @KernelTest
    void a_node_comes_up_reaches_its_peer_and_is_removed_with_each_implementation() {
        try (MeshOfNodes mesh = new MeshOfNodes(NAMES)) {
            Map<String, String> peers = new LinkedHashMap<>();
            for (String name : NAMES) {
                int number = mesh.number(name);
                peers.put(
                        name,
                        "subnets: {home: {listenPort: 51820, ipAddresses: [10.8.0." + (number + 1)
                                + ", auto]}}, endpoints: [{ip: " + MeshLab.public4(number) + "}]");
            }
            mesh.file("subnets: [{name: home}]\nconnections: [{a: [], b: []}]", peers);
            String before = mesh.kernel("hub");
            boolean kernel = mesh.namespace("hub")
                            .attempt("ip", "link", "add", "probe", "type", "wireguard")
                            .status()
                    == 0;
            mesh.namespace("hub").attempt("ip", "link", "delete", "probe");

            NAMES.forEach(mesh::up);

            assertThat(mesh.namespace("hub").run("ip", "-d", "link")).contains(kernel ? " wireguard " : " tun ");
            assertThat(NAMES).allSatisfy(name -> assertThat(mesh.diff(name)).isEmpty());
            Set<String> expected = new TreeSet<>(Set.of("hub>nas", "nas>hub"));
            try (ReachabilityTester tester = new ReachabilityTester(mesh, NAMES)) {
                assertThat(tester.reachability(NAMES, expected)).isEqualTo(expected);
            }

            mesh.down("hub");

            assertThat(mesh.kernel("hub")).isEqualTo(before);
        }
    }
}
