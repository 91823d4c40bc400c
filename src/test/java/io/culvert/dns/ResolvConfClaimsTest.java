// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Prefix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several tunnels, one resolv.conf. */
class ResolvConfClaimsTest {

    private static final String ORIGINAL = "# \u00e9\nnameserver 192.0.2.1\nsearch home.example\noptions ndots:2";

    @TempDir
    private Path directory;

    private Path written() throws IOException {
        return Files.writeString(directory.resolve("resolv.conf"), ORIGINAL);
    }

    private static void claim(Path path, String owner, String server, String... search) {
        assertThat(new ResolvConfFile(path).claim(owner, List.of(Prefix.parseAddress(server)), List.of(search)))
                .isEmpty();
    }

    private static List<String> effective(Path path) throws IOException {
        return Files.readAllLines(path).stream()
                .filter(line -> !line.startsWith("#"))
                .toList();
    }

    @Test
    void the_last_claim_applies_and_the_previous_one_after_its_release() throws IOException {
        Path path = written();
        claim(path, "wg0", "10.64.0.1");
        claim(path, "wg1", "fd00::1", "vpn.example");

        assertThat(effective(path))
                .containsExactly("nameserver fd00::1", "search vpn.example home.example", "options ndots:2");

        new ResolvConfFile(path).release("wg1");

        assertThat(effective(path)).containsExactly("nameserver 10.64.0.1", "search home.example", "options ndots:2");

        new ResolvConfFile(path).release("wg0");

        assertThat(Files.readString(path)).isEqualTo(ORIGINAL);
    }

    @Test
    void releasing_an_unknown_claim_does_not_change_the_file() throws IOException {
        Path path = written();

        assertThat(new ResolvConfFile(path).release("wg0")).isEmpty();

        assertThat(Files.readString(path)).isEqualTo(ORIGINAL);
    }

    @Test
    void content_written_by_another_program_is_kept() throws IOException {
        Path path = written();
        claim(path, "wg0", "10.64.0.1");
        Files.writeString(path, "nameserver 192.0.2.53\n");

        new ResolvConfFile(path).release("wg0");

        assertThat(Files.readString(path)).isEqualTo("nameserver 192.0.2.53\n");
    }
}
