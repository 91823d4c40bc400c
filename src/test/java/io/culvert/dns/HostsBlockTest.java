// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostsBlockTest {

    private static final String USER_LINES = "127.0.0.1 localhost\n# mine\n192.0.2.1 printer";

    @TempDir
    private Path directory = Path.of("");

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("hosts"), text);
    }

    @Test
    void the_block_is_added_and_removed_without_changing_other_lines() throws IOException {
        for (String original : List.of(USER_LINES, USER_LINES + "\n", USER_LINES + "\n\n", "", "\n")) {
            Path file = file(original);
            HostsBlock block = new HostsBlock(file, "laptop");

            assertThat(block.write(List.of("10.0.0.1 nas.home nas"))).isEmpty();
            assertThat(Files.readString(file)).startsWith(original.strip()).contains("\n10.0.0.1 nas.home nas\n");
            assertThat(block.matches(List.of("10.0.0.1 nas.home nas"))).isTrue();
            assertThat(block.write(List.of("10.0.0.2 desk.home desk", "10.0.0.3 vps.home vps")))
                    .isEmpty();
            assertThat(Files.readString(file)).contains("desk").doesNotContain("nas");
            assertThat(block.write(List.of())).isEmpty();

            assertThat(Files.readString(file)).isEqualTo(original);
        }
    }

    @Test
    void blocks_of_two_nodes_are_independent() throws IOException {
        Path file = file(USER_LINES + "\n");
        new HostsBlock(file, "one").write(List.of("10.0.0.1 a"));
        new HostsBlock(file, "two").write(List.of("10.0.0.2 b"));
        new HostsBlock(file, "one").write(List.of());

        assertThat(Files.readString(file)).contains("10.0.0.2 b").doesNotContain("10.0.0.1 a");
    }

    @Test
    void a_missing_end_marker_deletes_no_user_lines() throws IOException {
        Path file = file("# culvert mesh laptop: written by culvert, begin\n10.0.0.1 nas\n192.0.2.1 printer\n");

        new HostsBlock(file, "laptop").write(List.of());

        assertThat(Files.readString(file)).contains("192.0.2.1 printer").doesNotContain("begin");
    }

    @Test
    void permissions_and_a_symbolic_link_are_preserved() throws IOException {
        Path file = file(USER_LINES + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), file);

        new HostsBlock(link, "laptop").write(List.of("10.0.0.1 nas"));

        assertThat(Files.isSymbolicLink(link)).isTrue();
        assertThat(Files.readString(file)).contains("10.0.0.1 nas");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-r--r--");
        try (var files = Files.list(directory)) {
            assertThat(files).hasSize(2);
        }
    }

    @Test
    void a_missing_file_is_created_or_a_warning_is_returned() throws IOException {
        Path file = directory.resolve("hosts");
        assertThat(new HostsBlock(file, "laptop").write(List.of("10.0.0.1 nas")))
                .isEmpty();
        assertThat(Files.readString(file)).contains("10.0.0.1 nas");

        assertThat(new HostsBlock(directory.resolve("no/such/hosts"), "laptop").write(List.of("10.0.0.1 nas")))
                .isPresent();
    }
}
