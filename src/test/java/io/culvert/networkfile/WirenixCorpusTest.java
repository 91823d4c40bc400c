// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.TextFile;
import io.culvert.networkfile.render.GraphDot;
import io.culvert.networkfile.render.RenderedFile;
import io.culvert.networkfile.render.WgQuick;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wirenix's own examples and tests, with the files that are expected for each node. */
class WirenixCorpusTest {

    private static final Path CORPUS = Path.of("src/test/resources/networkfile/wirenix");

    static List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(CORPUS)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".yaml"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void each_nodes_files_match_the_expected_files(String file) throws IOException {
        NetworkFile.Parsed parsed =
                NetworkFile.parse(Path.of("/etc/network.yaml"), Files.readString(CORPUS.resolve(file)));

        assertThat(parsed.problems()).isEmpty();
        Topology topology = parsed.topology().orElseThrow();
        StringBuilder text = new StringBuilder(topology.tree()).append('\n');
        WgQuick wgQuick = new WgQuick(_ -> Optional.empty());
        for (String name : topology.peers()) {
            NodeView node = topology.node(name).orElseThrow();
            for (RenderedFile rendered : wgQuick.files(node)) {
                text.append("==== ")
                        .append(name)
                        .append('/')
                        .append(rendered.name())
                        .append('\n')
                        .append(rendered.text());
            }
            text.append("---- hosts of ").append(name).append('\n');
            node.hosts().forEach(entry -> text.append(entry).append('\n'));
        }
        text.append('\n').append(GraphDot.of(topology));
        TextFile.assertContent(CORPUS.resolve(file.replace(".yaml", ".expected")), text.toString());
    }
}
