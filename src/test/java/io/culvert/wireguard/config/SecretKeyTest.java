// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SecretKeyTest {

    private static final byte[] BYTES = "culvert-test-private-key-0000001".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    private Path directory;

    @Test
    void a_file_with_a_key_and_white_space_is_read() throws IOException {
        Path file = Files.writeString(
                directory.resolve("key"), " " + Base64.getEncoder().encodeToString(BYTES) + "\r\n\n");

        assertThat(SecretKey.read(file)).isEqualTo(new SecretKey(BYTES));
    }

    @Test
    void a_large_file_is_no_key() throws IOException {
        Path file = Files.writeString(directory.resolve("key"), " ".repeat(1025));

        assertThatThrownBy(() -> SecretKey.read(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the file is too large");
    }

    @Test
    void a_file_that_is_not_text_a_directory_and_a_missing_file_cannot_be_read() throws IOException {
        Path binary = Files.write(directory.resolve("binary"), new byte[] {(byte) 0xff});

        assertThatThrownBy(() -> SecretKey.read(binary)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> SecretKey.read(directory)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> SecretKey.read(directory.resolve("absent"))).isInstanceOf(NoSuchFileException.class);
    }
}
