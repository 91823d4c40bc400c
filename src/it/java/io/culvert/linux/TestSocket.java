// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A client socket with a mark and a link, which Java's do not support. Opened in the calling thread's namespace. */
public final class TestSocket implements AutoCloseable {

    private static final int SOL_SOCKET = 1;
    private static final int SO_BROADCAST = 6;
    private static final int SO_RCVTIMEO = 20;
    private static final int SO_SNDTIMEO = 21;
    private static final int SO_BINDTODEVICE = 25;
    private static final int SO_MARK = 36;
    private static final int SECONDS = 5;

    private final int fd;

    public TestSocket(Family family, Transport transport) {
        fd = Libc.socket(family.number(), transport == Transport.TCP ? 1 : 2, 0);
        option(SO_RCVTIMEO, timeval());
        option(SO_SNDTIMEO, timeval());
    }

    public TestSocket mark(long mark) {
        option(SO_MARK, nativeOrderBuffer(4).putInt((int) mark).array());
        return this;
    }

    public TestSocket link(String name) {
        option(SO_BINDTODEVICE, (name + "\0").getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    public TestSocket broadcast() {
        option(SO_BROADCAST, nativeOrderBuffer(4).putInt(1).array());
        return this;
    }

    public TestSocket from(String address, int port) {
        byte[] socketAddress = socketAddress(address, port);
        Libc.bind(fd, socketAddress, socketAddress.length);
        return this;
    }

    /** Connects and sends; returns 0, or the errno of the failed call. */
    public int send(String text, String address, int port) {
        try {
            byte[] socketAddress = socketAddress(address, port);
            Libc.connect(fd, socketAddress, socketAddress.length);
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            Libc.send(fd, bytes, bytes.length, 0);
            return 0;
        } catch (LastErrorException e) {
            return e.getErrorCode();
        }
    }

    /** Waits for a response, and returns its text, or {@code errno N}. */
    public String receive() {
        try {
            byte[] bytes = new byte[512];
            long length = Libc.recv(fd, bytes, bytes.length, 0);
            return new String(bytes, 0, (int) length, StandardCharsets.UTF_8);
        } catch (LastErrorException e) {
            return "errno " + e.getErrorCode();
        }
    }

    @Override
    public void close() {
        Libc.close(fd);
    }

    private void option(int option, byte[] value) {
        Libc.setsockopt(fd, SOL_SOCKET, option, value, value.length);
    }

    private static byte[] timeval() {
        return nativeOrderBuffer(16).putLong(SECONDS).putLong(0).array();
    }

    private static byte[] socketAddress(String address, int port) {
        InetAddress literal = Prefix.parseAddress(address);
        boolean ipv4 = Family.of(literal) == Family.IPV4;
        byte[] bytes = new byte[ipv4 ? 16 : 28];
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.nativeOrder())
                .putShort((short) Family.of(literal).number())
                .put((byte) (port >> 8))
                .put((byte) port)
                .position(ipv4 ? 4 : 8)
                .put(literal.getAddress());
        return bytes;
    }

    private static ByteBuffer nativeOrderBuffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    }
}
