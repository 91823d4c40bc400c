// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/** What comes from the providers into the internet: packets that passed a tunnel, with a provider's public addresses. */
final class Arrivals {

    private final List<Packet> packets = new ArrayList<>();
    private @Nullable Throwable failure;

    /** Starts to watch the providers' links until the lab is closed, which deletes them. */
    Arrivals(Lab lab) {
        for (int provider = 0; provider < lab.options().providers(); provider++) {
            String link = "provider" + provider;
            PacketSocket socket;
            try {
                socket = lab.internet().namespace().call(() -> PacketSocket.on(link));
            } catch (Exception e) {
                throw new AssertionError("opening the packet socket of " + link, e);
            }
            List<String> addresses = List.of(Provider.publicIpv4(provider), Provider.publicIpv6(provider));
            Thread.ofPlatform().daemon().name("arrivals from " + link).start(() -> watch(socket, addresses));
        }
    }

    private void watch(PacketSocket socket, List<String> addresses) {
        try (socket) {
            while (true) {
                Packet packet = Packet.of(socket.receive());
                if (addresses.stream().anyMatch(packet::isFrom)) {
                    synchronized (packets) {
                        packets.add(packet);
                        packets.notifyAll();
                    }
                }
            }
        } catch (RuntimeException e) {
            synchronized (packets) {
                failure = e;
                packets.notifyAll();
            }
        }
    }

    void reset() {
        synchronized (packets) {
            packets.clear();
        }
    }

    List<Packet> packets() {
        synchronized (packets) {
            return List.copyOf(packets);
        }
    }

    /** Waits until each of them has a packet, or for the timeout, and returns those that have none. */
    List<LeakCell> await(List<LeakCell> expected, BiPredicate<LeakCell, Packet> belongsTo, Duration timeout) {
        long end = System.nanoTime() + ScaledTimeout.of(timeout).toNanos();
        List<LeakCell> missing = new ArrayList<>(expected);
        synchronized (packets) {
            while (true) {
                missing.removeIf(cell -> packets.stream().anyMatch(packet -> belongsTo.test(cell, packet)));
                long rest = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (missing.isEmpty() || rest <= 0) {
                    return missing;
                }
                if (failure != null) {
                    throw new AssertionError("no packets are received from the provider's link", failure);
                }
                try {
                    packets.wait(rest);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new AssertionError("interrupted", e);
                }
            }
        }
    }
}
