// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Prefix;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Machines that reach each other through a router, each with a network of its own, and that can be plugged into a common
 * switch too:
 *
 * <pre>
 *   node 0 ──┐ 203.0.113.2/30,  2001:db8:100::2/64          each by eth0
 *   node 1 ──┼─ router                                      198.51.100.10, 2001:db8:1::10: the internet
 *   ...    ──┘ 203.0.113.6/30,  2001:db8:101::2/64
 *   node i ──── switch          10.77.0.(i + 1), fd77::(i + 1)   by lan0, if it is plugged in
 * </pre>
 */
public final class MeshLab implements AutoCloseable {

    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final AtomicInteger INDEX = new AtomicInteger(5000);

    private final String prefix =
            "mesh" + COUNT.incrementAndGet() + "-" + ProcessHandle.current().pid() + "-";
    private final LabNamespace router = new LabNamespace(prefix + "router");
    private final LabNamespace lan = new LabNamespace(prefix + "lan");
    private final List<LabNamespace> nodes;
    private final List<AutoCloseable> resources = new ArrayList<>();

    /** @param count up to 63 */
    public MeshLab(int count) {
        nodes = IntStream.range(0, count)
                .mapToObj(i -> new LabNamespace(prefix + "n" + i))
                .toList();
        try {
            wire();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    public LabNamespace node(int i) {
        return nodes.get(i);
    }

    public LabNamespace router() {
        return router;
    }

    /** Returns a host on the switch that is not a node. */
    public LabNamespace lan() {
        return lan;
    }

    public static String public4(int i) {
        return "203.0.113." + (4 * i + 2);
    }

    public static String public6(int i) {
        return "2001:db8:" + Integer.toHexString(0x100 + i) + "::2";
    }

    public static String lan4(int i) {
        return "10.77.0." + (i + 1);
    }

    /** Closes a resource with the lab, before its namespaces are deleted. */
    public <T extends AutoCloseable> T closeWithLab(T resource) {
        resources.add(resource);
        return resource;
    }

    /** Plugs a node into the switch. */
    public void plug(int i) {
        plug(node(i), lan4(i), "port" + i);
    }

    /** Plugs a host into the switch with an address, which may be in use by another one. */
    public void plug(LabNamespace host, String address, String port) {
        batch(List.of(pair(host, "lan0", lan, port)));
        lan.ip("link set " + port + " master switch", "link set " + port + " up");
        host.ip("link set lan0 up", "address add " + address + "/24 dev lan0");
    }

    /** Unplugs a node from the switch: deletes its link. */
    public void unplug(int i) {
        node(i).ip("link delete lan0");
    }

    /** Returns the source address that an internet server sees. */
    public String observedSource(LabNamespace from, String server) {
        return observedSource(from, "", router, server, 30);
    }

    /**
     * Sends a datagram and returns the source address that the receiver sees.
     *
     * @param source the address to send from; empty for any
     * @param seconds how long to try
     * @return {@code no reply} if no datagram arrives
     */
    public static String observedSource(
            LabNamespace from, String source, LabNamespace server, String address, int seconds) {
        try (DatagramSocket socket = server.call(() -> new DatagramSocket(new InetSocketAddress(address, 7)));
                DatagramSocket sender = from.call(() -> source.isEmpty()
                        ? new DatagramSocket()
                        : new DatagramSocket(new InetSocketAddress(source, 0)))) {
            socket.setSoTimeout((int) ScaledTimeout.of(Duration.ofSeconds(1)).toMillis());
            byte[] bytes = "who am i?".getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < seconds; i++) {
                try {
                    sender.send(new DatagramPacket(bytes, bytes.length, new InetSocketAddress(address, 7)));
                    DatagramPacket request = new DatagramPacket(new byte[64], 64);
                    socket.receive(request);
                    return Prefix.text(request.getAddress());
                } catch (IOException _) {
                    // Not yet.
                }
            }
            return "no reply";
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void wire() {
        List<LabNamespace> namespaces = namespaces();
        batch(namespaces.stream()
                .map(namespace -> "netns add " + namespace.name())
                .toList());
        namespaces.forEach(namespace -> namespace.sysctl(
                "net.ipv6.conf.all.accept_dad=0",
                "net.ipv6.conf.default.accept_dad=0",
                "net.ipv6.conf.all.accept_ra=0",
                "net.ipv6.conf.default.accept_ra=0"));
        router.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
        batch(IntStream.range(0, nodes.size())
                .mapToObj(i -> pair(node(i), "eth0", router, "node" + i))
                .toList());
        lan.ip("link set lo up", "link add switch type bridge mcast_snooping 0", "link set switch up");
        router.ip(
                "link set lo up",
                "address add " + Lab.SERVER_IPV4 + "/32 dev lo",
                "address add " + Lab.SERVER_IPV6 + "/128 dev lo nodad");
        for (int i = 0; i < nodes.size(); i++) {
            String router4 = "203.0.113." + (4 * i + 1);
            String router6 = "2001:db8:" + Integer.toHexString(0x100 + i) + "::1";
            router.ip(
                    "link set node" + i + " up",
                    "address add " + router4 + "/30 dev node" + i,
                    "address add " + router6 + "/64 dev node" + i + " nodad");
            node(i).ip(
                            "link set lo up",
                            "link set eth0 up",
                            "address add " + public4(i) + "/30 dev eth0",
                            "address add " + public6(i) + "/64 dev eth0 nodad",
                            "route add default via " + router4,
                            "route add default via " + router6);
        }
    }

    private List<LabNamespace> namespaces() {
        List<LabNamespace> all = new ArrayList<>(List.of(router, lan));
        all.addAll(nodes);
        return all;
    }

    private static void batch(List<String> lines) {
        CommandResult.of(List.of("ip", "-batch", "-"), String.join("\n", lines) + "\n")
                .outputOrFail();
    }

    /** The two ends get different interface indexes, for the reason given in {@link Lab}. */
    private static String pair(LabNamespace a, String nameA, LabNamespace b, String nameB) {
        return "link add %s netns %s index %d type veth peer name %s netns %s index %d"
                .formatted(nameA, a.name(), INDEX.incrementAndGet(), nameB, b.name(), INDEX.incrementAndGet());
    }

    @Override
    public void close() {
        for (AutoCloseable resource : resources.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new AssertionError("closing " + resource, e);
            }
        }
        for (LabNamespace namespace : namespaces()) {
            CommandResult.of(List.of("ip", "netns", "pids", namespace.name()))
                    .out()
                    .lines()
                    .forEach(pid -> CommandResult.of(List.of("kill", "-KILL", pid)));
        }
        CommandResult.of(
                List.of("ip", "-force", "-batch", "-"),
                namespaces().stream()
                        .map(namespace -> "netns delete " + namespace.name())
                        .collect(Collectors.joining("\n", "", "\n")));
    }
}
