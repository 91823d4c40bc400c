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
 * Watches the node's uplink from outside the node. Every packet that the node sends there and that nobody has declared as
 * allowed is a leak.
 */
public final class Observer implements AutoCloseable {

    private static final Duration DEADLINE = Patience.of(Duration.ofSeconds(10));
    private static final Duration AGAIN = Duration.ofSeconds(1);
    private static final String MARK = "the observer's mark ";

    /** The broadcast address of the node's network: a mark sent there passes the uplink, and nobody answers it. */
    private static final String EVERYBODY = "192.0.2.63";

    private static final int DISCARD = 9;

    private final Namespace router;
    private final PacketSocket socket;
    private final List<Packet> packets = new ArrayList<>();
    private final Map<String, Predicate<Packet>> allowed = new LinkedHashMap<>();

    /** The connections of probes. */
    private final Set<String> known = new HashSet<>();

    private @Nullable Throwable blindness;
    private boolean closing;
    private int marks;
    private int from;

    Observer(Namespace router, String link) {
        this.router = router;
        try {
            socket = router.call(() -> PacketSocket.on(link));
        } catch (Exception e) {
            throw new AssertionError("opening the observer's eyes on " + link, e);
        }
        Thread.ofPlatform().daemon().name("observer").start(this::watch);
        allow("neighbour discovery", Packet::isNeighbourDiscovery);
    }

    /** Declares what may leave the node. */
    public Observer allow(String what, Predicate<Packet> which) {
        synchronized (packets) {
            allowed.put(what, which);
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
                "WireGuard of the mesh", packet -> packet.sourcePort() == Client.MESH_PORT && packet.isWireGuard());
    }

    /**
     * Declares as allowed what a tailscaled sends by itself, to Headscale and to its peers from this port, and the questions
     * for Headscale's name.
     */
    public Observer allowTailscale(int port) {
        return allow(
                        "Tailscale to Headscale",
                        packet -> List.of(Headscale.ADDRESS_4, Headscale.ADDRESS_6).stream()
                                .anyMatch(headscale -> packet.isTcpTo(headscale, Headscale.PORT)
                                        || packet.isTcpTo(headscale, Headscale.PLAIN_PORT)
                                        || packet.isUdpTo(headscale, Headscale.STUN_PORT)))
                .allow(
                        "questions for Headscale's name",
                        packet -> packet.destinationPort() == 53
                                && packet.payload().toLowerCase(Locale.ROOT).contains("headscale\7example"))
                .allow(
                        "Tailscale to its peers",
                        packet -> packet.sourcePort() == port && (packet.isWireGuard() || packet.isDisco()));
    }

    /** Declares what a published TCP port sends to its guests on the node's network as allowed. */
    public Observer allowService(int port) {
        return allow(
                "service on port " + port,
                packet -> packet.isTcpFrom(port) && (packet.isTo(Lab.NEIGHBOUR_4) || packet.isTo(Lab.NEIGHBOUR_6)));
    }

    /** Forgets what it saw so far. */
    public void forget() {
        mark();
        synchronized (packets) {
            from = packets.size();
        }
    }

    /** What left the node and was not allowed: each kind of packet, with its number. Empty is what one hopes for. */
    public Map<String, Integer> leaks() {
        mark();
        Map<String, Integer> leaks = new TreeMap<>();
        sent().stream()
                .filter(packet -> allowed.values().stream().noneMatch(which -> which.test(packet)))
                .forEach(packet -> leaks.merge(packet.summary(), 1, Integer::sum));
        return leaks;
    }

    /** How many packets of something allowed left the node. */
    public long count(String what) {
        mark();
        Predicate<Packet> which = Objects.requireNonNull(allowed.get(what), what);
        return sent().stream().filter(which).count();
    }

    /** Does the probe cause a packet that the observer calls a leak? A test that hopes for none first asks this. */
    public boolean sees(Runnable probe) {
        forget();
        probe.run();
        boolean seen = !leaks().isEmpty();
        // Its connections may have a last word to say, much later.
        sent().stream().filter(Packet::beginsConnection).map(Packet::connection).forEach(known::add);
        forget();
        return seen;
    }

    private List<Packet> sent() {
        synchronized (packets) {
            return packets.subList(from, packets.size()).stream()
                    .filter(packet -> packet.sender().equals(Lab.NODE_MAC))
                    .filter(packet -> packet.beginsConnection() || !known.contains(packet.connection()))
                    .toList();
        }
    }

    /**
     * Sends a mark over the uplink and waits until it is seen: whatever the node sent before has been seen then too. The kernel drops
     * what is sent while a link is only just coming up ({@code noop_qdisc}, until its carrier is noticed), so it is sent again.
     */
    private void mark() {
        String mark = MARK + ++marks;
        long end = System.nanoTime() + DEADLINE.toNanos();
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
                if (blindness != null || rest <= 0) {
                    throw new AssertionError("the observer on the uplink is blind", blindness);
                }
                int seen = packets.size();
                await(Math.min(rest, AGAIN.toMillis()));
                if (packets.size() == seen) {
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
                    datagrams.send(new DatagramPacket(bytes, bytes.length, InetAddress.getByName(EVERYBODY), DISCARD));
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
                    if (socket.lost() > 0) {
                        throw new IllegalStateException("packets came faster than they were read");
                    }
                    packets.add(packet);
                    packets.notifyAll();
                }
            }
        } catch (RuntimeException e) {
            synchronized (packets) {
                blindness = e;
                packets.notifyAll();
            }
        }
    }

    /** Its watch ends with the next frame, for which it cares itself. */
    @Override
    public void close() {
        synchronized (packets) {
            closing = true;
        }
        send("the end");
    }
}
