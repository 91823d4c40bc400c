package io.culvert.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Prefix;
import io.culvert.topology.render.RenderedFile;
import io.culvert.topology.render.WgQuick;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.SecretKey;
import io.culvert.wireguard.WireGuardConfig;
import io.culvert.wireguard.WireGuardFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/** Properties that hold in every network. */
@DisplayNameGeneration(ReplaceUnderscores.class)
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
    void who_is_linked_with_somebody_is_so_in_both_views_and_one_of_them_can_call() {
        for (Topology topology : networks()) {
            for (String name : topology.peers()) {
                for (MeshInterface mesh : topology.node(name).orElseThrow().interfaces()) {
                    for (MeshLink link : mesh.links()) {
                        assertThat(link.peer()).isNotEqualTo(name);
                        MeshInterface other = topology.node(link.peer()).orElseThrow().interfaces().stream()
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
    void no_prefix_is_allowed_to_two_peers_and_no_address_belongs_to_two() {
        for (Topology topology : networks()) {
            Map<String, Set<Prefix>> taken = new HashMap<>();
            for (String name : topology.peers()) {
                for (MeshInterface mesh : topology.node(name).orElseThrow().interfaces()) {
                    Set<Prefix> seen = new HashSet<>();
                    mesh.links()
                            .forEach(link -> link.allowedIps()
                                    .forEach(prefix -> assertThat(seen.add(prefix))
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
    void rendered_files_say_what_the_network_says_to_whoever_reads_them() {
        SecretKey key = Keys.generatePrivate();
        WgQuick wgQuick = new WgQuick(_ -> Optional.of(key));
        for (Topology topology : networks()) {
            for (String name : topology.peers()) {
                NodeView node = topology.node(name).orElseThrow();
                List<RenderedFile> files = wgQuick.files(node);
                for (int i = 0; i < files.size(); i++) {
                    MeshInterface mesh = node.interfaces().get(i);
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
