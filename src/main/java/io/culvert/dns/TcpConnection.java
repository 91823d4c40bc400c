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

/** A client's TCP connection. Its messages begin with their length in two bytes (RFC 1035 section 4.2.2). */
final class TcpConnection {

    private static final int LENGTH = 2;

    /** Fits a usual query; for larger ones it grows with the data received, not with the announced length. */
    private static final int USUAL_BUFFER = 512;

    private static final int LARGEST_BUFFER = LENGTH + TcpLimits.LARGEST_QUERY;

    /** Limits responses that a client does not read: two of the largest. */
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
     * @param later runs a task on the thread of this connection
     * @param closed called when the connection is closed
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

    /** Returns whether it waits for the client, and not the client for a response. A partial message counts as idle. */
    boolean isIdle() {
        return waiting == 0 && unsent.isEmpty();
    }

    /** Returns the time since the last complete message. */
    long idleNanos() {
        return System.nanoTime() - lastMessage;
    }

    /** Returns the time until the connection is to be closed. */
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

    /** Receives and sends what is possible without blocking. */
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

    /** Takes complete messages, up to the limit of pipelined queries. */
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
            // The time in which the connection was not read does not count against the client.
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

    /** Sets the events to wait for. While a client does not read its responses, no more queries are read. */
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

    /** Closes the connection and drops its queries. */
    void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // The connection is closed anyway.
        }
        Set.copyOf(inFlight).forEach(QueriesInFlight.Query::giveUp);
        inFlight.clear();
        closed.accept(this);
    }
}
