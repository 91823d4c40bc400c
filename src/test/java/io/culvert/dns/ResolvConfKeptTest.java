package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.dns.ResolvConfFile.Original;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Other containers can write resolv.conf, and in a pod it outlives a container: they cannot forge its original. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ResolvConfKeptTest {

    private static final String ORIGINAL = "nameserver 192.0.2.53\nsearch home.example\n";
    private static final String FORGED = "nameserver 203.0.113.66\n";
    private static final List<InetAddress> STUB = List.of(InetAddress.ofLiteral("127.0.0.1"));

    @TempDir
    Path directory;

    private Path path;
    private Path copy;

    @BeforeEach
    void it_was_killed() throws IOException {
        path = directory.resolve("resolv.conf");
        copy = directory.resolve("run/culvert/resolv.conf");
        Files.writeString(path, ORIGINAL);
        ResolvConfFile file = file();
        file.hold(file.find());
        assertThat(file.pointTo(STUB, List.of())).isEmpty();
    }

    @Test
    void nobody_else_can_read_or_write_the_copy() throws IOException {
        assertThat(copy).hasContent(ORIGINAL);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(copy)))
                .isEqualTo("rw-------");
    }

    @Test
    void the_copy_counts_and_not_what_stands_in_the_file() throws IOException {
        forge();
        assertThat(file().find()).isEqualTo(new Original(ORIGINAL, true));
    }

    @Test
    void a_sealed_original_counts_where_the_copy_is_gone() throws IOException {
        Files.delete(copy);
        assertThat(file().find()).isEqualTo(new Original(ORIGINAL, true));
    }

    @Test
    void a_forged_original_is_not_genuine_and_does_not_become_so() throws IOException {
        Files.delete(copy);
        forge();
        ResolvConfFile again = file();
        Original found = again.find();
        assertThat(found).isEqualTo(new Original(FORGED, false));

        again.hold(found);
        again.pointTo(STUB, List.of());

        assertThat(copy).doesNotExist();
        assertThat(file().find().genuine()).isFalse();
    }

    @Test
    void a_seal_of_another_key_is_none() throws IOException {
        Files.delete(copy);
        assertThat(new ResolvConfFile(path)
                        .keptIn(copy, new OriginalSeal(List.of(new byte[] {9})))
                        .find()
                        .genuine())
                .isFalse();
        assertThat(new ResolvConfFile(path)
                        .keptIn(copy, new OriginalSeal(List.of(new byte[] {9}, new byte[] {1})))
                        .find()
                        .genuine())
                .isTrue();
    }

    @Test
    void the_original_of_the_start_comes_back_whatever_was_written_meanwhile() throws IOException {
        ResolvConfFile file = file();
        file.hold(file.find());
        Files.writeString(path, FORGED);
        file.pointTo(STUB, List.of());
        assertThat(path).content().contains("192.0.2.53").doesNotContain("203.0.113.66");

        file.restore();

        assertThat(path).hasContent(ORIGINAL);
        assertThat(copy).doesNotExist();
    }

    @Test
    void what_a_runtime_wrote_for_a_new_start_replaces_the_copy() throws IOException {
        Files.writeString(path, "nameserver 192.0.2.54\n");
        ResolvConfFile file = file();
        file.hold(file.find());
        assertThat(copy).hasContent("nameserver 192.0.2.54\n");
    }

    private void forge() throws IOException {
        String text = Files.readString(path);
        Files.writeString(
                path,
                text.lines().filter(line -> !line.startsWith("#|")).toList().getFirst() + "\nnameserver 127.0.0.1\n#|"
                        + FORGED
                        + text.lines()
                                .filter(line -> line.startsWith("#="))
                                .findFirst()
                                .orElseThrow() + "\n");
    }

    private ResolvConfFile file() {
        return new ResolvConfFile(path).keptIn(copy, new OriginalSeal(List.of(new byte[] {1})));
    }
}
