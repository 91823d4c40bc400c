package io.culvert.dns;

import io.culvert.ip.Transport;
import io.culvert.linux.Egress;
import io.culvert.linux.MarkedSocket;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;

/**
 * Sends queries to servers: by UDP, and by TCP if a response was truncated. Each query has a socket, and so a source
 * port, of its own for each server; a response that does not match the question, the random id and the server's address
 * is dropped (RFC 5452).
 */
final class Exchange {

    /** A TCP response may have 64 KB, which takes more than a megabyte once parsed. */
    private static final int MOST_BY_TCP = 16;

    /** The maximum of UDP, as not every server respects the advertised size ({@link Question#PAYLOAD}). */
    private static final int LARGEST_BY_UDP = 65535;

    private final SecureRandom random = new SecureRandom();
    private final Set<Sent> pending = ConcurrentHashMap.newKeySet();
    private final Semaphore byTcp = new Semaphore(MOST_BY_TCP);

    private record Sent(Name name, int type, int id) {}

    /** Returns whether a query of ours with this id is waiting for its response. */
    boolean isAsking(Question question, int id) {
        return pending.contains(new Sent(question.name(), question.type(), id));
    }

    /** Prepares a query, without sending it yet. */
    Attempts begin(Question question, Egress egress) {
        return new Attempts(question, egress);
    }

    /** The result of a query to one server. */
    sealed interface Reply {

        InetSocketAddress server();

        record Answer(InetSocketAddress server, Message message) implements Reply {}

        /** @param why the reason why the server cannot be reached */
        record Failure(InetSocketAddress server, IOException why) implements Reply {}
    }

    private record Attempt(InetSocketAddress server, MarkedSocket socket, Sent sent) {}

    /**
     * One query by UDP to several servers. Each server that was queried may respond until the end, however slow it is.
     * A repetition uses the same socket and id, so that a response to an earlier one counts too, and forgers get no
     * more targets. Not thread-safe.
     */
    final class Attempts implements AutoCloseable {

        private final Question question;
        private final Egress egress;
        private final Map<InetSocketAddress, Attempt> open = new LinkedHashMap<>();
        private final byte[] buffer = new byte[LARGEST_BY_UDP];

        private Attempts(Question question, Egress egress) {
            this.question = question;
            this.egress = egress;
        }

        /** Sends the query to a server, or repeats it. */
        void send(InetSocketAddress server) throws IOException {
            Attempt before = open.get(server);
            if (before != null) {
                try {
                    before.socket.send(wire(before));
                    return;
                } catch (IOException _) {
                    // The source address may have been removed.
                    close(before);
                }
            }
            // Connecting a UDP socket does not wait for the peer.
            MarkedSocket socket = MarkedSocket.connect(Transport.UDP, server, egress, Duration.ofSeconds(1));
            Attempt attempt =
                    new Attempt(server, socket, new Sent(question.name(), question.type(), random.nextInt(1 << 16)));
            open.put(server, attempt);
            pending.add(attempt.sent);
            try {
                socket.send(wire(attempt));
            } catch (IOException e) {
                close(attempt);
                throw e;
            }
        }

        private byte[] wire(Attempt attempt) {
            return question.query(attempt.sent.id).toWire();
        }

        /** Returns whether this server may still respond. */
        boolean isWaitingFor(InetSocketAddress server) {
            return open.containsKey(server);
        }

        /** Returns whether any server may still respond. */
        boolean isWaiting() {
            return !open.isEmpty();
        }

        /** Waits for the result of any server, which is returned once; empty if the timeout expires. */
        Optional<Reply> await(Duration atMost) {
            long deadline = System.nanoTime() + atMost.toNanos();
            for (long left = atMost.toNanos(); left > 0 && isWaiting(); left = deadline - System.nanoTime()) {
                List<Attempt> asked = List.copyOf(open.values());
                List<MarkedSocket> readable = MarkedSocket.awaitReadable(
                        asked.stream().map(Attempt::socket).toList(), Duration.ofNanos(left));
                for (Attempt attempt : asked) {
                    if (readable.contains(attempt.socket)) {
                        Optional<Reply> reply = receive(attempt);
                        if (reply.isPresent()) {
                            close(attempt);
                            return reply;
                        }
                    }
                }
            }
            return Optional.empty();
        }

        private Optional<Reply> receive(Attempt attempt) {
            int length;
            try {
                length = attempt.socket.receive(buffer, Duration.ZERO);
            } catch (SocketTimeoutException _) {
                return Optional.empty();
            } catch (IOException e) {
                return Optional.of(new Reply.Failure(attempt.server, e));
            }
            try {
                Message message = parse(Arrays.copyOf(buffer, length));
                return question.isAnsweredBy(message, attempt.sent.id)
                        ? Optional.of(new Reply.Answer(attempt.server, message))
                        : Optional.empty();
            } catch (IOException _) {
                // Malformed, perhaps forged: the genuine response may still arrive.
                return Optional.empty();
            }
        }

        private void close(Attempt attempt) {
            open.remove(attempt.server, attempt);
            pending.remove(attempt.sent);
            attempt.socket.close();
        }

        @Override
        public void close() {
            new ArrayList<>(open.values()).forEach(this::close);
        }
    }

    /**
     * Queries one server by TCP, after its UDP response was truncated.
     *
     * @throws SocketTimeoutException if the server does not respond
     * @throws IOException if it cannot be reached
     */
    Message byTcp(Question question, InetSocketAddress server, Egress egress, Duration atMost) throws IOException {
        long deadline = System.nanoTime() + atMost.toNanos();
        try {
            if (!byTcp.tryAcquire(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new SocketTimeoutException("too many queries by TCP");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(e.getMessage());
        }
        int id = random.nextInt(1 << 16);
        Sent sent = new Sent(question.name(), question.type(), id);
        pending.add(sent);
        try (MarkedSocket socket = MarkedSocket.connect(Transport.TCP, server, egress, left(deadline))) {
            byte[] query = question.query(id).toWire();
            socket.send(ByteBuffer.allocate(2 + query.length)
                    .putShort((short) query.length)
                    .put(query)
                    .array());
            byte[] length = exactly(2, socket, deadline);
            byte[] wire = exactly((length[0] & 0xff) << 8 | (length[1] & 0xff), socket, deadline);
            Message message = parse(wire);
            if (!question.isAnsweredBy(message, id)) {
                throw new IOException("TCP response does not match the query");
            }
            return message;
        } finally {
            pending.remove(sent);
            byTcp.release();
        }
    }

    private static Message parse(byte[] wire) throws IOException {
        try {
            return new Message(wire);
        } catch (RuntimeException e) {
            throw new IOException("malformed response", e);
        }
    }

    private static byte[] exactly(int count, MarkedSocket socket, long deadline) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(count);
        while (all.hasRemaining()) {
            byte[] part = new byte[all.remaining()];
            int length = socket.receive(part, left(deadline));
            if (length == 0) {
                throw new EOFException("connection closed before the response");
            }
            all.put(part, 0, length);
        }
        return all.array();
    }

    private static Duration left(long deadline) throws SocketTimeoutException {
        long nanos = deadline - System.nanoTime();
        if (nanos <= 0) {
            throw new SocketTimeoutException("no response (timeout)");
        }
        return Duration.ofNanos(nanos);
    }
}
