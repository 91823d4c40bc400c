// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.networkfile.NetworkFile;
import io.culvert.networkfile.Topology;
import io.culvert.networkfile.render.RenderedFile;
import io.culvert.networkfile.render.WgQuick;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Reads the rendered files of every node of every test network with {@code wg}. */
@NamespaceTest
class RenderedWireGuardFilesTest {

    /** The keys that only wg-quick uses ({@code wg-quick strip}). */
    private static final Set<String> WG_QUICK = Set.of("Address", "DNS", "MTU", "Table");

    @Test
    void wg_accepts_every_file_and_has_its_peers() throws IOException {
        CommandResult.of(List.of("ip", "netns", "add", "rendered")).outputOrFail();
        LabNamespace namespace = new LabNamespace("rendered");
        SecretKey key = KeyGenerator.generatePrivate();
        WgQuick wgQuick = new WgQuick(_ -> Optional.of(key));
        try (WireGuardInterface _ = WireGuardInterface.up(namespace, "wg0", "[Interface]\n");
                Stream<Path> files = Files.list(Path.of("src/test/resources/networkfile/wirenix"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".yaml")).toList()) {
                Topology topology = NetworkFile.read(file).topology().orElseThrow();
                for (String name : topology.peers()) {
                    for (RenderedFile rendered :
                            wgQuick.files(topology.node(name).orElseThrow())) {
                        assertAccepted(namespace, file + " " + name, rendered.text());
                    }
                }
            }
        } finally {
            CommandResult.of(List.of("ip", "netns", "delete", "rendered")).outputOrFail();
        }
    }

    private static void assertAccepted(LabNamespace namespace, String description, String text) {
        // The names of the test hosts do not exist here: wg would query them and wait.
        String stripped = text.lines()
                .filter(line -> !WG_QUICK.contains(line.replaceFirst(" =.*", "")))
                .map(line -> line.replaceFirst("^Endpoint = node(\\d)", "Endpoint = 192.0.2.$1"))
                .collect(Collectors.joining("\n", "", "\n"));
        CommandResult set = CommandResult.of(namespace.inside(List.of("wg", "setconf", "wg0", "/dev/stdin")), stripped);
        assertThat(set.status()).as(description + "\n" + set.err()).isZero();
        assertThat(namespace.run("wg", "show", "wg0", "peers").lines().sorted().toList())
                .as(description)
                .isEqualTo(text.lines()
                        .filter(line -> line.startsWith("PublicKey = "))
                        .map(line -> line.substring("PublicKey = ".length()))
                        .sorted()
                        .toList());
    }
}
