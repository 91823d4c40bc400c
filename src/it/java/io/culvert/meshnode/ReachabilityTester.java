// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

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
final class ReachabilityTester implements AutoCloseable {

    private static final int PORT = 4242;
    private static final Duration INTERVAL = Duration.ofMillis(200);

    /**
     * The interval differs for each node. Two nodes that send in step would also initiate handshakes in step, and
     * WireGuard drops both where two cross, to retry five seconds later, which is in step again.
     */
    private static final Duration INTERVAL_STEP = Duration.ofMillis(17);

    private static final int MAX_INTERVALS = 200;

    /** The intervals to wait after the last expected reply, in which an unexpected one would arrive. */
    private static final int EXTRA_INTERVALS = 2;

    private final MeshOfNodes mesh;
    private final List<DatagramSocket> sockets = new ArrayList<>();

    ReachabilityTester(MeshOfNodes mesh, List<String> names) {
        this.mesh = mesh;
        names.forEach(name -> {
            DatagramSocket socket = open(name, PORT, INTERVAL);
            Thread.ofPlatform().daemon().name("answers of " + name).start(() -> echo(socket));
        });
    }

    /**
     * Returns which nodes reach each other: {@code from>to} at all addresses, {@code from>to in part} at some.
     *
     * @param expected the pairs to wait for
     */
    Set<String> reachability(List<String> names, Set<String> expected) {
        Set<String> reached = new ConcurrentSkipListSet<>();
        Map<String, List<InetAddress>> addresses = new HashMap<>();
        names.forEach(name -> addresses.put(name, mesh.addresses(name)));
        List<Thread> threads = names.stream()
                .map(from -> {
                    DatagramSocket socket =
                            open(from, 0, INTERVAL.plus(INTERVAL_STEP.multipliedBy(names.indexOf(from))));
                    return Thread.ofPlatform()
                            .daemon()
                            .name("calls of " + from)
                            .start(() -> sendRequests(socket, from, addresses, expected, reached));
                })
                .toList();
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        return new TreeSet<>(reached);
    }

    private static void sendRequests(
            DatagramSocket socket,
            String from,
            Map<String, List<InetAddress>> addresses,
            Set<String> expected,
            Set<String> reached) {
        Set<String> responding = new TreeSet<>();
        Map<String, String> reach = new HashMap<>();
        int remainingIntervals = EXTRA_INTERVALS;
        for (int interval = 0; interval < MAX_INTERVALS && remainingIntervals > 0; interval++) {
            addresses.forEach((to, all) -> all.stream()
                    .filter(_ -> !to.equals(from))
                    .map(address -> Map.entry(from + ">" + to + " " + address.getHostAddress(), address))
                    .filter(call -> !responding.contains(call.getKey()))
                    .forEach(call -> send(socket, call.getKey(), call.getValue())));
            receiveReplies(socket, responding);
            reach.clear();
            addresses.forEach((to, all) -> {
                long answers = responding.stream()
                        .filter(call -> call.startsWith(from + ">" + to + " "))
                        .count();
                if (answers > 0) {
                    reach.put(to, from + ">" + to + (answers < all.size() ? " in part" : ""));
                }
            });
            boolean all = expected.stream()
                    .filter(pair -> pair.startsWith(from + ">"))
                    .allMatch(reach::containsValue);
            remainingIntervals -= all ? 1 : 0;
        }
        reached.addAll(reach.values());
    }

    private static void send(DatagramSocket socket, String call, InetAddress to) {
        try {
            byte[] bytes = call.getBytes(StandardCharsets.UTF_8);
            socket.send(new DatagramPacket(bytes, bytes.length, new InetSocketAddress(to, PORT)));
        } catch (IOException _) {
            // No route, or no key for it: not reached.
        }
    }

    private static void receiveReplies(DatagramSocket socket, Set<String> responding) {
        try {
            while (true) {
                DatagramPacket packet = new DatagramPacket(new byte[200], 200);
                socket.receive(packet);
                responding.add(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8));
            }
        } catch (SocketTimeoutException _) {
            // No more replies in this interval.
        } catch (IOException _) {
            // The request was rejected by ICMP.
        }
    }

    private DatagramSocket open(String name, int port, Duration interval) {
        try {
            DatagramSocket socket = mesh.namespace(name).call(() -> new DatagramSocket(port));
            socket.setSoTimeout((int) interval.toMillis());
            sockets.add(socket);
            return socket;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void echo(DatagramSocket socket) {
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
