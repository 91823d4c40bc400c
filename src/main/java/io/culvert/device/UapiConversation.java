package io.culvert.device;

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

/** A connection to a userspace WireGuard; all that happens on it has one deadline, so that a program that hangs hangs alone. */
final class UapiConversation implements AutoCloseable {

    /** Far beyond any answer: two hundred thousand peers. */
    private static final int LONGEST_ANSWER = 1 << 26;

    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final long deadline;
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16);

    private UapiConversation(SocketChannel channel, Selector selector, SelectionKey key, Duration patience) {
        this.deadline = System.nanoTime() + patience.toNanos();
        this.channel = channel;
        this.selector = selector;
        this.key = key;
    }

    static UapiConversation begin(Path socket, Duration patience) throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        try {
            channel.configureBlocking(false);
            Selector selector = Selector.open();
            return new UapiConversation(channel, selector, channel.register(selector, 0), patience);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** @throws IOException also when the answer makes no sense */
    UapiAnswer ask(String request) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                await(SelectionKey.OP_WRITE);
            }
        }
        try {
            return UapiAnswer.parse(answer());
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** Waits until the other side has hung up. */
    void awaitEnd() throws IOException {
        try {
            while (read() >= 0) {
                buffer.clear();
            }
        } catch (SocketException _) {
            // Reset: an end as good as any.
        }
    }

    /** Up to the empty line at its end. */
    private String answer() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int newlines = 0;
        while (newlines < 2) {
            if (read() < 0) {
                throw new IOException("it hung up without an answer");
            }
            for (int i = 0; i < buffer.position(); i++) {
                newlines = buffer.get(i) == '\n' ? newlines + 1 : 0;
            }
            bytes.write(buffer.array(), 0, buffer.position());
            buffer.clear();
            if (bytes.size() > LONGEST_ANSWER) {
                throw new IOException("its answer does not end");
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private int read() throws IOException {
        int count = channel.read(buffer);
        while (count == 0) {
            await(SelectionKey.OP_READ);
            count = channel.read(buffer);
        }
        return count;
    }

    private void await(int operation) throws IOException {
        key.interestOps(operation);
        long left = (deadline - System.nanoTime()) / 1_000_000;
        // Whoever was stopped himself finds the time over, and yet the answer may have come.
        if ((left <= 0 || selector.select(left) == 0) && selector.selectNow() == 0) {
            throw new SocketTimeoutException("it does not answer");
        }
        selector.selectedKeys().clear();
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }
}
