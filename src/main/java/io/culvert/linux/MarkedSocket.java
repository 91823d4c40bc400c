// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A connected socket with a firewall mark and, optionally, bound to a link, which the JDK's sockets cannot do. UDP
 * sockets are connected as well, so that the kernel drops datagrams of other senders. A call blocks its carrier thread:
 * use platform threads. Not thread-safe.
 */
public final class MarkedSocket implements AutoCloseable {

    /** include/linux/socket.h, include/linux/net.h. */
    private static final int SOCK_STREAM = 1;

    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 0x80000;

    /** include/uapi/linux/in.h, include/uapi/linux/in6.h. */
    private static final int IPPROTO_ICMP = 1;

    private static final int IPPROTO_ICMPV6 = 58;
    private static final int MSG_NOSIGNAL = 0x4000;

    /** include/uapi/asm-generic/socket.h; the two timeouts as on 64-bit machines. */
    private static final int SOL_SOCKET = 1;

    private static final int SO_RCVTIMEO = 20;
    private static final int SO_SNDTIMEO = 21;
    private static final int SO_BINDTODEVICE = 25;
    private static final int SO_MARK = 36;

    private static final Duration MINIMUM_TIMEOUT = Duration.ofMillis(1);

    /** {@code struct pollfd} and {@code POLLIN} (include/uapi/asm-generic/poll.h). */
    private static final int POLLFD_SIZE = 8;

    private static final short POLLIN = 1;

    /** {@code SHUT_RDWR} (include/linux/net.h). */
    private static final int SHUT_RDWR = 2;

    private final int fd;
    private final String peer;
    private final Optional<Cancellation> cancellation = Cancellation.current();

    private MarkedSocket(int fd, String peer) {
        this.fd = fd;
        this.peer = peer;
    }

    /**
     * Opens a socket on an ephemeral port and connects it.
     *
     * @throws SocketTimeoutException if the peer does not accept within the timeout (TCP)
     * @throws IOException with the kernel's reason; then no packet has left unmarked or by another link
     */
    public static MarkedSocket connect(Transport transport, InetSocketAddress peer, Egress egress, Duration timeout)
            throws IOException {
        return connect(
                transport == Transport.UDP ? SOCK_DGRAM : SOCK_STREAM,
                0,
                transport + " to " + Prefix.text(peer.getAddress()) + " port " + peer.getPort(),
                peer,
                egress,
                timeout);
    }

    /**
     * Opens a socket for echo requests and connects it (icmp(7)). The kernel sets identifier and checksum of what is sent.
     *
     * @throws IOException also where net.ipv4.ping_group_range does not permit it
     */
    public static MarkedSocket connectPing(InetAddress peer, Egress egress) throws IOException {
        return connect(
                SOCK_DGRAM,
                Family.of(peer) == Family.IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
                "ping to " + Prefix.text(peer),
                new InetSocketAddress(peer, 0),
                egress,
                Duration.ofSeconds(1));
    }

    private static MarkedSocket connect(
            int type, int protocol, String name, InetSocketAddress peer, Egress egress, Duration timeout)
            throws IOException {
        int fd;
        try {
            fd = Libc.socket(Family.of(peer.getAddress()).number(), type | SOCK_CLOEXEC, protocol);
        } catch (LastErrorException e) {
            throw failure(name, e);
        }
        MarkedSocket socket = new MarkedSocket(fd, name);
        socket.cancellation.ifPresent(it -> it.register(socket));
        try {
            socket.failIfCancelled();
            if (egress.mark() != 0) {
                socket.setOption(SO_MARK, number((int) egress.mark()));
            }
            if (egress.device().isPresent()) {
                socket.setOption(SO_BINDTODEVICE, egress.device().get().getBytes(StandardCharsets.UTF_8));
            }
            socket.setOption(SO_SNDTIMEO, timeval(timeout));
            byte[] address = SockAddr.encode(peer);
            Libc.connect(fd, address, address.length);
            return socket;
        } catch (InterruptedIOException e) {
            socket.close();
            throw e;
        } catch (LastErrorException e) {
            socket.close();
            throw failure(name, e);
        }
    }

