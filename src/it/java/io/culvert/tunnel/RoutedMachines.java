// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import io.culvert.lab.CommandResult;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.RunningProgram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Two machines with a router between them, on which tunnels are brought up by the program under test only:
 *
 * <pre>
 *   left  192.0.2.2/24, 2001:db8:1::2/64     ── router ──  right  198.51.100.2/24, 2001:db8:2::2/64
 * </pre>
 *
 * Each has a /run of its own, where userspace devices have their sockets.
 */
final class RoutedMachines implements AutoCloseable {

    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final String PROGRAM = System.getProperty(
            "culvert.program", Path.of("culvert").toAbsolutePath().toString());

    /** Address, count, size, device, seconds. */
    private static final String PING = """
        import os, socket, struct, sys, time
        address, count, size, device, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], float(sys.argv[5])
        six = ':' in address
        family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
        request, reply = (128, 129) if six else (8, 0)
        one = socket.socket(family, socket.SOCK_RAW, protocol)
        if device: one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        me, received = os.getpid() & 0xffff, 0
        def checksum(data):
            data += bytes(len(data) % 2)
            total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
            while total > 0xffff: total = (total & 0xffff) + (total >> 16)
            return ~total & 0xffff
        for number in range(count):
            packet = struct.pack('!BBHHH', request, 0, 0, me, number) + bytes(size)
            if not six: packet = packet[:2] + struct.pack('!H', checksum(packet)) + packet[4:]
            try: one.sendto(packet, (address, 0))
            except OSError: continue
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                one.settimeout(max(0.001, end - time.monotonic()))
                try: data, source = one.recvfrom(65535)
                except OSError: break
                if not six: data = data[20:]
                if data[0] == reply and struct.unpack('!HH', data[4:8]) == (me, number):
                    received += 1
                    break
                if not six and data[0] == 3:
                    print('unreachable, says', source[0])
                    break
        print(received)
        """;

    /** One of the two machines, with its own /run. */
    final class Machine {

        private final LabNamespace namespace;
        private final Path root;

