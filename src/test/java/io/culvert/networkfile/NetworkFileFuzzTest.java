// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.TextMutator;
import io.culvert.diagnostics.Location;
import io.culvert.networkfile.render.WgQuick;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Any text is either a valid network, of which each node has a view, or has located errors; nothing is thrown. */
class NetworkFileFuzzTest {

    private static final Path FILE = Path.of("network.yaml");

    private static final List<String> FRAGMENTS = List.of(
            "\n",
            " ",
            "  ",
            "\t",
            "-",
            ":",
            ": ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "&a ",
            "*a",
            "!!int ",
            "|\n",
            "'",
            "\"",
            "#",
            "---\n",
            "null",
            "~",
            "0",
            "65536",
            "-1",
            "auto",
            "10.0.0.0/0",
            "::/0",
            "is",
            "not",
            "peer",
            "subnet",
            "via: node1\n",
            "exit: true\n",
            "routes: [10.0.0.0/8]\n",
            "external: true\n",
            "match: []",
            "? ",
            "<<: *a\n",
            "\u0000",
            "\uFEFF",
            "\uD83D",
            "%YAML 1.1\n",
            "ipAddresses: []",
            "connections: []",
            "deviceNames: hash\n");

    @FuzzTest
    void any_text_is_parsed_without_an_exception(byte[] data) {
        check(new String(data, StandardCharsets.UTF_8));
    }

    @Test
    void damaged_files_are_parsed_without_an_exception() throws IOException {
        new TextMutator(new Random(20260102), FRAGMENTS, 20)
                .mutateFiles(
                        Path.of("src/test/resources/networkfile/wirenix"), ".yaml", 40, NetworkFileFuzzTest::check);
    }

    private static void check(String text) {
        NetworkFile.Parsed parsed = NetworkFile.parse(FILE, text);
        assertThat(parsed.topology().isEmpty())
                .as(text)
                .isEqualTo(parsed.problems().stream()
                        .anyMatch(problem -> problem.kind().isError()));
        assertThat(parsed.problems()).allMatch(problem -> problem.location() instanceof Location.InFile);
        parsed.topology().ifPresent(topology -> {
            WgQuick wgQuick = new WgQuick(_ -> Optional.empty());
            topology.peers().forEach(name -> wgQuick.files(topology.node(name).orElseThrow()));
            assertThat(topology.tree()).isNotNull();
        });
    }
}
