// SPDX-License-Identifier: Apache-2.0
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

    private static final int LENGTH_BYTES = 2;

    /** Fits a usual query; for larger ones it grows with the data received, not with the announced length. */
    private static final int INITIAL_BUFFER = 512;

    private static final int MAX_BUFFER = LENGTH_BYTES + TcpLimits.MAX_QUERY_BYTES;

    /** Limits responses that a client does not read: two of the largest. */
    private static final int MAX_UNSENT = 2 * (LENGTH_BYTES + 65535);

    private final SocketChannel channel;
    private final SelectionKey key;
    private final InetSocketAddress client;
    private final TcpService.QuerySubmitter submitter;
    private final TcpLimits limits;
    private final Consumer<Runnable> runLater;
    private final Consumer<TcpConnection> onClose;
    private final Set<FairQueryQueue.Query> inFlight = new HashSet<>();
    private final Deque<ByteBuffer> unsent = new ArrayDeque<>();
    private ByteBuffer received = ByteBuffer.allocate(INITIAL_BUFFER);
    private int inFlightCount;
    private boolean endOfInput;
    private long lastMessage = System.nanoTime();
    private long partialSince;
    private long unsentSince;

    /**
     * @param runLater runs a task on the thread of this connection
     * @param onClose called when the connection is closed
     */
    TcpConnection(
            SocketChannel channel,
            SelectionKey key,
            InetSocketAddress client,
            TcpService.QuerySubmitter submitter,
            TcpLimits limits,
            Consumer<Runnable> runLater,
            Consumer<TcpConnection> onClose) {
        this.channel = channel;
        this.key = key;
        this.client = client;
        this.submitter = submitter;
        this.limits = limits;
        this.runLater = runLater;
        this.onClose = onClose;
    }

    InetAddress client() {
        return client.getAddress();
    }

    /** Returns whether it waits for the client, and not the client for a response. A partial message counts as idle. */
    boolean isIdle() {
        return inFlightCount == 0 && unsent.isEmpty();
    }

    /** Returns the time since the last complete message. */
    long idleNanos() {
        return System.nanoTime() - lastMessage;
    }

    /** Returns the time until the connection is to be closed. */
    long nanosLeft(long now) {
        long nanosLeft = Long.MAX_VALUE;
        if (!unsent.isEmpty()) {
            nanosLeft = unsentSince + limits.messageTimeout().toNanos() - now;
        }
        if (received.position() > 0 && canSubmit()) {
            nanosLeft =
                    Math.min(nanosLeft, partialSince + limits.messageTimeout().toNanos() - now);
        }
        if (isIdle()) {
            nanosLeft = Math.min(nanosLeft, lastMessage + limits.idleTimeout().toNanos() - now);
        }
        return nanosLeft;
    }

    /** Receives and sends what is possible without blocking. */
    void handleEvents() {
        try {
            if (key.isValid() && key.isWritable()) {
                send();
            }
            if (key.isValid() && key.isReadable()) {
                receive();
            }
            updateInterest();
        } catch (IOException _) {
            // The client has disconnected.
            close();
        }
    }

    private void receive() throws IOException {
        boolean wasEmpty = received.position() == 0;
        int count = channel.read(received);
        if (count < 0) {
            endOfInput = true;
        } else if (wasEmpty && count > 0) {
            partialSince = System.nanoTime();
        }
        readMessages();
    }

    /** Takes complete messages, up to the limit of pipelined queries. */
    private void readMessages() {
        received.flip();
        while (canSubmit()
                && received.remaining() >= LENGTH_BYTES
                && received.remaining() >= LENGTH_BYTES + announcedLength()) {
            byte[] query = new byte[announcedLength()];
            received.position(received.position() + LENGTH_BYTES);
            received.get(query);
            submit(query);
        }
        if (received.remaining() >= LENGTH_BYTES && announcedLength() > TcpLimits.MAX_QUERY_BYTES) {
            close();
            return;
        }
        received.compact();
        if (!received.hasRemaining() && canSubmit()) {
            received = ByteBuffer.allocate(Math.min(2 * received.capacity(), MAX_BUFFER))
                    .put(received.flip());
        }
    }

    private int announcedLength() {
        return Short.toUnsignedInt(received.getShort(received.position()));
    }

    private boolean canSubmit() {
        return channel.isOpen() && inFlightCount < limits.pipelined();
    }

    private void submit(byte[] query) {
        lastMessage = System.nanoTime();
        partialSince = lastMessage;
        inFlightCount++;
        Pending pending = new Pending();
        Optional<FairQueryQueue.Query> submitted =
                submitter.submit(client, query, reply -> runLater.accept(() -> onReply(pending, reply)));
        if (submitted.isEmpty()) {
            close();
        } else if (channel.isOpen()) {
            pending.query = submitted;
            inFlight.add(submitted.get());
        }
    }

    private static final class Pending {
        private Optional<FairQueryQueue.Query> query = Optional.empty();
    }

    private void onReply(Pending pending, Optional<byte[]> reply) {
        pending.query.ifPresent(inFlight::remove);
        if (!canSubmit()) {
            // The time in which the connection was not read does not count against the client.
            partialSince = System.nanoTime();
        }
        inFlightCount--;
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
        unsent.add(ByteBuffer.allocate(LENGTH_BYTES + message.length)
                .putShort((short) message.length)
                .put(message)
                .flip());
        try {
            send();
            if (unsent.stream().mapToInt(ByteBuffer::remaining).sum() > MAX_UNSENT) {
                close();
                return;
            }
            readMessages();
            updateInterest();
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
    private void updateInterest() {
        if (!channel.isOpen()) {
            return;
        }
        if (endOfInput && isIdle()) {
            close();
            return;
        }
        boolean wantsQueries = !endOfInput && canSubmit() && unsent.isEmpty();
        key.interestOps((wantsQueries ? SelectionKey.OP_READ : 0) | (unsent.isEmpty() ? 0 : SelectionKey.OP_WRITE));
    }

    /** Closes the connection and drops its queries. */
    void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // The connection is closed anyway.
        }
        Set.copyOf(inFlight).forEach(FairQueryQueue.Query::drop);
        inFlight.clear();
        onClose.accept(this);
    }
}
