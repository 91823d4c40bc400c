package io.culvert.node;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;

/** Tests which nodes reach each other: each sends UDP requests to all addresses of all others, which reply. */
final class Calls implements AutoCloseable {

    private static final int PORT = 4242;
    private static final Duration BEAT = Duration.ofMillis(200);

    /**
     * The interval differs for each node. Two nodes that send in step would also initiate handshakes in step, and
     * WireGuard drops both where two cross, to retry five seconds later, which is in step again.
     */
    private static final Duration STEP = Duration.ofMillis(17);

    private static final int BEATS = 200;

    /** The intervals to wait after the last expected reply, in which an unexpected one would arrive. */
    private static final int GRACE = 2;

    private final MeshOfNodes mesh;
    private final List<DatagramSocket> sockets = new ArrayList<>();

    Calls(MeshOfNodes mesh, List<String> names) {
        this.mesh = mesh;
        names.forEach(name -> {
            DatagramSocket socket = open(name, PORT, BEAT);
            Thread.ofPlatform().daemon().name("answers of " + name).start(() -> answer(socket));
        });
    }

    /**
     * Returns which nodes reach each other: {@code from>to} at all addresses, {@code from>to in part} at some.
     *
     * @param hoped the pairs to wait for
     */
    Set<String> among(List<String> names, Set<String> hoped) {
        Set<String> got = new ConcurrentSkipListSet<>();
        Map<String, List<InetAddress>> addresses = new HashMap<>();
        names.forEach(name -> addresses.put(name, mesh.addresses(name)));
        List<Thread> threads = names.stream()
                .map(from -> {
                    DatagramSocket socket = open(from, 0, BEAT.plus(STEP.multipliedBy(names.indexOf(from))));
                    return Thread.ofPlatform()
                            .daemon()
                            .name("calls of " + from)
                            .start(() -> call(socket, from, addresses, hoped, got));
                })
                .toList();
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        return new TreeSet<>(got);
    }

    private static void call(
            DatagramSocket socket,
            String from,
            Map<String, List<InetAddress>> addresses,
            Set<String> hoped,
            Set<String> got) {
        Set<String> answered = new TreeSet<>();
        Map<String, String> reach = new HashMap<>();
        int grace = GRACE;
        for (int beat = 0; beat < BEATS && grace > 0; beat++) {
            addresses.forEach((to, all) -> all.stream()
                    .filter(_ -> !to.equals(from))
                    .map(address -> Map.entry(from + ">" + to + " " + address.getHostAddress(), address))
                    .filter(call -> !answered.contains(call.getKey()))
                    .forEach(call -> send(socket, call.getKey(), call.getValue())));
            hear(socket, answered);
            reach.clear();
            addresses.forEach((to, all) -> {
                long heard = answered.stream()
                        .filter(call -> call.startsWith(from + ">" + to + " "))
                        .count();
                if (heard > 0) {
                    reach.put(to, from + ">" + to + (heard < all.size() ? " in part" : ""));
                }
            });
            boolean all =
                    hoped.stream().filter(pair -> pair.startsWith(from + ">")).allMatch(reach::containsValue);
            grace -= all ? 1 : 0;
        }
        got.addAll(reach.values());
    }

    private static void send(DatagramSocket socket, String call, InetAddress to) {
        try {
            byte[] bytes = call.getBytes(StandardCharsets.UTF_8);
            socket.send(new DatagramPacket(bytes, bytes.length, new InetSocketAddress(to, PORT)));
        } catch (IOException _) {
            // No route, or no key for it: not reached.
        }
    }

    private static void hear(DatagramSocket socket, Set<String> answered) {
        try {
            while (true) {
                DatagramPacket packet = new DatagramPacket(new byte[200], 200);
                socket.receive(packet);
                answered.add(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8));
            }
        } catch (SocketTimeoutException _) {
            // No more replies in this interval.
        } catch (IOException _) {
            // The request was rejected by ICMP.
        }
    }

    private DatagramSocket open(String name, int port, Duration beat) {
        try {
            DatagramSocket socket = mesh.space(name).call(() -> new DatagramSocket(port));
            socket.setSoTimeout((int) beat.toMillis());
            sockets.add(socket);
            return socket;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void answer(DatagramSocket socket) {
        while (!socket.isClosed()) {
            try {
                DatagramPacket packet = new DatagramPacket(new byte[200], 200);
                socket.receive(packet);
                socket.send(packet);
            } catch (IOException _) {
                // No request in this interval, or the sender is unreachable.
            }
        }
    }

    @Override
    public void close() {
        sockets.forEach(DatagramSocket::close);
    }
}
