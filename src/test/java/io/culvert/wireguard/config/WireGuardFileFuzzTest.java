// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.TextMutator;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.wireguard.config.WireGuardFile.Parsed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Any text is either a valid configuration or has located errors; nothing is thrown. */
class WireGuardFileFuzzTest {

    private static final Path FILE = Path.of("wg0.conf");

    private static final List<String> PIECES = List.of(
            "\n",
            "\r",
            "\t",
            " ",
            "=",
            "#",
            ",",
            "/",
            ":",
            "[",
            "]",
            "[Peer]\n",
            "[Interface]\n",
            "0",
            "9",
            "off",
            "AllowedIPs = ",
            "Endpoint",
            "PostUp = ",
            "S1 = 2\n",
            "PublicKey =",
            "::",
            "\uFEFF",
            "\u00A0",
            "\u0000",
            "\uD83D",
            "99999999999999999999");

    @FuzzTest
    void any_bytes(byte[] data) {
        check(new String(data, StandardCharsets.UTF_8));
    }

    @Test
    void damaged_files_of_the_corpus() throws IOException {
        new TextMutator(new Random(20260101), PIECES, 12)
                .mutateFiles(Path.of("src/test/resources/wireguard"), ".conf", 100, WireGuardFileFuzzTest::check);
    }

    private static void check(String text) {
        Parsed parsed = WireGuardFile.parse(FILE, text);

        long lines = text.chars().filter(character -> character == '\n').count() + 1;
        for (Problem problem : parsed.problems(FileUse.EXIT_NODE)) {
            Location.InFile location = (Location.InFile) problem.location();
            assertThat((long) location.line()).isBetween(0L, lines);
            assertThat(problem.toString()).doesNotContain("\u0000", "\u001b", "null");
        }
        assertThat(parsed.config().isPresent())
                .isNotEqualTo(parsed.problems().stream()
                        .anyMatch(problem -> problem.kind().isError()));
        parsed.config().ifPresent(WireGuardFileFuzzTest::checkRoundTrip);
    }

    private static void checkRoundTrip(WireGuardConfig config) {
        String text = WireGuardText.complete(config);
        Parsed again = WireGuardFile.parse(FILE, text);

        assertThat(again.config().map(WireGuardText::complete)).contains(text);
    }
}
