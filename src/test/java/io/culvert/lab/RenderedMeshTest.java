package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.topology.NetworkFile;
import io.culvert.topology.Topology;
import io.culvert.topology.render.RenderedFile;
import io.culvert.topology.render.WgQuick;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.SecretKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Files for every node of every network of the corpus, before the eyes of the program that they are for. */
@Tag("lab")
@DisplayNameGeneration(ReplaceUnderscores.class)
class RenderedMeshTest {

    /** What wg-quick takes for itself ({@code wg-quick strip}). */
    private static final Set<String> WG_QUICK = Set.of("Address", "DNS", "MTU", "Table");

    @Test
    void wg_accepts_every_file_and_has_the_peers_that_stand_there() throws IOException {
        Outcome.of(List.of("ip", "netns", "add", "rendered")).orFail();
        Namespace space = new Namespace("rendered");
        SecretKey key = Keys.generatePrivate();
        WgQuick wgQuick = new WgQuick(_ -> Optional.of(key));
        try (WireGuard _ = WireGuard.up(space, "wg0", "[Interface]\n");
                Stream<Path> files = Files.list(Path.of("src/test/resources/topology/wirenix"))) {
            for (Path file : files.filter(it -> it.toString().endsWith(".yaml")).toList()) {
                Topology topology = NetworkFile.read(file).topology().orElseThrow();
                for (String name : topology.peers()) {
                    for (RenderedFile rendered :
                            wgQuick.files(topology.node(name).orElseThrow())) {
                        accepted(space, file + " " + name, rendered.text());
                    }
                }
            }
        } finally {
            Outcome.of(List.of("ip", "netns", "delete", "rendered")).orFail();
        }
    }

    private static void accepted(Namespace space, String what, String text) {
        // Names of the lab's hosts are nobody's here: wg would ask for them, and wait.
        String stripped = text.lines()
                .filter(line -> !WG_QUICK.contains(line.replaceFirst(" =.*", "")))
                .map(line -> line.replaceFirst("^Endpoint = node(\\d)", "Endpoint = 192.0.2.$1"))
                .collect(Collectors.joining("\n", "", "\n"));
        Outcome set = Outcome.of(space.inside(List.of("wg", "setconf", "wg0", "/dev/stdin")), stripped);
        assertThat(set.status()).as(what + "\n" + set.err()).isZero();
        assertThat(space.run("wg", "show", "wg0", "peers").lines().sorted().toList())
                .as(what)
                .isEqualTo(text.lines()
                        .filter(line -> line.startsWith("PublicKey = "))
                        .map(line -> line.substring("PublicKey = ".length()))
                        .sorted()
                        .toList());
    }
}