    /** Sends all bytes, as one datagram or as part of the stream. */
    public void send(byte[] bytes) throws IOException {
        try {
            int sent = 0;
            while (sent < bytes.length) {
                byte[] rest = sent == 0 ? bytes : Arrays.copyOfRange(bytes, sent, bytes.length);
                sent += (int) Libc.send(fd, rest, rest.length, MSG_NOSIGNAL);
            }
        } catch (LastErrorException e) {
            throw failure(peer, e);
        }
    }

    /**
     * Waits for a datagram, or for more data of the stream.
     *
     * @return the number of bytes read into the buffer; 0 at the end of a stream
     * @throws SocketTimeoutException if nothing was received within the timeout
     */
    public int receive(byte[] buffer, Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            try {
                failIfCancelled();
                setOption(SO_RCVTIMEO, timeval(Duration.ofNanos(deadline - System.nanoTime())));
                int length = (int) Libc.recv(fd, buffer, buffer.length, 0);
                failIfCancelled();
                return length;
            } catch (LastErrorException e) {
                if (e.getErrorCode() != Errno.EINTR) {
                    throw failure(peer, e);
                }
            }
        }
    }

    /**
     * Waits until one of these sockets is readable or has failed, which {@link #receive} then reports.
     *
     * @return the readable sockets; none if the timeout expired
     */
    public static List<MarkedSocket> awaitReadable(List<MarkedSocket> sockets, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        ByteBuffer descriptors =
                ByteBuffer.allocate(POLLFD_SIZE * sockets.size()).order(ByteOrder.nativeOrder());
        for (MarkedSocket socket : sockets) {
            descriptors.putInt(socket.fd).putShort(POLLIN).putShort((short) 0);
        }
        while (true) {
            try {
                // Rounded up, so that a wait does not spin through its last millisecond.
                long milliseconds = (Math.max(deadline - System.nanoTime(), 0) + 999_999) / 1_000_000;
                Libc.poll(descriptors.array(), sockets.size(), Math.clamp(milliseconds, 0, Integer.MAX_VALUE));
                List<MarkedSocket> readable = new ArrayList<>();
                for (int i = 0; i < sockets.size(); i++) {
                    if (descriptors.getShort(i * POLLFD_SIZE + 6) != 0) {
                        readable.add(sockets.get(i));
                    }
                }
                return readable;
            } catch (LastErrorException e) {
                if (e.getErrorCode() != Errno.EINTR) {
                    throw e;
                }
            }
        }
    }

    /** Ends a blocking call of the thread that uses this socket, a datagram socket's too. */
    void shutDown() {
        try {
            Libc.shutdown(fd, SHUT_RDWR);
        } catch (LastErrorException _) {
            // Not connected yet: its next call fails.
        }
    }

    private void failIfCancelled() throws InterruptedIOException {
        if (cancellation.filter(Cancellation::isCancelled).isPresent()) {
            throw new InterruptedIOException(peer + ": cancelled");
        }
    }

    @Override
    public void close() {
        cancellation.ifPresent(it -> it.unregister(this));
        try {
            Libc.close(fd);
        } catch (LastErrorException _) {
            // The descriptor is closed anyway (close(2)).
        }
    }

    private void setOption(int option, byte[] value) {
        Libc.setsockopt(fd, SOL_SOCKET, option, value, value.length);
    }

    private static IOException failure(String peer, LastErrorException e) {
        int errno = e.getErrorCode();
        String text = peer + ": " + Errno.describe(errno);
        boolean timedOut = errno == Errno.EAGAIN || errno == Errno.EINPROGRESS || errno == Errno.ETIMEDOUT;
        return timedOut ? new SocketTimeoutException(text) : new IOException(text);
    }

    /** {@code struct timeval}; all zero would mean no timeout. */
    private static byte[] timeval(Duration duration) {
        Duration atLeast = duration.compareTo(MINIMUM_TIMEOUT) < 0 ? MINIMUM_TIMEOUT : duration;
        return ByteBuffer.allocate(16)
                .order(ByteOrder.nativeOrder())
                .putLong(atLeast.toSeconds())
                .putLong(atLeast.toNanosPart() / 1000)
                .array();
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }
}
