// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * An exclusive lock in a network namespace. It is a bound Unix socket with an abstract name (unix(7)):
 * such names belong to the network namespace whatever files its users see, and are released when their holder exits.
 */
public final class AbstractSocketLock implements AutoCloseable {

    /** include/linux/socket.h, include/linux/net.h. */
    private static final int AF_UNIX = 1;

    private static final int SOCK_DGRAM = 2;

    private final KernelSocket socket;

    private AbstractSocketLock(KernelSocket socket) {
        this.socket = socket;
    }

    /**
     * Takes the lock in the calling thread's network namespace, until it is closed or this process exits.
     *
     * @param name at most 100 ASCII characters
     * @return empty if it is held already
     */
    public static Optional<AbstractSocketLock> take(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        // A name that begins with a zero is an abstract one.
        byte[] address = ByteBuffer.allocate(Short.BYTES + 1 + bytes.length)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_UNIX)
                .put((byte) 0)
                .put(bytes)
                .array();
        KernelSocket socket = KernelSocket.open(AF_UNIX, SOCK_DGRAM, 0);
        try {
            socket.bind(address);
            return Optional.of(new AbstractSocketLock(socket));
        } catch (SystemCallException e) {
            socket.close();
            if (e.errno() == Errno.EADDRINUSE) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
