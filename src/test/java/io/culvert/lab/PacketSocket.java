package io.culvert.lab;

import com.sun.jna.LastErrorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Sees every frame on one link, both ways, in order (packet(7)). */
final class PacketSocket implements AutoCloseable {

    /** include/linux/socket.h, include/linux/net.h, include/uapi/linux/if_ether.h. */
    private static final int AF_PACKET = 17;

    private static final int SOCK_RAW = 3;
    private static final int SOCK_CLOEXEC = 02000000;
    private static final short ETH_P_ALL = 3;

    /** include/uapi/asm-generic/socket.h: a receive buffer beyond the usual limit. */
    private static final int SOL_SOCKET = 1;

    private static final int SO_RCVBUFFORCE = 33;
    private static final int BUFFER = 16 << 20;
    private static final int EPERM = 1;

    /** include/linux/socket.h, include/uapi/linux/if_packet.h: packets seen and lost since the last question. */
    private static final int SOL_PACKET = 263;

    private static final int PACKET_STATISTICS = 6;

    /** Enough for the headers and the beginning of the data. */
    private static final int KEPT = 256;

    private final int fd;

    private PacketSocket(int fd) {
        this.fd = fd;
    }

    /** To be called on a thread that is in the link's namespace. */
    static PacketSocket on(String link) {
        // Deaf until it is bound, so that nothing of another link comes in.
        int fd = C.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        widen(fd);
        byte[] address = ByteBuffer.allocate(20)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_PACKET)
                .order(ByteOrder.BIG_ENDIAN)
                .putShort(ETH_P_ALL)
                .order(ByteOrder.nativeOrder())
                .putInt(C.if_nametoindex(link))
                .array();
        C.bind(fd, address, address.length);
        return new PacketSocket(fd);
    }

    /** Only the machine's root may: for others the usual buffer must do, and losses are counted anyway. */
    private static void widen(int fd) {
        byte[] size = ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.nativeOrder())
                .putInt(BUFFER)
                .array();
        try {
            C.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length);
        } catch (LastErrorException e) {
            if (e.getErrorCode() != EPERM) {
                throw e;
            }
        }
    }

    /** Waits for the next frame; a long one is cut short. */
    byte[] receive() {
        byte[] buffer = new byte[KEPT];
        return Arrays.copyOf(buffer, (int) C.recv(fd, buffer, KEPT, 0));
    }

    /** Sends a whole frame, past everything that filters packets. */
    void send(byte[] frame) {
        C.send(fd, frame, frame.length, 0);
    }

    /** How many frames were lost, since the last time this was asked, because nobody received them fast enough. */
    int lost() {
        byte[] statistics = new byte[2 * Integer.BYTES];
        C.getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, statistics, new int[] {statistics.length});
        return ByteBuffer.wrap(statistics).order(ByteOrder.nativeOrder()).getInt(Integer.BYTES);
    }

    @Override
    public void close() {
        C.close(fd);
    }
}
