// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import java.util.Arrays;
import java.util.Base64;

/** A Curve25519 public key: 32 bytes, written as 44 characters of base64. */
public final class PublicKey {

    private final byte[] bytes;

    public PublicKey(byte[] bytes) {
        this.bytes = KeyText.requireLength(bytes);
    }

    /**
     * Parses the base64 form.
     *
     * @throws IllegalArgumentException with a message that can be shown to the user
     */
    public static PublicKey parse(String base64) {
        return new PublicKey(KeyText.parse(base64));
    }

    public byte[] bytes() {
        return bytes.clone();
    }

    /** Returns the first six characters, which are enough to distinguish peers. */
    public String shortText() {
        return toString().substring(0, 6) + "…";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PublicKey key && Arrays.equals(bytes, key.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /** Returns the whole key in base64. */
    @Override
    public String toString() {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
