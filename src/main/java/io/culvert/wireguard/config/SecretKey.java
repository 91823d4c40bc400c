// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;

/** A private or preshared key: 32 bytes that are never printed. */
public final class SecretKey {

    /** More than a key with white space; a larger file is something else. */
    private static final int MAX_FILE_SIZE = 1024;

    private final byte[] bytes;

    public SecretKey(byte[] bytes) {
        this.bytes = KeyText.requireLength(bytes);
    }

    /**
     * Parses the base64 form.
     *
     * @throws IllegalArgumentException with a message that can be shown to the user and does not contain the text
     */
    public static SecretKey parse(String base64) {
        return new SecretKey(KeyText.parse(base64));
    }

    /**
     * Reads a file with one key in its base64 form, as printed by {@code wg genkey} or {@code wg genpsk}.
     *
     * @throws IOException if the file cannot be read or is not text
     * @throws IllegalArgumentException with a message that can be shown to the user and does not contain the text
     */
    public static SecretKey read(Path file) throws IOException {
        byte[] text;
        try (InputStream in = Files.newInputStream(file)) {
            text = in.readNBytes(MAX_FILE_SIZE + 1);
        }
        if (text.length > MAX_FILE_SIZE) {
            throw new IllegalArgumentException("the file is too large");
        }
        return parse(StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(text))
                .toString()
                .strip());
    }

    public byte[] bytes() {
        return bytes.clone();
    }

    /** Returns the key itself in the form of {@code wg genkey}, for a file or where it was requested. */
    public String base64() {
        return Base64.getEncoder().encodeToString(bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SecretKey key && MessageDigest.isEqual(bytes, key.bytes);
    }

    @Override
    public int hashCode() {
        return 0;
    }

    /** Returns a placeholder, never the key. */
    @Override
    public String toString() {
        return "(hidden)";
    }
}
