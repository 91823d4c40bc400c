// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Watches the node's uplink from outside the node. Every packet that the node sends there and that has not been
 * declared as allowed is a leak.
 */
public final class Observer implements AutoCloseable {

    private static final Duration TIMEOUT = ScaledTimeout.of(Duration.ofSeconds(10));
    private static final Duration MARK_INTERVAL = Duration.ofSeconds(1);
    private static final String MARK = "the observer's mark ";

    /** The broadcast address of the node's network. */
    static final String BROADCAST = "192.0.2.63";

    private static final int DISCARD = 9;

    private final LabNamespace router;
    private final String broadcast;
    private final PacketSocket socket;
    private final List<Packet> packets = new ArrayList<>();
    private final Map<String, Predicate<Packet>> allowed = new LinkedHashMap<>();

    /** The connections that {@link #sees} caused. */
    private final Set<String> probeConnections = new HashSet<>();

    private @Nullable Throwable failure;
    private boolean closing;
    private int marks;
    private int firstPacket;

    /** @param broadcast of the link's network: a mark sent there passes the link, and no host responds to it */
    Observer(LabNamespace router, String link, String broadcast) {
        this.router = router;
        this.broadcast = broadcast;
        try {
            socket = router.call(() -> PacketSocket.on(link));
        } catch (Exception e) {
            throw new AssertionError("opening the observer's packet socket on " + link, e);
        }
        Thread.ofPlatform().daemon().name("observer").start(this::watch);
        allow("neighbour discovery", Packet::isNeighbourDiscovery);
    }

    /** Declares what may leave the node. */
    public Observer allow(String description, Predicate<Packet> filter) {
        synchronized (packets) {
            allowed.put(description, filter);
        }
        return this;
    }

    /** Declares WireGuard's own messages to this server as allowed, nothing else that goes there. */
    public Observer allowWireGuardTo(String address, int port) {
        return allow("WireGuard to " + address, packet -> packet.isUdpTo(address, port) && packet.isWireGuard());
    }

    /** Declares WireGuard's own messages of the node's mesh as allowed. */
    public Observer allowMesh() {
        return allow(
                "WireGuard of the mesh",
                packet -> packet.sourcePort() == WireGuardClient.MESH_PORT && packet.isWireGuard());
    }

    /**
     * Declares as allowed what a tailscaled sends automatically, to Headscale and to its peers from this port, and the
     * DNS queries for Headscale's name.
     */
    public Observer allowTailscale(int port) {
        return allow(
                        "Tailscale to Headscale",
                        packet -> List.of(Headscale.ADDRESS_IPV4, Headscale.ADDRESS_IPV6).stream()
                                .anyMatch(headscale -> packet.isTcpTo(headscale, Headscale.PORT)
                                        || packet.isTcpTo(headscale, Headscale.PLAIN_PORT)
                                        || packet.isUdpTo(headscale, Headscale.STUN_PORT)))
                .allow(
                        "DNS queries for Headscale's name",
                        packet -> packet.destinationPort() == 53
                                && packet.payload().toLowerCase(Locale.ROOT).contains("headscale\7example"))
                .allow(
                        "Tailscale to its peers",
                        packet -> packet.sourcePort() == port && (packet.isWireGuard() || packet.isDisco()));
    }

    /** Declares what a published TCP port sends to clients on the node's network as allowed. */
    public Observer allowService(int port) {
        return allow(
                "service on port " + port,
                packet -> packet.isTcpFrom(port) && (packet.isTo(Lab.LAN_HOST_IPV4) || packet.isTo(Lab.LAN_HOST_IPV6)));
    }

    /** Discards the packets seen so far. */
    public void reset() {
        mark();
        synchronized (packets) {
            firstPacket = packets.size();
        }
    }

    /** Returns what left the node and was not allowed: each kind of packet, with its count. */
    public Map<String, Integer> leaks() {
        Map<String, Integer> leaks = new TreeMap<>();
        leakedPackets().forEach(packet -> leaks.merge(packet.summary(), 1, Integer::sum));
        return leaks;
    }

    /** Returns the packets that left the node and were not allowed. */
    List<Packet> leakedPackets() {
        mark();
        synchronized (packets) {
            return sent().stream()
                    .filter(packet -> allowed.values().stream().noneMatch(filter -> filter.test(packet)))
                    .toList();
        }
    }

    /** Returns how many packets of an allowed kind left the node. */
    public long count(String description) {
        mark();
        Predicate<Packet> filter = Objects.requireNonNull(allowed.get(description), description);
        return sent().stream().filter(filter).count();
    }

    /**
     * Returns whether the probe causes a packet that the observer reports as a leak. Tests verify this before they
     * expect none.
     */
    public boolean sees(Runnable probe) {
        reset();
        probe.run();
        boolean leaked = !leaks().isEmpty();
        // TCP may send more packets of the probe's connections much later.
        sent().stream().filter(Packet::opensConnection).map(Packet::connection).forEach(probeConnections::add);
        reset();
        return leaked;
    }

    private List<Packet> sent() {
        synchronized (packets) {
            return packets.subList(firstPacket, packets.size()).stream()
                    .filter(packet -> packet.sender().equals(Lab.NODE_MAC))
                    .filter(packet -> packet.opensConnection() || !probeConnections.contains(packet.connection()))
                    .toList();
        }
    }

    /**
     * Sends a mark over the uplink and waits until it is seen: what the node sent before has been seen then too. The
     * kernel drops what is sent while a link is coming up ({@code noop_qdisc}, until its carrier is noticed), so the
     * mark is repeated.
     */
    private void mark() {
        String mark = MARK + ++marks;
        long end = System.nanoTime() + TIMEOUT.toNanos();
        synchronized (packets) {
            int next = packets.size();
            send(mark);
            while (true) {
                while (next < packets.size()) {
                    if (packets.get(next++).payload().equals(mark)) {
                        return;
                    }
                }
                long rest = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (failure != null || rest <= 0) {
                    throw new AssertionError("the observer receives no packets from the uplink", failure);
                }
                int packetCount = packets.size();
                await(Math.min(rest, MARK_INTERVAL.toMillis()));
                if (packets.size() == packetCount) {
                    send(mark);
                }
            }
        }
    }

    private void await(long millis) {
        try {
            packets.wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private void send(String mark) {
        byte[] bytes = mark.getBytes(StandardCharsets.US_ASCII);
        try {
            router.call(() -> {
                try (DatagramSocket datagrams = new DatagramSocket()) {
                    datagrams.setBroadcast(true);
                    datagrams.send(new DatagramPacket(bytes, bytes.length, InetAddress.getByName(broadcast), DISCARD));
                }
                return true;
            });
        } catch (Exception e) {
            throw new AssertionError("marking the uplink", e);
        }
    }

    private void watch() {
        try (socket) {
            while (true) {
                Packet packet = Packet.of(socket.receive());
                synchronized (packets) {
                    if (closing) {
                        return;
                    }
                    if (socket.dropped() > 0) {
                        throw new IllegalStateException(
                                "packets were dropped, as they came faster than they were read");
                    }
                    packets.add(packet);
                    packets.notifyAll();
                }
            }
        } catch (RuntimeException e) {
            synchronized (packets) {
                failure = e;
                packets.notifyAll();
            }
        }
    }

    /** Sends a frame, as the thread that watches ends with the next one. */
    @Override
    public void close() {
        synchronized (packets) {
            closing = true;
        }
        send("end");
    }
}
