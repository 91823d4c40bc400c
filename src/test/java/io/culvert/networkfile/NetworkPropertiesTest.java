// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Prefix;
import io.culvert.networkfile.render.RenderedFile;
import io.culvert.networkfile.render.WgQuick;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.config.WireGuardFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Properties that hold in every network. */
class NetworkPropertiesTest {

    private static final int NETWORKS = 150;

    private static List<Topology> networks() {
        List<Topology> valid = new ArrayList<>();
        for (int seed = 0; seed < NETWORKS; seed++) {
            NetworkFile.parse(NetworkText.FILE, new RandomNetwork(seed).text())
                    .topology()
                    .ifPresent(valid::add);
        }
        // Otherwise the generator would not test anything.
        assertThat(valid).hasSizeGreaterThan(NETWORKS / 3);
        return valid;
    }

    @Test
    void links_are_symmetric_and_one_side_has_an_endpoint() {
        for (Topology topology : networks()) {
            for (String name : topology.peers()) {
                for (NodeInterface mesh : topology.node(name).orElseThrow().interfaces()) {
                    for (MeshLink link : mesh.links()) {
                        assertThat(link.peer()).isNotEqualTo(name);
                        NodeInterface other = topology.node(link.peer()).orElseThrow().interfaces().stream()
                                .filter(it -> it.subnet().equals(mesh.subnet()))
                                .findFirst()
                                .orElseThrow();
                        assertThat(other.links())
                                .filteredOn(back -> back.peer().equals(name))
                                .singleElement()
                                .satisfies(back -> {
                                    assertThat(back.presharedKeyFile()).isEqualTo(link.presharedKeyFile());
                                    assertThat(back.endpoint().or(link::endpoint))
                                            .isPresent();
                                });
                    }
                }
            }
        }
    }

    @Test
    void prefixes_and_addresses_belong_to_one_peer_only() {
        for (Topology topology : networks()) {
            Map<String, Set<Prefix>> taken = new HashMap<>();
            for (String name : topology.peers()) {
                for (NodeInterface mesh : topology.node(name).orElseThrow().interfaces()) {
                    Set<Prefix> addresses = new HashSet<>();
                    mesh.links()
                            .forEach(link -> link.allowedIps()
                                    .forEach(prefix -> assertThat(addresses.add(prefix))
                                            .as(name + " " + prefix)
                                            .isTrue()));
                    mesh.addresses()
                            .forEach(address -> assertThat(taken.computeIfAbsent(mesh.subnet(), _ -> new HashSet<>())
                                            .add(Prefix.host(address.address())))
                                    .isTrue());
                }
            }
        }
    }

    @Test
    void rendered_wg_quick_files_parse_to_the_same_configuration() {
        SecretKey key = KeyGenerator.generatePrivate();
        WgQuick wgQuick = new WgQuick(_ -> Optional.of(key));
        for (Topology topology : networks()) {
            for (String name : topology.peers()) {
                NodeView node = topology.node(name).orElseThrow();
                List<RenderedFile> files = wgQuick.files(node);
                for (int i = 0; i < files.size(); i++) {
                    NodeInterface mesh = node.interfaces().get(i);
                    WireGuardFile.Parsed parsed = WireGuardFile.parse(
                            Path.of(files.get(i).name()), files.get(i).text());
                    if (mesh.links().isEmpty()) {
                        continue;
                    }
                    WireGuardConfig config = parsed.config().orElseThrow(() -> new AssertionError(parsed.problems()));
                    assertThat(config.name()).isEqualTo(mesh.device());
                    assertThat(config.addresses()).isEqualTo(mesh.addresses());
                    assertThat(config.listenPort()).isEqualTo(mesh.listenPort());
                    assertThat(config.peers()).hasSameSizeAs(mesh.links());
                    for (int j = 0; j < mesh.links().size(); j++) {
                        MeshLink link = mesh.links().get(j);
                        assertThat(config.peers().get(j).publicKey()).isEqualTo(link.publicKey());
                        assertThat(config.peers().get(j).allowedIps()).isEqualTo(link.allowedIps());
                        assertThat(config.peers().get(j).endpoint()).isEqualTo(link.endpoint());
                        assertThat(config.peers().get(j).keepaliveSeconds()).isEqualTo(link.keepaliveSeconds());
                    }
                }
            }
        }
    }
}
