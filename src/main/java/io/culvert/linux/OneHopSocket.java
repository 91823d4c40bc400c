// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import io.culvert.net.Family;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A socket whose packets end at the first router, as their time to live is 1, and carry a priority by which nftables recognizes
 * them whatever their addresses, ports and mark are. It never waits, and it receives nothing.
 */
public final class OneHopSocket implements AutoCloseable {

    /** What is sent. */
    public enum Kind {
        UDP(2, 0, 0),
        /** A SYN. */
        TCP(1, 0, 0),
        /** An echo request, from a datagram socket, which needs no capability (icmp(7): ping_group_range). */
        ICMP(2, 1, 58);

        private final int type;
        private final int protocol4;
        private final int protocol6;

        /**
         * @param type {@code SOCK_DGRAM} or {@code SOCK_STREAM} (include/linux/net.h)
         * @param protocol4 {@code IPPROTO_*} in IPv4 (include/uapi/linux/in.h), 0 for that of the type
         * @param protocol6 the same in IPv6 (in6.h)
         */
        Kind(int type, int protocol4, int protocol6) {
            this.type = type;
            this.protocol4 = protocol4;
            this.protocol6 = protocol6;
        }
    }

    /** include/linux/net.h. */
    private static final int SOCK_NONBLOCK = 0x800;

    private static final int SOCK_CLOEXEC = 0x80000;

    /** include/uapi/asm-generic/socket.h. */
    private static final int SOL_SOCKET = 1;

    private static final int SO_BROADCAST = 6;
    private static final int SO_PRIORITY = 12;
    private static final int SO_BINDTODEVICE = 25;
    private static final int SO_MARK = 36;

    /** include/uapi/linux/in.h, in6.h. Multicast has a time to live of 1 by default (ip(7), ipv6(7)). */
    private static final int IPPROTO_IP = 0;

    private static final int IP_TTL = 2;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IPV6_UNICAST_HOPS = 16;

    private final Kind kind;
    private final Descriptor descriptor;

    private OneHopSocket(Kind kind, Descriptor descriptor) {
        this.kind = kind;
        this.descriptor = descriptor;
    }

    /**
     * Opens a socket on an ephemeral port.
     *
     * @param priority of its packets (SO_PRIORITY); above 6, the kernel requires CAP_NET_ADMIN
     * @throws SystemCallException if the kernel refuses the socket or one of its options; then nothing was sent
     */
    public static OneHopSocket open(Family family, Kind kind, Egress egress, int priority) {
        int protocol = family == Family.IPV4 ? kind.protocol4 : kind.protocol6;
        OneHopSocket socket;
        try {
            socket = new OneHopSocket(
                    kind,
                    new Descriptor(Libc.socket(family.number(), kind.type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol)));
        } catch (LastErrorException e) {
            throw SystemCallException.of("socket", e);
        }
        try {
            if (family == Family.IPV4) {
                socket.setOption(IPPROTO_IP, IP_TTL, number(1));
            } else {
                socket.setOption(IPPROTO_IPV6, IPV6_UNICAST_HOPS, number(1));
            }
            socket.setOption(SOL_SOCKET, SO_PRIORITY, number(priority));
            socket.setOption(SOL_SOCKET, SO_BROADCAST, number(1));
            if (egress.mark() != 0) {
                socket.setOption(SOL_SOCKET, SO_MARK, number((int) egress.mark()));
            }
            if (egress.device().isPresent()) {
                socket.setOption(
                        SOL_SOCKET, SO_BINDTODEVICE, egress.device().get().getBytes(StandardCharsets.UTF_8));
            }
            return socket;
        } catch (LastErrorException e) {
            socket.close();
            throw SystemCallException.of("setsockopt", e);
        }
    }

    /** Binds the socket to a source address, or with the port 0 to the address only. */
    public void bind(InetSocketAddress source) {
        byte[] address = SockAddr.encode(source);
        try {
            Libc.bind(descriptor.number(), address, address.length);
        } catch (LastErrorException e) {
            throw SystemCallException.of("bind", e);
        }
    }

    /**
     * Sends one packet.
     *
     * @param payload ignored by TCP; for ICMP the echo request without its identifier and checksum, which the kernel sets
     * @return 0, or the errno with which the kernel, or a rule, refused it
     */
    public int send(InetSocketAddress destination, byte[] payload) {
        byte[] address = SockAddr.encode(destination);
        try {
            if (kind == Kind.TCP) {
                Libc.connect(descriptor.number(), address, address.length);
            } else {
                Libc.sendto(descriptor.number(), payload, payload.length, 0, address, address.length);
            }
            return 0;
        } catch (LastErrorException e) {
            return e.getErrorCode() == Errno.EINPROGRESS ? 0 : e.getErrorCode();
        }
    }

    @Override
    public void close() {
        descriptor.close();
    }

    private void setOption(int level, int option, byte[] value) {
        Libc.setsockopt(descriptor.number(), level, option, value, value.length);
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }
}
