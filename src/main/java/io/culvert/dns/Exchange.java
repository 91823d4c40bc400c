package io.culvert.dns;

import io.culvert.ip.Transport;
import io.culvert.linux.Egress;
import io.culvert.linux.MarkedSocket;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;

/**
 * One question to one server: by UDP, and by TCP when the answer was cut short. Each goes out from a new socket, hence a
 * new source port; what does not match the question, its random id and the server's address is no answer (RFC 5452).
 */
final class Exchange {

    private final SecureRandom random = new SecureRandom();
    private final Set<Sent> pending = ConcurrentHashMap.newKeySet();

    private record Sent(Name name, int type, int id) {}

    /** Whether a question of ours with this id is waiting for its answer now. */
    boolean isAsking(Question question, int id) {
        return pending.contains(new Sent(question.name(), question.type(), id));
    }

    /**
     * Waits for the answer.
     *
     * @throws SocketTimeoutException when the server is silent
     * @throws IOException when it cannot be reached
     */
    Message ask(Question question, InetSocketAddress server, Egress egress, Duration atMost) throws IOException {
        long deadline = System.nanoTime() + atMost.toNanos();
        int id = random.nextInt(1 << 16);
        Sent sent = new Sent(question.name(), question.type(), id);
        pending.add(sent);
        try {
            Message answer = byUdp(question, id, server, egress, deadline);
            return answer.getHeader().getFlag(Flags.TC) ? byTcp(question, id, server, egress, deadline) : answer;
        } finally {
            pending.remove(sent);
        }
    }

    private Message byUdp(Question question, int id, InetSocketAddress server, Egress egress, long deadline)
            throws IOException {
        try (MarkedSocket socket = MarkedSocket.connect(Transport.UDP, server, egress, left(deadline))) {
            socket.send(question.query(id).toWire());
            byte[] buffer = new byte[65535];
            while (true) {
                int length = socket.receive(buffer, left(deadline));
                try {
                    Message message = new Message(Arrays.copyOf(buffer, length));
                    if (question.isAnsweredBy(message, id)) {
                        return message;
                    }
                } catch (IOException | RuntimeException _) {
                    // Rubbish, perhaps forged: the true answer may still come.
                }
            }
        }
    }

    private Message byTcp(Question question, int id, InetSocketAddress server, Egress egress, long deadline)
            throws IOException {
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
