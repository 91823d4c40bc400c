// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import java.security.MessageDigest;

/** A private or preshared key: 32 bytes that are never printed. */
public final class SecretKey {

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

    public byte[] bytes() {
        return bytes.clone();
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
