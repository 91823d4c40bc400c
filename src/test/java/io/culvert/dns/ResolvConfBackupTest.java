// SPDX-License-Identifier: Apache-2.0
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Other containers can write resolv.conf, and in a pod it outlives a container: they cannot forge its original. */
class ResolvConfBackupTest {

    private static final String ORIGINAL = "nameserver 192.0.2.53\nsearch home.example\n";
    private static final String FORGED = "nameserver 203.0.113.66\n";
    private static final List<InetAddress> STUB = List.of(InetAddress.ofLiteral("127.0.0.1"));

    @TempDir
    Path directory;

    private Path path;
    private Path copy;

    @BeforeEach
    void culvertWasKilled() throws IOException {
        path = directory.resolve("resolv.conf");
        copy = directory.resolve("run/culvert/resolv.conf");
        Files.writeString(path, ORIGINAL);
        ResolvConfFile file = file();
        file.setOriginal(file.findOriginal());
        assertThat(file.setNameservers(STUB, List.of())).isEmpty();
    }

    @Test
    void only_the_owner_can_read_or_write_the_copy() throws IOException {
        assertThat(copy).hasContent(ORIGINAL);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(copy)))
                .isEqualTo("rw-------");
    }

    @Test
    void the_copy_takes_precedence_over_the_file() throws IOException {
        forge();
        assertThat(file().findOriginal()).isEqualTo(new Original(ORIGINAL, true));
    }

    @Test
    void an_original_with_a_valid_HMAC_is_used_without_the_copy() throws IOException {
        Files.delete(copy);
        assertThat(file().findOriginal()).isEqualTo(new Original(ORIGINAL, true));
    }

    @Test
    void a_forged_original_is_not_authentic_and_stays_so() throws IOException {
        Files.delete(copy);
        forge();
        ResolvConfFile again = file();
        Original original = again.findOriginal();
        assertThat(original).isEqualTo(new Original(FORGED, false));

        again.setOriginal(original);
        again.setNameservers(STUB, List.of());

        assertThat(copy).doesNotExist();
        assertThat(file().findOriginal().authentic()).isFalse();
    }

    @Test
    void an_HMAC_by_another_key_is_invalid() throws IOException {
        Files.delete(copy);
        assertThat(new ResolvConfFile(path)
                        .withBackup(copy, new ResolvConfHmac(List.of(new byte[] {9})))
                        .findOriginal()
                        .authentic())
                .isFalse();
        assertThat(new ResolvConfFile(path)
                        .withBackup(copy, new ResolvConfHmac(List.of(new byte[] {9}, new byte[] {1})))
                        .findOriginal()
                        .authentic())
                .isTrue();
    }

    @Test
    void the_original_of_the_start_is_restored_whatever_was_written_since() throws IOException {
        ResolvConfFile file = file();
        file.setOriginal(file.findOriginal());
        Files.writeString(path, FORGED);
        file.setNameservers(STUB, List.of());
        assertThat(path).content().contains("192.0.2.53").doesNotContain("203.0.113.66");

        file.restore();

        assertThat(path).hasContent(ORIGINAL);
        assertThat(copy).doesNotExist();
    }

    @Test
    void content_written_by_the_container_runtime_for_a_new_start_replaces_the_copy() throws IOException {
        Files.writeString(path, "nameserver 192.0.2.54\n");
        ResolvConfFile file = file();
        file.setOriginal(file.findOriginal());
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
        return new ResolvConfFile(path).withBackup(copy, new ResolvConfHmac(List.of(new byte[] {1})));
    }
}
