// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A connection to a userspace WireGuard with a deadline for everything, so that a program that hangs blocks no other.
 */
final class UapiConnection implements AutoCloseable {

    /** More than any real response: two hundred thousand peers. */
    private static final int MAX_RESPONSE_BYTES = 1 << 26;

    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final long deadline;
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 13);

    private UapiConnection(SocketChannel channel, Selector selector, SelectionKey key, Duration timeout) {
        this.deadline = System.nanoTime() + timeout.toNanos();
        this.channel = channel;
        this.selector = selector;
        this.key = key;
    }

    static UapiConnection open(Path socket, Duration timeout) throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        try {
            channel.configureBlocking(false);
            Selector selector = Selector.open();
            return new UapiConnection(channel, selector, channel.register(selector, 0), timeout);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** @throws IOException also if the response is malformed */
    UapiResponse exchange(String request) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                awaitReady(SelectionKey.OP_WRITE);
            }
        }
        try {
            return UapiResponse.parse(readResponse());
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** Waits until the program closes the connection. */
    void awaitClose() throws IOException {
        try {
            while (read() >= 0) {
                buffer.clear();
            }
        } catch (SocketException _) {
            // A reset closes the connection too.
        }
    }

    /** Reads a response up to the empty line at its end. */
    private String readResponse() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int newlines = 0;
        while (newlines < 2) {
            if (read() < 0) {
                throw new IOException("connection closed without a response");
            }
            for (int i = 0; i < buffer.position(); i++) {
                newlines = buffer.get(i) == '\n' ? newlines + 1 : 0;
            }
            bytes.write(buffer.array(), 0, buffer.position());
            buffer.clear();
            if (bytes.size() > MAX_RESPONSE_BYTES) {
                throw new IOException("the response is too long");
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private int read() throws IOException {
        int count = channel.read(buffer);
        while (count == 0) {
            awaitReady(SelectionKey.OP_READ);
            count = channel.read(buffer);
        }
        return count;
    }

    private void awaitReady(int operation) throws IOException {
        key.interestOps(operation);
        long remaining = (deadline - System.nanoTime()) / 1_000_000;
        // If this process was suspended, the deadline has passed, and yet the response may have arrived.
        if ((remaining <= 0 || selector.select(remaining) == 0) && selector.selectNow() == 0) {
            throw new SocketTimeoutException("no response (timeout)");
        }
        selector.selectedKeys().clear();
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }
}
