// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.linux.Egress;
import io.culvert.linux.MarkedSocket;
import io.culvert.net.Transport;
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
final class DnsExchange {

    /** A TCP response may have 64 KB, which takes more than a megabyte once parsed. */
    private static final int MAX_TCP_QUERIES = 16;

    /** The maximum of UDP, as not every server respects the advertised size ({@link DnsQuery#UDP_PAYLOAD}). */
    private static final int MAX_UDP_PAYLOAD = 65535;

    private final SecureRandom random = new SecureRandom();
    private final Set<PendingQuery> pending = ConcurrentHashMap.newKeySet();
    private final Semaphore tcpPermits = new Semaphore(MAX_TCP_QUERIES);

    private record PendingQuery(Name name, int type, int id) {}

    /** Returns whether a query with this id that was sent by this instance is waiting for its response. */
    boolean isPending(DnsQuery query, int id) {
        return pending.contains(new PendingQuery(query.name(), query.type(), id));
    }

    /** Prepares a query, without sending it yet. */
    Attempts prepare(DnsQuery query, Egress egress) {
        return new Attempts(query, egress);
    }

    /** The result of a query to one server. */
    sealed interface Reply {

        InetSocketAddress server();

        record Answer(InetSocketAddress server, Message message) implements Reply {}

        /** @param cause the reason why the server cannot be reached */
        record Failure(InetSocketAddress server, IOException cause) implements Reply {}
    }

    private record Attempt(InetSocketAddress server, MarkedSocket socket, PendingQuery pendingQuery) {}

    /**
     * One query by UDP to several servers. Each server that was queried may respond until the end, however slow it is.
     * A repetition uses the same socket and id, so that a response to an earlier one counts too, and forgers get no
     * more targets. Not thread-safe.
     */
    final class Attempts implements AutoCloseable {

        private final DnsQuery query;
        private final Egress egress;
        private final Map<InetSocketAddress, Attempt> open = new LinkedHashMap<>();
        private final byte[] buffer = new byte[MAX_UDP_PAYLOAD];

        private Attempts(DnsQuery query, Egress egress) {
            this.query = query;
            this.egress = egress;
        }

        /** Sends the query to a server, or repeats it. */
        void send(InetSocketAddress server) throws IOException {
            Attempt earlier = open.get(server);
            if (earlier != null) {
                try {
                    earlier.socket.send(encode(earlier));
                    return;
                } catch (IOException _) {
                    // The source address may have been removed.
                    close(earlier);
                }
            }
            // Connecting a UDP socket does not wait for the peer.
            MarkedSocket socket = MarkedSocket.connect(Transport.UDP, server, egress, Duration.ofSeconds(1));
            Attempt attempt =
                    new Attempt(server, socket, new PendingQuery(query.name(), query.type(), random.nextInt(1 << 16)));
            open.put(server, attempt);
            pending.add(attempt.pendingQuery);
            try {
                socket.send(encode(attempt));
            } catch (IOException e) {
                close(attempt);
                throw e;
            }
        }

        private byte[] encode(Attempt attempt) {
            return query.message(attempt.pendingQuery.id).toWire();
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
        Optional<Reply> await(Duration timeout) {
            long deadline = System.nanoTime() + timeout.toNanos();
            for (long remaining = timeout.toNanos();
                    remaining > 0 && isWaiting();
                    remaining = deadline - System.nanoTime()) {
                List<Attempt> waiting = List.copyOf(open.values());
                List<MarkedSocket> readable = MarkedSocket.awaitReadable(
                        waiting.stream().map(Attempt::socket).toList(), Duration.ofNanos(remaining));
                for (Attempt attempt : waiting) {
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
                return query.isAnsweredBy(message, attempt.pendingQuery.id)
                        ? Optional.of(new Reply.Answer(attempt.server, message))
                        : Optional.empty();
            } catch (IOException _) {
                // Malformed, perhaps forged: the genuine response may still arrive.
                return Optional.empty();
            }
        }

        private void close(Attempt attempt) {
            open.remove(attempt.server, attempt);
            pending.remove(attempt.pendingQuery);
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
    Message queryByTcp(DnsQuery query, InetSocketAddress server, Egress egress, Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        try {
            if (!tcpPermits.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new SocketTimeoutException("too many queries over TCP");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(e.getMessage());
        }
        int id = random.nextInt(1 << 16);
        PendingQuery pendingQuery = new PendingQuery(query.name(), query.type(), id);
        pending.add(pendingQuery);
        try (MarkedSocket socket = MarkedSocket.connect(Transport.TCP, server, egress, timeLeft(deadline))) {
            byte[] message = query.message(id).toWire();
            socket.send(ByteBuffer.allocate(2 + message.length)
                    .putShort((short) message.length)
                    .put(message)
                    .array());
            byte[] length = receiveExactly(2, socket, deadline);
            byte[] wire = receiveExactly((length[0] & 0xff) << 8 | (length[1] & 0xff), socket, deadline);
            Message response = parse(wire);
            if (!query.isAnsweredBy(response, id)) {
                throw new IOException("TCP response does not match the query");
            }
            return response;
        } finally {
            pending.remove(pendingQuery);
            tcpPermits.release();
        }
    }

    private static Message parse(byte[] wire) throws IOException {
        try {
            return new Message(wire);
        } catch (RuntimeException e) {
            throw new IOException("malformed response", e);
        }
    }

    private static byte[] receiveExactly(int count, MarkedSocket socket, long deadline) throws IOException {
        ByteBuffer result = ByteBuffer.allocate(count);
        while (result.hasRemaining()) {
            byte[] part = new byte[result.remaining()];
            int length = socket.receive(part, timeLeft(deadline));
            if (length == 0) {
                throw new EOFException("connection closed before the response");
            }
            result.put(part, 0, length);
        }
        return result.array();
    }

    private static Duration timeLeft(long deadline) throws SocketTimeoutException {
        long nanos = deadline - System.nanoTime();
        if (nanos <= 0) {
            throw new SocketTimeoutException("no response (timeout)");
        }
        return Duration.ofNanos(nanos);
    }
}
