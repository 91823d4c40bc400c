// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Requests its own address from the echo server many times a second, as traffic that continues while the node changes.
 */
public final class ContinuousProbe implements AutoCloseable {

    /** How long to wait for a reply before the next request; it sets the rate. */
    private static final int REPLY_TIMEOUT_MILLIS = 25;

    private final String name;
    private final InetAddress server;
    private final Set<String> seenAddresses = new HashSet<>();
    private final Thread thread;
    private String last = "";
    private long replies;
    private volatile boolean closed;

    private ContinuousProbe(LabNamespace from, Family family) {
        name = from.name() + " " + family;
        server = Prefix.parseAddress(family == Family.IPV4 ? Lab.SERVER_IPV4 : Lab.SERVER_IPV6);
        thread = Thread.ofPlatform().daemon().name("probe of " + name).start(() -> {
            try {
                from.call(this::sendRequests);
            } catch (Exception e) {
                throw new AssertionError("the continuous probe of " + name + " has failed", e);
            }
        });
    }

    public static ContinuousProbe of(LabNamespace from, Family family) {
        return new ContinuousProbe(from, family);
    }

    private boolean sendRequests() throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(REPLY_TIMEOUT_MILLIS);
            byte[] request = "who am i?".getBytes(StandardCharsets.US_ASCII);
            while (!closed) {
                try {
                    socket.send(new DatagramPacket(request, request.length, server, 7));
                } catch (IOException e) {
                    // Rejected or no route, which the tests expect at times.
                }
                try {
                    DatagramPacket reply = new DatagramPacket(new byte[64], 64);
                    socket.receive(reply);
                    record(new String(reply.getData(), 0, reply.getLength(), StandardCharsets.US_ASCII).strip());
                } catch (IOException e) {
                    // No reply.
                }
            }
            return true;
        }
    }

    private synchronized void record(String address) {
        last = address;
        seenAddresses.add(address);
        replies++;
        notifyAll();
    }

    /** Waits for replies from now on that contain this address. */
    public synchronized void awaitReply(String address, Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        long first = replies + 1;
        // The first may have been on its way already.
        while (replies <= first || !last.equals(address)) {
            long rest = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (rest <= 0) {
                throw new AssertionError(
                        "%s: no reply with %s within %s, %d others".formatted(name, address, timeout, replies - first));
            }
            try {
                wait(rest);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted", e);
            }
        }
    }

    /** Returns the addresses that the server has seen. */
    public synchronized Set<String> seenAddresses() {
        return Set.copyOf(seenAddresses);
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