        private Machine(String name) {
            namespace = new LabNamespace(prefix + name);
            try {
                root = Files.createDirectories(directory.resolve(name));
                Files.createDirectories(root.resolve("run/wireguard"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        LabNamespace namespace() {
            return namespace;
        }

        Path run() {
            return root.resolve("run");
        }

        /** Runs a program that sees the machine's /run. */
        CommandResult attempt(String... command) {
            return namespace.attempt(Stream.concat(
                            Stream.of(
                                    "unshare",
                                    "--mount",
                                    "sh",
                                    "-c",
                                    "mount -n --bind \"$0/run\" /run && exec \"$@\"",
                                    root.toString()),
                            Stream.of(command))
                    .toArray(String[]::new));
        }

        CommandResult tunnel(String... arguments) {
            return attempt(
                    Stream.concat(Stream.of("env", "CULVERT_CONTAINER=false", PROGRAM, "tunnel"), Stream.of(arguments))
                            .toArray(String[]::new));
        }

        /** Writes a file {@code NAME.conf} and brings it up, or applies its changes. */
        void up(String name, String text) {
            tunnel("up", file(name, text)).outputOrFail();
        }

        void down(String name) {
            tunnel("down", root.resolve(name + ".conf").toString()).outputOrFail();
        }

        String file(String name, String text) {
            try {
                return Files.writeString(root.resolve(name + ".conf"), text).toString();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Runs {@code wg set} with these arguments, separated by spaces. */
        void wgSet(String arguments) {
            List<String> command = new ArrayList<>(List.of("wg", "set"));
            command.addAll(List.of(arguments.split(" ", -1)));
            attempt(command.toArray(String[]::new)).outputOrFail();
        }

        /** Returns what {@code wg show INTERFACE FIELD} prints. */
        String show(String link, String field) {
            return attempt("wg", "show", link, field).outputOrFail().strip();
        }

        /** Returns how many of this many echo requests got a reply within ten seconds each. */
        int ping(String address, int count) {
            return Integer.parseInt(ping(address, count, 56, "", 10));
        }

        String ping(String address, int count, int size, String device, int seconds) {
            return RoutedMachines.ping(namespace, address, count, size, device, seconds);
        }

        /** Transfers by iperf3 with these options to a server on the other machine, and returns the report. */
        String iperf(Machine server, String address, String... options) {
            try (RunningProgram iperf = server.namespace.start("iperf3", "-s", "-1", "--forceflush", "-B", address)) {
                iperf.awaitLine("Server listening", Duration.ofSeconds(20));
                List<String> command = new ArrayList<>(List.of("iperf3", "-c", address));
                command.addAll(List.of(options));
                return namespace.run(command.toArray(String[]::new));
            }
        }
    }

    private final String prefix = "routed" + COUNT.incrementAndGet() + "-";
    private final Path directory;
    final Machine left;
    final Machine right;
    final LabNamespace router = new LabNamespace(prefix + "router");

    RoutedMachines() {
        try {
            directory = Files.createTempDirectory("routed-machines");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        left = new Machine("left");
        right = new Machine("right");
        try {
            wire();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private List<LabNamespace> namespaces() {
        return List.of(left.namespace, right.namespace, router);
    }

    private void wire() {
        for (LabNamespace namespace : namespaces()) {
            CommandResult.of(List.of("ip", "netns", "add", namespace.name())).outputOrFail();
            namespace.sysctl(
                    "net.ipv6.conf.all.accept_dad=0",
                    "net.ipv6.conf.default.accept_dad=0",
                    "net.ipv6.conf.default.accept_ra=0",
                    "net.ipv4.conf.all.rp_filter=0",
                    "net.ipv4.conf.default.rp_filter=0",
                    "net.ipv4.conf.default.promote_secondaries=1",
                    "net.ipv4.ip_forward=1",
                    "net.ipv6.conf.all.forwarding=1");
            namespace.ip("link set lo up");
        }
        connect(left, "eth0", "left", "192.0.2.", "2001:db8:1::");
        connect(right, "eth0", "right", "198.51.100.", "2001:db8:2::");
        left.namespace.ip("route add default via 192.0.2.1", "route add default via 2001:db8:1::1");
        right.namespace.ip("route add default via 198.51.100.1", "route add default via 2001:db8:2::1");
    }

    /** Connects a machine to the router, which has the first address of both networks; the machine has the second one. */
    void connect(Machine machine, String link, String peer, String network4, String network6) {
        // Different indexes at both ends, for the reason given in Lab.
        router.ip("link add " + peer + " index " + (4000 + COUNT.incrementAndGet()) + " type veth peer name " + link
                + " netns " + machine.namespace.name());
        router.ip(
                "link set " + peer + " up",
                "address add " + network4 + "1/24 dev " + peer,
                "address add " + network6 + "1/64 dev " + peer + " nodad");
        machine.namespace.ip(
                "link set " + link + " up",
                "address add " + network4 + "2/24 dev " + link,
                "address add " + network6 + "2/64 dev " + link + " nodad");
    }

    /**
     * Sends echo requests, each after the reply to the one before, or after the time for it.
     *
     * @param device to bind to; empty for none
     * @return the number of replies, after a line for each ICMP error
     */
    static String ping(LabNamespace from, String address, int count, int size, String device, int seconds) {
        return from.run("python3", "-c", PING, address, "" + count, "" + size, device, "" + seconds)
                .strip();
    }

    /** Returns the programs that run on the machines. */
    String programs() {
        return Stream.of(left, right)
                .flatMap(machine -> CommandResult.of(List.of("ip", "netns", "pids", machine.namespace.name()))
                        .out()
                        .lines())
                .collect(Collectors.joining(" "));
    }

    @Override
    public void close() {
        for (LabNamespace namespace : namespaces()) {
            CommandResult.of(List.of("ip", "netns", "pids", namespace.name()))
                    .out()
                    .lines()
                    .forEach(pid -> CommandResult.of(List.of("kill", "-KILL", pid)));
            CommandResult.of(List.of("ip", "netns", "delete", namespace.name()));
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
