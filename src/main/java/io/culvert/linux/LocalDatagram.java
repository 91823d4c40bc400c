// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Sends messages to Unix datagram sockets, which Java has no class for. */
public final class LocalDatagram {

    /** include/linux/socket.h, include/linux/net.h. */
    private static final int AF_UNIX = 1;

    private static final int SOCK_DGRAM = 2;

    private LocalDatagram() {}

    /**
     * Sends a message.
     *
     * @param socket a path, or {@code @} and an abstract name (unix(7))
     */
    public static void send(String socket, String message) {
        byte[] name = socket.getBytes(StandardCharsets.UTF_8);
        if (name[0] == '@') {
            name[0] = 0;
        }
        byte[] address = ByteBuffer.allocate(Short.BYTES + name.length)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_UNIX)
                .put(name)
                .array();
        try (KernelSocket channel = KernelSocket.open(AF_UNIX, SOCK_DGRAM, 0)) {
            channel.connect(address);
            channel.send(message.getBytes(StandardCharsets.UTF_8));
        }
    }
}
