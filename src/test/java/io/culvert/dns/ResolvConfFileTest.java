// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResolvConfFileTest {

    private static final List<InetAddress> STUB = List.of(InetAddress.ofLiteral("127.0.0.1"));

    @TempDir
    Path directory;

    private Path path;

    @BeforeEach
    void setPath() {
        path = directory.resolve("resolv.conf");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nameserver 192.0.2.53",
                "nameserver 192.0.2.53\n",
                "\n\nnameserver 192.0.2.53\r\n# caf\u00e9 \u00ff\n\n",
                "#| odd\n#> odder\noptions ndots:3"
            })
    void the_original_is_restored_byte_for_byte(String original) throws IOException {
        Files.write(path, original.getBytes(StandardCharsets.ISO_8859_1));

        assertThat(new ResolvConfFile(path).setNameservers(STUB, List.of())).isEmpty();
        assertThat(ResolvConf.parse(Files.readString(path, StandardCharsets.ISO_8859_1))
                        .nameservers())
                .extracting(server -> server.getAddress().getHostAddress())
                .containsExactly("127.0.0.1");
        assertThat(new ResolvConfFile(path).restore()).isEmpty();

        assertThat(Files.readAllBytes(path)).isEqualTo(original.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void an_unchanged_file_is_not_written_again() throws IOException {
        Files.writeString(path, "nameserver 192.0.2.53\n");
        new ResolvConfFile(path).setNameservers(STUB, List.of());
        FileTime longAgo = FileTime.from(Instant.EPOCH);
        Files.setLastModifiedTime(path, longAgo);

        new ResolvConfFile(path).setNameservers(STUB, List.of());

        assertThat(Files.getLastModifiedTime(path)).isEqualTo(longAgo);
    }

    @Test
    void the_original_is_found_after_a_SIGKILL() throws IOException {
        Files.writeString(path, "nameserver 192.0.2.53\n");
        new ResolvConfFile(path).setNameservers(STUB, List.of());

        ResolvConfFile again = new ResolvConfFile(path);
        assertThat(again.isWrittenByCulvert()).isTrue();
        assertThat(again.original()).isEqualTo("nameserver 192.0.2.53\n");
        again.setNameservers(STUB, List.of());
        again.restore();

        assertThat(path).hasContent("nameserver 192.0.2.53\n");
    }

    @Test
    void the_file_is_written_in_place() throws IOException {
        Files.writeString(path, "nameserver 192.0.2.53\n");
        Object before = Files.getAttribute(path, "unix:ino");

        new ResolvConfFile(path).setNameservers(STUB, List.of());

        assertThat(Files.getAttribute(path, "unix:ino")).isEqualTo(before);
    }

    @Test
    void content_written_by_another_program_is_kept() throws IOException {
        Files.writeString(path, "nameserver 192.0.2.53\n");
        ResolvConfFile file = new ResolvConfFile(path);
        file.setNameservers(STUB, List.of());
        Files.writeString(path, "nameserver 192.0.2.54\n");

        assertThat(file.restore()).isEmpty();

        assertThat(path).hasContent("nameserver 192.0.2.54\n");
    }

    @Test
    void a_symbolic_link_identifies_the_managing_service() throws IOException {
        Path service = Files.createDirectories(directory.resolve("run/systemd/resolve"));
        Files.writeString(service.resolve("stub-resolv.conf"), "nameserver 127.0.0.53\n");
        Path etc = Files.createDirectory(directory.resolve("etc"));
        path = etc.resolve("resolv.conf");
        assertThat(new ResolvConfFile(path).managingService()).isEmpty();

        Files.createSymbolicLink(path, service.resolve("stub-resolv.conf"));

        assertThat(new ResolvConfFile(path).managingService()).contains("systemd-resolved");
    }

    @Test
    void a_file_that_cannot_be_written_is_a_warning() throws IOException {
        Files.createDirectory(path);

        assertThat(new ResolvConfFile(path).setNameservers(STUB, List.of())).hasValueSatisfying(problem -> {
            assertThat(problem.kind().isError()).isFalse();
            assertThat(problem.message()).startsWith("cannot be updated to use the tunnel's DNS");
        });
    }
}
