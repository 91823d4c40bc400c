// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.wireguard.config.SecretKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.stream.IntStream;

/**
 * Chooses the UDP port of a tunnel whose file sets none. WireGuard would use a random port when the link is set up, but the kill
 * switch has to know the port before, as it allows the tunnel's packets from this port only. It is derived from the private key,
 * so that it cannot be guessed and is the same after a restart.
 */
final class DerivedPort {

    /** After the kernel's ephemeral ports (32768 to 60999) and those of mosh (60000 to 61000). */
    private static final int FIRST = 61001;

    /** Port 65535 cannot be used in a routing rule. */
    private static final int LAST = 65534;

    private DerivedPort() {}

    /** Number of derived candidates. All other ports follow, so that a program that holds many ports cannot block the start. */
    private static final int DERIVED_CANDIDATES = 16;

    private static final int LOWEST = 1024;

    /** Returns the candidates in order of preference. A port may occur twice. */
    static IntStream candidates(SecretKey key, String link) {
        return IntStream.concat(
                IntStream.range(0, DERIVED_CANDIDATES).map(number -> candidate(key, link, number)),
                IntStream.iterate(LAST, port -> port >= LOWEST, port -> port - 1));
    }

    private static int candidate(SecretKey key, String link, int number) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
        digest.update(key.bytes());
        digest.update(link.getBytes(StandardCharsets.UTF_8));
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
        return FIRST
                + Integer.remainderUnsigned(ByteBuffer.wrap(digest.digest()).getInt(), LAST - FIRST + 1);
    }
}
