package io.culvert.lab;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Somebody who asks the internet, many times a second, who he is: traffic that goes on while something happens to the node. */
public final class Pulse implements AutoCloseable {

    /** How long an answer is waited for before the next question; it sets the pace. */
    private static final int BEAT_MILLIS = 25;

    private final String name;
    private final InetAddress server;
    private final Set<String> seen = new HashSet<>();
    private final Thread thread;
    private String last = "";
    private long answers;
    private volatile boolean closed;

    private Pulse(Namespace from, Family family) {
        name = from.name() + " " + family;
        server = Prefix.parseAddress(family == Family.IPV4 ? Lab.SERVER_4 : Lab.SERVER_6);
        thread = Thread.ofPlatform().daemon().name("pulse of " + name).start(() -> {
            try {
                from.call(this::beat);
            } catch (Exception e) {
                throw new AssertionError("the pulse of " + name + " has stopped", e);
            }
        });
    }

    public static Pulse of(Namespace from, Family family) {
        return new Pulse(from, family);
    }

    private boolean beat() throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(BEAT_MILLIS);
            byte[] question = "who am i?".getBytes(StandardCharsets.US_ASCII);
            while (!closed) {
                try {
                    socket.send(new DatagramPacket(question, question.length, server, 7));
                } catch (IOException e) {
                    // Rejected, or no way: as it should be now and then.
                }
                try {
                    DatagramPacket answer = new DatagramPacket(new byte[64], 64);
                    socket.receive(answer);
                    heard(new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII).strip());
                } catch (IOException e) {
                    // Nothing came in this beat.
                }
            }
            return true;
        }
    }

    private synchronized void heard(String who) {
        last = who;
        seen.add(who);
        answers++;
        notifyAll();
    }

    /** Waits for answers that come from now on and say this. */
    public synchronized void awaitAnswer(String who, Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        long first = answers + 1;
        // The first may have been on its way already.
        while (answers <= first || !last.equals(who)) {
            long rest = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (rest <= 0) {
                throw new AssertionError("%s has had no answer for %s in %s, %d of others"
                        .formatted(name, who, deadline, answers - first));
            }
            try {
                wait(rest);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted", e);
            }
        }
    }

    /** Everybody that the internet ever took him for. */
    public synchronized Set<String> seen() {
        return Set.copyOf(seen);
    }

    @Override
    public void close() {
        closed = true;
        try {
            thread.join(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
