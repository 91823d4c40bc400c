// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A process in the node's network namespace that requests its own address from the internet's web server at a steady
 * rate, without waiting for earlier replies.
 */
final class SidecarProbe implements AutoCloseable {

    /** Forty requests a second. */
    private static final Duration INTERVAL = Duration.ofMillis(25);

    /** Much longer than a reply takes, and short enough for {@link #MAX_CONCURRENT}. */
    private static final Duration TIMEOUT = Duration.ofMillis(500);

    private static final int MAX_CONCURRENT = 48;

    /** @param at by {@link System#nanoTime()} */
    private record Reply(String address, long at) {}

    private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(MAX_CONCURRENT, task -> {
        Thread thread = new Thread(task, "sidecar");
        thread.setDaemon(true);
        return thread;
    });
    private final List<Reply> replies = new ArrayList<>();

    private SidecarProbe() {}

    static SidecarProbe in(LabNamespace namespace) {
        SidecarProbe probe = new SidecarProbe();
        try {
            // A thread inherits the namespace of the thread that started it.
            namespace.call(probe.executor::prestartAllCoreThreads);
        } catch (Exception e) {
            throw new AssertionError("asking from " + namespace.name(), e);
        }
        var _ = probe.executor.scheduleAtFixedRate(
                () -> probe.executor.execute(probe::sendRequest), 0, INTERVAL.toNanos(), TimeUnit.NANOSECONDS);
        return probe;
    }

    private void sendRequest() {
        try {
            String address = Probe.askWebServer(Family.IPV4, Math.toIntExact(TIMEOUT.toMillis()));
            synchronized (replies) {
                replies.add(new Reply(address, System.nanoTime()));
                replies.notifyAll();
            }
        } catch (IOException _) {
            // No reply.
        }
    }

    /**
     * Waits for the first reply after a time that contains this address.
     *
     * @param since by {@link System#nanoTime()}
     * @return when it came
     */
    long awaitReply(String address, long since, Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        synchronized (replies) {
            while (true) {
                for (Reply reply : replies) {
                    if (reply.address.equals(address) && reply.at - since > 0) {
                        return reply.at;
                    }
                }
                long rest = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (rest <= 0) {
                    throw new AssertionError("no reply with " + address + " within " + timeout);
                }
                try {
                    replies.wait(rest);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new AssertionError("interrupted", e);
                }
            }
        }
    }

    /** Returns when replies with this address came after a time. */
    List<Long> replyTimes(String address, long since) {
        synchronized (replies) {
            return replies.stream()
                    .filter(reply -> reply.address.equals(address) && reply.at - since > 0)
                    .map(Reply::at)
                    .toList();
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
