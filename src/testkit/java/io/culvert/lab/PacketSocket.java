// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import com.sun.jna.LastErrorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A packet socket that receives every frame on a link, in both directions and in order (packet(7)). */
public final class PacketSocket implements AutoCloseable {

    /** include/linux/socket.h, include/linux/net.h, include/uapi/linux/if_ether.h. */
    private static final int AF_PACKET = 17;

    private static final int SOCK_RAW = 3;
    private static final int SOCK_CLOEXEC = 02000000;
    private static final short ETH_P_ALL = 3;

    /** include/uapi/asm-generic/socket.h: a receive buffer above the limit. */
    private static final int SOL_SOCKET = 1;

    private static final int SO_RCVBUFFORCE = 33;
    private static final int BUFFER = 64 << 20;
    private static final int EPERM = 1;

    /** include/linux/socket.h, include/uapi/linux/if_packet.h: packets received and dropped since the last call. */
    private static final int SOL_PACKET = 263;

    private static final int PACKET_STATISTICS = 6;

    /** Enough for the headers and the start of the data. */
    private static final int MAX_BYTES = 256;

    private final int fd;

    private PacketSocket(int fd) {
        this.fd = fd;
    }

    /** Opens a socket; must be called on a thread in the link's namespace. */
    public static PacketSocket on(String link) {
        // Protocol 0 receives nothing until it is bound, so no frames of other links.
        int fd = TestLibc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        enlargeBuffer(fd);
        byte[] address = ByteBuffer.allocate(20)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_PACKET)
                .order(ByteOrder.BIG_ENDIAN)
                .putShort(ETH_P_ALL)
                .order(ByteOrder.nativeOrder())
                .putInt(TestLibc.if_nametoindex(link))
                .array();
        TestLibc.bind(fd, address, address.length);
        return new PacketSocket(fd);
    }

    /** Only the machine's root may; others keep the default buffer, and drops are counted in any case. */
    private static void enlargeBuffer(int fd) {
        byte[] size = ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.nativeOrder())
                .putInt(BUFFER)
                .array();
        try {
            TestLibc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length);
        } catch (LastErrorException e) {
            if (e.getErrorCode() != EPERM) {
                throw e;
            }
        }
    }

    /** Waits for the next frame and returns its first bytes. */
    public byte[] receive() {
        byte[] buffer = new byte[MAX_BYTES];
        return Arrays.copyOf(buffer, (int) TestLibc.recv(fd, buffer, MAX_BYTES, 0));
    }

    /** Sends a whole frame, which bypasses nftables. */
    public void send(byte[] frame) {
        TestLibc.send(fd, frame, frame.length, 0);
    }

    /** Returns how many frames were dropped since the last call, as the buffer was full. */
    int dropped() {
        byte[] statistics = new byte[2 * Integer.BYTES];
        TestLibc.getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, statistics, new int[] {statistics.length});
        return ByteBuffer.wrap(statistics).order(ByteOrder.nativeOrder()).getInt(Integer.BYTES);
    }

    @Override
    public void close() {
        TestLibc.close(fd);
    }
}
