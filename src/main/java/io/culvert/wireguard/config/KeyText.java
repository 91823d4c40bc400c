// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import java.util.Base64;

/** Parses the base64 form of public and secret keys. Its error messages never contain the text. */
final class KeyText {

    /** {@code WG_KEY_LEN} (include/uapi/linux/wireguard.h). */
    private static final int LENGTH = 32;

    private KeyText() {}

    static byte[] parse(String base64) {
        if (base64.length() != 44) {
            throw new IllegalArgumentException("a key has 44 base64 characters, this one has " + base64.length());
        }
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("a key has 44 base64 characters, this one has other characters", e);
        }
        if (!Base64.getEncoder().encodeToString(bytes).equals(base64)) {
            throw new IllegalArgumentException("the last characters of this key are invalid");
        }
        return requireLength(bytes);
    }

    static byte[] requireLength(byte[] bytes) {
        if (bytes.length != LENGTH) {
            throw new IllegalArgumentException("a key has " + LENGTH + " bytes, this one has " + bytes.length);
        }
        return bytes.clone();
    }
}
