// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Authenticates the original in the written resolv.conf by an HMAC: other containers of a pod can write the file, and it
 * outlives a container and its /run.
 */
public final class ResolvConfHmac {

    private static final String ALGORITHM = "HmacSHA256";
    private static final byte[] PURPOSE = "culvert: original resolv.conf\n".getBytes(StandardCharsets.US_ASCII);

    private final List<byte[]> keys;

    /** @param keys secrets that only this container has; any of them verifies, and the first one signs */
    public ResolvConfHmac(List<byte[]> keys) {
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("at least one key is needed");
        }
        this.keys = List.copyOf(keys);
    }

    /**
     * Returns the HMAC of an original.
     *
     * @param original one character per byte
     */
    String of(String original) {
        return HexFormat.of().formatHex(compute(keys.getFirst(), original));
    }

    boolean matches(String original, String hmac) {
        byte[] expected;
        try {
            expected = HexFormat.of().parseHex(hmac);
        } catch (IllegalArgumentException _) {
            return false;
        }
        return keys.stream().anyMatch(key -> MessageDigest.isEqual(expected, compute(key, original)));
    }

    private static byte[] compute(byte[] key, String original) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
            mac.update(PURPOSE);
            return mac.doFinal(original.getBytes(StandardCharsets.ISO_8859_1));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
