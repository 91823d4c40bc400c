package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class HostsBlockTest {

    private static final String USERS = "127.0.0.1 localhost\n# mine\n192.0.2.1 printer";

    @TempDir
    private Path directory = Path.of("");

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("hosts"), text);
    }

    @Test
    void lines_come_and_go_and_the_users_own_stay_as_they_were_byte_for_byte() throws IOException {
        for (String users : List.of(USERS, USERS + "\n", USERS + "\n\n", "", "\n")) {
            Path file = file(users);
            HostsBlock block = new HostsBlock(file, "laptop");

            assertThat(block.write(List.of("10.0.0.1 nas.home nas"))).isEmpty();
            assertThat(Files.readString(file)).startsWith(users.strip()).contains("\n10.0.0.1 nas.home nas\n");
            assertThat(block.matches(List.of("10.0.0.1 nas.home nas"))).isTrue();
            assertThat(block.write(List.of("10.0.0.2 desk.home desk", "10.0.0.3 vps.home vps")))
                    .isEmpty();
            assertThat(Files.readString(file)).contains("desk").doesNotContain("nas");
            assertThat(block.write(List.of())).isEmpty();

            assertThat(Files.readString(file)).isEqualTo(users);
        }
    }

    @Test
    void two_nodes_keep_out_of_each_others_way() throws IOException {
        Path file = file(USERS + "\n");
        new HostsBlock(file, "one").write(List.of("10.0.0.1 a"));
        new HostsBlock(file, "two").write(List.of("10.0.0.2 b"));
        new HostsBlock(file, "one").write(List.of());

        assertThat(Files.readString(file)).contains("10.0.0.2 b").doesNotContain("10.0.0.1 a");
    }

    @Test
    void nothing_of_the_users_goes_where_the_end_is_missing() throws IOException {
        Path file = file("# culvert mesh laptop: written by culvert, begin\n10.0.0.1 nas\n192.0.2.1 printer\n");

        new HostsBlock(file, "laptop").write(List.of());

        assertThat(Files.readString(file)).contains("192.0.2.1 printer").doesNotContain("begin");
    }

    @Test
    void its_permissions_and_the_link_to_it_stay() throws IOException {
        Path file = file(USERS + "\n");
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
    void where_there_is_no_file_one_is_made_and_where_none_can_be_it_is_said() throws IOException {
        Path file = directory.resolve("hosts");
        assertThat(new HostsBlock(file, "laptop").write(List.of("10.0.0.1 nas")))
                .isEmpty();
        assertThat(Files.readString(file)).contains("10.0.0.1 nas");

        assertThat(new HostsBlock(directory.resolve("no/such/hosts"), "laptop").write(List.of("10.0.0.1 nas")))
                .isPresent();
    }
}
