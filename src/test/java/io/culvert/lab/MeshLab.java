package io.culvert.lab;

import io.culvert.ip.Prefix;
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
 * Machines that reach each other by a router, each with a network of its own, and that can be plugged into a switch beside
 * it:
 *
 * <pre>
 *   node 0 ──┐ 203.0.113.2/30,  2001:db8:100::2/64          each by eth0
 *   node 1 ──┼─ router                                      198.51.100.10, 2001:db8:1::10: the internet
 *   ...    ──┘ 203.0.113.6/30,  2001:db8:101::2/64
 *   node i ──── switch          10.77.0.(i + 1), fd77::(i + 1)   by lan0, when it is plugged in
 * </pre>
 */
public final class MeshLab implements AutoCloseable {

    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final AtomicInteger INDEX = new AtomicInteger(5000);

    private final String prefix =
            "mesh" + COUNT.incrementAndGet() + "-" + ProcessHandle.current().pid() + "-";
    private final Namespace router = new Namespace(prefix + "router");
    private final Namespace lan = new Namespace(prefix + "lan");
    private final List<Namespace> nodes;
    private final List<AutoCloseable> guests = new ArrayList<>();

    /** @param count up to 63 */
    public MeshLab(int count) {
        nodes = IntStream.range(0, count)
                .mapToObj(i -> new Namespace(prefix + "n" + i))
                .toList();
        try {
            wire();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    public Namespace node(int i) {
        return nodes.get(i);
    }

    public Namespace router() {
        return router;
    }

    /** Somebody on the switch who is no node. */
    public Namespace lan() {
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

    /** Ends with the lab, before its namespaces. */
    public <T extends AutoCloseable> T keep(T guest) {
        guests.add(guest);
        return guest;
    }

    /** Plugs a node into the switch. */
    public void plug(int i) {
        plug(node(i), lan4(i), "port" + i);
    }

    /** Plugs something into the switch under an address, which may be another's. */
    public void plug(Namespace who, String address, String port) {
        batch(List.of(pair(who, "lan0", lan, port)));
        lan.ip("link set " + port + " master switch", "link set " + port + " up");
        who.ip("link set lan0 up", "address add " + address + "/24 dev lan0");
    }

    /** Takes a node's own plug out: its link goes. */
    public void unplug(int i) {
        node(i).ip("link delete lan0");
    }

    /** Asks a server of the internet who he is, as the server sees it. */
    public String whoAsks(Namespace from, String server) {
        return whoAsks(from, "", router, server, 30);
    }

    /**
     * Asks somebody who he is, as that one sees it.
     *
     * @param source which address he asks with; empty for any
     * @param seconds to try
     * @return {@code nobody} where no question comes through
     */
    public static String whoAsks(Namespace from, String source, Namespace server, String address, int seconds) {
        try (DatagramSocket socket = server.call(() -> new DatagramSocket(new InetSocketAddress(address, 7)));
                DatagramSocket asking = from.call(() -> source.isEmpty()
                        ? new DatagramSocket()
                        : new DatagramSocket(new InetSocketAddress(source, 0)))) {
            socket.setSoTimeout((int) Patience.of(Duration.ofSeconds(1)).toMillis());
            byte[] bytes = "who am i?".getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < seconds; i++) {
                try {
                    asking.send(new DatagramPacket(bytes, bytes.length, new InetSocketAddress(address, 7)));
                    DatagramPacket question = new DatagramPacket(new byte[64], 64);
                    socket.receive(question);
                    return Prefix.text(question.getAddress());
                } catch (IOException _) {
                    // Not yet.
                }
            }
            return "nobody";
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void wire() {
        List<Namespace> all = spaces();
        batch(all.stream().map(space -> "netns add " + space.name()).toList());
        all.forEach(space -> space.sysctl(
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
                "address add " + Lab.SERVER_4 + "/32 dev lo",
                "address add " + Lab.SERVER_6 + "/128 dev lo nodad");
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

    private List<Namespace> spaces() {
        List<Namespace> all = new ArrayList<>(List.of(router, lan));
        all.addAll(nodes);
        return all;
    }

    private static void batch(List<String> lines) {
        Outcome.of(List.of("ip", "-batch", "-"), String.join("\n", lines) + "\n")
                .orFail();
    }

    /** With numbers that differ, for the reason that {@link Lab} gives. */
    private static String pair(Namespace a, String nameA, Namespace b, String nameB) {
        return "link add %s netns %s index %d type veth peer name %s netns %s index %d"
                .formatted(nameA, a.name(), INDEX.incrementAndGet(), nameB, b.name(), INDEX.incrementAndGet());
    }

    @Override
    public void close() {
        for (AutoCloseable guest : guests.reversed()) {
            try {
                guest.close();
            } catch (Exception e) {
                throw new AssertionError("closing " + guest, e);
            }
        }
        for (Namespace space : spaces()) {
            Outcome.of(List.of("ip", "netns", "pids", space.name()))
                    .out()
                    .lines()
                    .forEach(pid -> Outcome.of(List.of("kill", "-KILL", pid)));
        }
        Outcome.of(
                List.of("ip", "-force", "-batch", "-"),
                spaces().stream()
                        .map(space -> "netns delete " + space.name())
                        .collect(Collectors.joining("\n", "", "\n")));
    }
}
