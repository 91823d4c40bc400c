package io.culvert.topology;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.Damage;
import io.culvert.problem.Place;
import io.culvert.topology.render.WgQuick;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/** Any text is either a valid network, of which each node has a view, or has located errors; nothing is thrown. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class NetworkFileFuzzTest {

    private static final Path FILE = Path.of("network.yaml");

    private static final List<String> PIECES = List.of(
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
    void any_bytes(byte[] data) {
        check(new String(data, StandardCharsets.UTF_8));
    }

    @Test
    void every_file_of_the_corpus_in_many_damaged_forms() throws IOException {
        Damage damage = new Damage(new Random(20260102), PIECES, 20);
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/topology/wirenix"))) {
            for (Path file :
                    files.filter(it -> it.toString().endsWith(".yaml")).sorted().toList()) {
                String text = Files.readString(file);
                for (int i = 0; i < 40; i++) {
                    check(damage.of(text));
                }
            }
        }
    }

    private static void check(String text) {
        NetworkFile.Parsed parsed = NetworkFile.parse(FILE, text);
        assertThat(parsed.topology().isEmpty())
                .as(text)
                .isEqualTo(parsed.problems().stream()
                        .anyMatch(problem -> problem.kind().isError()));
        assertThat(parsed.problems()).allMatch(problem -> problem.place() instanceof Place.InFile);
        parsed.topology().ifPresent(topology -> {
            WgQuick wgQuick = new WgQuick(_ -> Optional.empty());
            topology.peers().forEach(name -> wgQuick.files(topology.node(name).orElseThrow()));
            assertThat(topology.tree()).isNotNull();
        });
    }
}
