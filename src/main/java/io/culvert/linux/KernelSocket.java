// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;

/**
 * A socket of a type that Java has no class for. It belongs to the network namespace of the thread that opens it, for
 * its whole lifetime. Not thread-safe.
 */
public final class KernelSocket implements AutoCloseable {

    /** {@code SOCK_CLOEXEC} (include/linux/net.h). */
    private static final int CLOSE_ON_EXEC = 0x80000;

    /** {@code MSG_TRUNC}: the real length is returned even if the buffer is too short (recv(2)). */
    private static final int MSG_TRUNC = 0x20;

    private final Descriptor descriptor;

    private KernelSocket(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** Opens a socket (socket(2)) that children do not inherit. */
    public static KernelSocket open(int domain, int type, int protocol) {
        try {
            return new KernelSocket(new Descriptor(Libc.socket(domain, type | CLOSE_ON_EXEC, protocol)));
        } catch (LastErrorException e) {
            throw SystemCallException.of("socket", e);
        }
    }

    /**
     * Binds the socket.
     *
     * @param address a {@code sockaddr} in the machine's byte order
     */
    public void bind(byte[] address) {
        try {
            Libc.bind(descriptor.number(), address, address.length);
        } catch (LastErrorException e) {
            throw SystemCallException.of("bind", e);
        }
    }

    /**
     * Connects the socket.
     *
     * @param address a {@code sockaddr} in the machine's byte order
     */
    void connect(byte[] address) {
        try {
            Libc.connect(descriptor.number(), address, address.length);
        } catch (LastErrorException e) {
            throw SystemCallException.of("connect", e);
        }
    }

    /** Returns the {@code sockaddr} that this socket is bound to. */
    public byte[] localAddress(int length) {
        byte[] address = new byte[length];
        try {
            Libc.getsockname(descriptor.number(), address, new int[] {length});
        } catch (LastErrorException e) {
            throw SystemCallException.of("getsockname", e);
        }
        return address;
    }

    /** Sets an option whose value is an {@code int}. */
    public void setOption(int level, int option, int value) {
        byte[] bytes = ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
        try {
            Libc.setsockopt(descriptor.number(), level, option, bytes, bytes.length);
        } catch (LastErrorException e) {
            throw SystemCallException.of("setsockopt", e);
        }
    }

    /** Sends one datagram. */
    public void send(byte[] datagram) {
        while (true) {
            try {
                Libc.send(descriptor.number(), datagram, datagram.length, 0);
                return;
            } catch (LastErrorException e) {
                throwUnlessInterrupted("send", e);
            }
        }
    }

    /**
     * Waits for one datagram.
     *
     * @return its real length, which exceeds the buffer's if the datagram was truncated
     */
    public int receive(byte[] buffer) {
        while (true) {
            try {
                return Math.toIntExact(Libc.recv(descriptor.number(), buffer, buffer.length, MSG_TRUNC));
            } catch (LastErrorException e) {
                throwUnlessInterrupted("recv", e);
            }
        }
    }

    /**
     * Waits until something can be received, the timeout expires, or the wait is ended; uses no CPU time meanwhile.
     *
     * @return whether something can be received
     */
    public boolean awaitReadable(Duration timeout, WakeUp wakeUp) {
        return Readiness.await(descriptor, wakeUp, timeout);
    }

    @Override
    public void close() {
        descriptor.close();
    }

    private static void throwUnlessInterrupted(String call, LastErrorException e) {
        if (e.getErrorCode() != Errno.EINTR) {
            throw SystemCallException.of(call, e);
        }
    }
}
