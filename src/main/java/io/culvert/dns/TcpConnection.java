package io.culvert.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** A client's connection. Its messages begin with their length, in two bytes (RFC 1035 section 4.2.2). */
final class TcpConnection {

    private static final int LENGTH = 2;

    /** A query fits; larger ones grow with what has come, not with what is announced. */
    private static final int USUAL_BUFFER = 512;

    private static final int LARGEST_BUFFER = LENGTH + TcpLimits.LARGEST_QUERY;

    /** Answers that a client does not take: two of the largest. */
    private static final int MOST_UNSENT = 2 * (LENGTH + 65535);

    private final SocketChannel channel;
    private final SelectionKey key;
    private final InetSocketAddress client;
    private final TcpService.Asking asking;
    private final TcpLimits limits;
    private final Consumer<Runnable> later;
    private final Consumer<TcpConnection> closed;
    private final Set<QueriesInFlight.Query> inFlight = new HashSet<>();
    private final Deque<ByteBuffer> unsent = new ArrayDeque<>();
    private ByteBuffer received = ByteBuffer.allocate(USUAL_BUFFER);
    private int waiting;
    private boolean ended;
    private long lastMessage = System.nanoTime();
    private long partSince;
    private long unsentSince;

    /**
     * @param later runs what it is given on the thread that everything else here runs on
     * @param closed is told when it is closed
     */
    TcpConnection(
            SocketChannel channel,
            SelectionKey key,
            InetSocketAddress client,
            TcpService.Asking asking,
            TcpLimits limits,
            Consumer<Runnable> later,
            Consumer<TcpConnection> closed) {
        this.channel = channel;
        this.key = key;
        this.client = client;
        this.asking = asking;
        this.limits = limits;
        this.later = later;
        this.closed = closed;
    }

    InetAddress client() {
        return client.getAddress();
    }

    /** Whether it waits for the client, and not the client for an answer. Part of a message is no reason to keep it. */
    boolean isIdle() {
        return waiting == 0 && unsent.isEmpty();
    }

    /** Since the last whole message. */
    long idleNanos() {
        return System.nanoTime() - lastMessage;
    }

    /** Until it is to be closed. */
    long nanosLeft(long now) {
        long left = Long.MAX_VALUE;
        if (!unsent.isEmpty()) {
            left = unsentSince + limits.message().toNanos() - now;
        }
        if (received.position() > 0 && mayAsk()) {
            left = Math.min(left, partSince + limits.message().toNanos() - now);
        }
        if (isIdle()) {
            left = Math.min(left, lastMessage + limits.idle().toNanos() - now);
        }
        return left;
    }

    /** Takes what has come and sends what can be sent. */
    void proceed() {
        try {
            if (key.isValid() && key.isWritable()) {
                send();
            }
            if (key.isValid() && key.isReadable()) {
                receive();
            }
            settle();
        } catch (IOException _) {
            // The client is gone.
            close();
        }
    }

    private void receive() throws IOException {
        boolean began = received.position() == 0;
        int count = channel.read(received);
        if (count < 0) {
            ended = true;
        } else if (began && count > 0) {
            partSince = System.nanoTime();
        }
        take();
    }

    /** Whole messages, as far as it may wait for their answers. */
    private void take() {
        received.flip();
        while (mayAsk() && received.remaining() >= LENGTH && received.remaining() >= LENGTH + announced()) {
            byte[] query = new byte[announced()];
            received.position(received.position() + LENGTH);
            received.get(query);
            ask(query);
        }
        if (received.remaining() >= LENGTH && announced() > TcpLimits.LARGEST_QUERY) {
            close();
            return;
        }
        received.compact();
        if (!received.hasRemaining() && mayAsk()) {
            received = ByteBuffer.allocate(Math.min(2 * received.capacity(), LARGEST_BUFFER))
                    .put(received.flip());
        }
    }

    private int announced() {
        return Short.toUnsignedInt(received.getShort(received.position()));
    }

    private boolean mayAsk() {
        return channel.isOpen() && waiting < limits.pipelined();
    }

    private void ask(byte[] query) {
        lastMessage = System.nanoTime();
        partSince = lastMessage;
        waiting++;
        Pending pending = new Pending();
        Optional<QueriesInFlight.Query> taken =
                asking.ask(client, query, reply -> later.accept(() -> answered(pending, reply)));
        if (taken.isEmpty()) {
            close();
        } else if (channel.isOpen()) {
            pending.query = taken;
            inFlight.add(taken.get());
        }
    }

    private static final class Pending {
        private Optional<QueriesInFlight.Query> query = Optional.empty();
    }

    private void answered(Pending pending, Optional<byte[]> reply) {
        pending.query.ifPresent(inFlight::remove);
        if (!mayAsk()) {
            // What lies here already was not its client's to finish.
            partSince = System.nanoTime();
        }
        waiting--;
        if (!channel.isOpen()) {
            return;
        }
        if (reply.isEmpty()) {
            close();
            return;
        }
        byte[] message = reply.get();
        if (unsent.isEmpty()) {
            unsentSince = System.nanoTime();
        }
        unsent.add(ByteBuffer.allocate(LENGTH + message.length)
                .putShort((short) message.length)
                .put(message)
                .flip());
        try {
            send();
            if (unsent.stream().mapToInt(ByteBuffer::remaining).sum() > MOST_UNSENT) {
                close();
                return;
            }
            take();
            settle();
        } catch (IOException _) {
            close();
        }
    }

    private void send() throws IOException {
        for (ByteBuffer next = unsent.peek(); next != null; next = unsent.peek()) {
            channel.write(next);
            if (next.hasRemaining()) {
                return;
            }
            unsent.remove();
            unsentSince = System.nanoTime();
            lastMessage = unsentSince;
        }
    }

    /** What it waits for now. A client that does not take its answers is not asked for more questions. */
    private void settle() {
        if (!channel.isOpen()) {
            return;
        }
        if (ended && isIdle()) {
            close();
            return;
        }
        boolean reads = !ended && mayAsk() && unsent.isEmpty();
        key.interestOps((reads ? SelectionKey.OP_READ : 0) | (unsent.isEmpty() ? 0 : SelectionKey.OP_WRITE));
    }

    /** Nobody waits for its answers any more. */
    void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // It is gone all the same.
        }
        Set.copyOf(inFlight).forEach(QueriesInFlight.Query::giveUp);
        inFlight.clear();
        closed.accept(this);
    }
}
