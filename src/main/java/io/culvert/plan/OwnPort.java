package io.culvert.plan;

import io.culvert.wireguard.SecretKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.stream.IntStream;

/**
 * The UDP port of a tunnel whose file names none. WireGuard would take a random one when the link is set up; the kill switch
 * has to know it before, as it admits the tunnel's packets from this port only. It follows from the private key, so that
 * nobody guesses it and a restart has the same again.
 */
final class OwnPort {

    /** Behind the ports that the kernel gives out (32768 to 60999) and those of mosh (60000 to 61000). */
    private static final int FIRST = 61001;

    /** The last one is none that a routing rule can be made for. */
    private static final int LAST = 65534;

    private OwnPort() {}

    /** Those that nobody guesses; behind them all others follow, so that whoever holds many ports does not hold us up. */
    private static final int DRAWN = 16;

    private static final int LOWEST = 1024;

    /** Those to choose from, in order; the same one may come twice. */
    static IntStream candidates(SecretKey key, String link) {
        return IntStream.concat(
                IntStream.range(0, DRAWN).map(number -> candidate(key, link, number)),
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
