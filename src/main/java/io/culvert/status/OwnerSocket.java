// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;

/** Unix sockets that only this program's user may connect to. */
public final class OwnerSocket {

    /** Much more than a report or a request has. */
    private static final int MAX_BYTES = 1 << 24;

    private OwnerSocket() {}

    /** Listens on a path; a socket left by a run that was killed is replaced. */
    public static ServerSocketChannel listen(Path path) throws IOException {
        Files.createDirectories(path.getParent());
        Files.deleteIfExists(path);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path));
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        return server;
    }

    /** Writes all of a text. */
    static void write(SocketChannel channel, String text) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * Reads to the end of the connection.
     *
     * @throws SocketTimeoutException if that does not come in time
     */
    static String read(SocketChannel channel, Duration timeout) throws IOException {
        return read(channel, timeout, _ -> false);
    }

    /**
     * Reads to the end of a line, or of the connection.
     *
     * @throws SocketTimeoutException if that does not come in time
     */
    static String readLine(SocketChannel channel, Duration timeout) throws IOException {
        return read(channel, timeout, last -> last == '\n').strip();
    }

    private static String read(SocketChannel channel, Duration timeout, IntPredicate isLast) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        ByteBuffer chunk = ByteBuffer.allocate(8192);
        try (Selector selector = Selector.open()) {
            channel.configureBlocking(false).register(selector, SelectionKey.OP_READ);
            while (true) {
                long remainingMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (remainingMillis <= 0 || selector.select(remainingMillis) == 0) {
                    throw new SocketTimeoutException("nothing more within " + timeout.toSeconds() + " s");
                }
                selector.selectedKeys().clear();
                int length = channel.read(chunk);
                if (length > 0) {
                    received.write(chunk.array(), 0, length);
                }
                if (length < 0 || (length > 0 && isLast.test(chunk.get(length - 1)))) {
                    break;
                }
                if (received.size() > MAX_BYTES) {
                    throw new IOException("more than " + MAX_BYTES + " bytes");
                }
                chunk.clear();
            }
        }
        channel.configureBlocking(true);
        return received.toString(StandardCharsets.UTF_8);
    }
}
