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
 * Sends questions to servers: by UDP, and by TCP when an answer was truncated. Each question has a socket of its own for each
 * server, hence a source port of its own; what does not match the question, its random id and the server's address is no answer
 * (RFC 5452).
 */
final class Exchange {

    /** An answer by TCP may have 64 KB, which is a megabyte and more once it is read. */
    private static final int MOST_BY_TCP = 16;

    /** Of any datagram: not every server heeds what it is told ({@link Question#PAYLOAD}). */
    private static final int LARGEST_BY_UDP = 65535;

    private final SecureRandom random = new SecureRandom();
    private final Set<Sent> pending = ConcurrentHashMap.newKeySet();
    private final Semaphore byTcp = new Semaphore(MOST_BY_TCP);

    private record Sent(Name name, int type, int id) {}

    /** Whether a question of ours with this id is waiting for its answer now. */
    boolean isAsking(Question question, int id) {
        return pending.contains(new Sent(question.name(), question.type(), id));
    }

    /** Asks nobody yet. */
    Attempts begin(Question question, Egress egress) {
        return new Attempts(question, egress);
    }

    /** What came of a question to one server. */
    sealed interface Reply {

        InetSocketAddress server();

        record Answer(InetSocketAddress server, Message message) implements Reply {}

        /** @param why it cannot be reached */
        record Failure(InetSocketAddress server, IOException why) implements Reply {}
    }

    private record Attempt(InetSocketAddress server, MarkedSocket socket, Sent sent) {}

    /**
     * One question by UDP to several servers. Whoever was asked may answer until all of it ends, however slow it is. A
     * repetition goes from the same socket under the same id, so that the answer to an earlier one counts too, and forgers have
     * no more to aim at. For one thread at a time.
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

        /** Asks a server, the first time or again. */
        void send(InetSocketAddress server) throws IOException {
            Attempt before = open.get(server);
            if (before != null) {
                try {
                    before.socket.send(wire(before));
                    return;
                } catch (IOException _) {
                    // The address that it was sent from is gone, perhaps.
                    close(before);
                }
            }
            // By UDP, to connect waits for nothing.
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

        /** Whether this server may still answer. */
        boolean isWaitingFor(InetSocketAddress server) {
            return open.containsKey(server);
        }

        /** Whether some server may still answer. */
        boolean isWaiting() {
            return !open.isEmpty();
        }

        /** Waits for any server; after its reply it is not waited for any more. Empty when the time is over. */
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
                // Rubbish, perhaps forged: the true answer may still come.
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
     * Asks one server by TCP, where its answer by UDP was truncated.
     *
     * @throws SocketTimeoutException when the server is silent
     * @throws IOException when it cannot be reached
     */
    Message byTcp(Question question, InetSocketAddress server, Egress egress, Duration atMost) throws IOException {
        long deadline = System.nanoTime() + atMost.toNanos();
        try {
            if (!byTcp.tryAcquire(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new SocketTimeoutException("too many questions by TCP");
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
                throw new IOException("an answer by TCP to another question");
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
            throw new IOException("an answer that cannot be read", e);
        }
    }

    private static byte[] exactly(int count, MarkedSocket socket, long deadline) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(count);
        while (all.hasRemaining()) {
            byte[] part = new byte[all.remaining()];
            int length = socket.receive(part, left(deadline));
            if (length == 0) {
                throw new EOFException("the connection ended before the answer");
            }
            all.put(part, 0, length);
        }
        return all.array();
    }

    private static Duration left(long deadline) throws SocketTimeoutException {
        long nanos = deadline - System.nanoTime();
        if (nanos <= 0) {
            throw new SocketTimeoutException("no answer in time");
        }
        return Duration.ofNanos(nanos);
    }
}
