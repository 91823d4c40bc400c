package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.DnsQuestion;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Outcome;
import io.culvert.lab.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A process without any capability that shares the network, and files that container engines share. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class HostileSiblingTest {

    private static final String BINDS_ALL = """
            import resource, socket, sys
            low, high, address = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
            resource.setrlimit(resource.RLIMIT_NOFILE, (high - low + 100,) * 2)
            held = []
            for port in range(low, high + 1):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    if kind == socket.SOCK_STREAM and address == '0.0.0.0': continue
                    one = socket.socket(socket.AF_INET, kind)
                    one.bind((address, port))
                    if kind == socket.SOCK_STREAM: one.listen()
                    held.append(one)
            print('holds them')
            sys.stdin.read()
            """;

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    private static List<String> unprivileged(String... command) {
        List<String> all = new ArrayList<>(
                List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"));
        all.addAll(List.of("--bounding-set=-all", "/usr/bin/python3", "-u", "-c"));
        all.addAll(List.of(command));
        return all;
    }

    private void holds(int low, int high, String address) {
        world.space()
                .start(
                        "sh",
                        "-c",
                        "tail -f /dev/null | \"$@\"",
                        "sibling",
                        "python3",
                        "-u",
                        "-c",
                        BINDS_ALL,
                        "" + low,
                        "" + high,
                        address)
                .awaitLine("holds them", World.SOON);
    }

    /** Engines let every user bind every port: here the one of DHCP clients. */
    private Child answersOn(int port, int family) {
        world.space().sysctl("net.ipv4.ip_unprivileged_port_start=0");
        Child sibling = world.space()
                .start(unprivileged("""
                                import socket, sys
                                family = socket.AF_INET6 if sys.argv[2] == '6' else socket.AF_INET
                                one = socket.socket(family, socket.SOCK_DGRAM)
                                one.setsockopt(socket.SOL_SOCKET, 25, b'eth0')
                                one.bind(('', int(sys.argv[1])))
                                print('listens')
                                while True:
                                    text, to = one.recvfrom(2048)
                                    try:
                                        one.sendto(b'let me out', to)
                                        print('answered')
                                    except OSError as e:
                                        print('cannot answer')
                                """, String.valueOf(port), String.valueOf(family))
                        .toArray(String[]::new));
        sibling.awaitLine("listens", World.SOON);
        return sibling;
    }

    private static void sendFrom(Namespace from, int source, String address, int port) {
        Outcome sent = from.attempt("python3", "-c", """
                import socket, sys
                address = sys.argv[2]
                one = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
                one.bind(('', int(sys.argv[1])))
                one.sendto(b'an answer of DHCP', (address, int(sys.argv[3])))
                """, String.valueOf(source), address, String.valueOf(port));
        assertThat(sent.status()).as(sent.err()).isZero();
    }

    @Test
    void ports_of_DHCP_let_answers_in_and_nothing_out() {
        Child four = answersOn(68, 4);
        Child six = answersOn(546, 6);
        assertThat(world.observer.sees(() -> {
                    sendFrom(world.lab.neighbour(), 67, Lab.NODE_4, 68);
                    four.awaitLine("answered", World.SOON);
                }))
                .isTrue();
        world.connect(world.settings(Map.of()));
        world.observer.forget();

        sendFrom(world.lab.neighbour(), 67, Lab.NODE_4, 68);
        sendFrom(world.lab.neighbour(), 547, Lab.NODE_6, 546);
        four.awaitLine("cannot answer", World.SOON);
        six.awaitLine("cannot answer", World.SOON);

        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void whoever_holds_the_ports_of_tunnel_and_stub_holds_up_nothing() {
        world.observerIsNotBlind(Family.IPV4);
        holds(61001, 65534, "0.0.0.0");
        holds(5053, 5053, "127.0.0.1");

        Child culvert = world.connect(world.settings(Map.of()));
        culvert.awaitLine("dns: port 5053 is in use", World.SOON);

        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.node.resolve(Lab.RESOLVER_4, "web.example", Family.IPV4))
                .isNotEmpty();
        world.lab.client().useExitNode();
        assertThat(world.phone.whoami(Family.IPV4)).contains(world.provider(Family.IPV4));
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void files_that_are_larger_than_the_memory_or_unreadable_end_nothing() {
        world.in(Box.CONTAINER.without("dac_override"));
        for (String name : List.of("hosts", "resolv.conf")) {
            assertThat(world.space()
                            .attempt(
                                    "truncate",
                                    "-s",
                                    "8G",
                                    world.lab.node().run().resolveSibling(name).toString())
                            .status())
                    .isZero();
        }
        try (Child culvert = world.connect(World.alone(Map.of()))) {
            world.localTrafficGoesByTheProvider(Family.values());
            culvert.kill();
        }
        world.space()
                .run(
                        "chmod",
                        "000",
                        world.lab.node().run().resolveSibling("resolv.conf").toString());
        world.connect(World.alone(Map.of()));
        world.localTrafficGoesByTheProvider(Family.values());
    }

    /** Every oddity by UDP and TCP, at each address; prints when all of it is sent, whatever came of it. */
    private static final String ODD_QUESTIONS = """
            import socket, struct, sys
            def name(*labels):
                return b''.join(bytes([len(l)]) + l for l in (x if isinstance(x, bytes) else x.encode() for x in labels)) + b'\\0'
            def message(question, flags=0x0100, counts=(1, 0, 0, 0), rest=b''):
                return struct.pack('!HH4H', 7, flags, *counts) + question + rest
            def asks(wire, kind=1, klass=1):
                return wire + struct.pack('!HH', kind, klass)
            podman = ('dns', 'podman')
            secret = asks(name('secret', 'example', *podman))
            options = b'\\0\\x08\\0\\x08\\0\\1\\x20\\0\\xc6\\x33\\x64\\1' + b'\\0\\x0a\\0\\x08' + b'cookies!'
            odd = [
                secret, asks(name('SECRET', 'Example', 'DNS', 'podman')), asks(name(b'secret.example', *podman)),
                asks(name(b'secret\\\\.example', *podman)), asks(name(b'secret\\0', *podman)), asks(name(b'\\xff secret', *podman)),
                asks(name(b'secret.example')), asks(name('secret', 'dns', 'podman', 'example')), asks(name('x' * 63, 'secret', *podman)),
                asks(name('secret', 'example'), 255), asks(name('secret', 'example'), 252), asks(name('secret', 'example'), 16, 3),
                asks(name('_secret', '_tcp', *podman), 33), asks(name('secret', 'in-addr', 'arpa'), 12),
            ]
            messages = [message(q) for q in odd]
            messages += [message(secret, flags) for flags in (0x8100, 0x0300, 0x2800, 0x2000, 0x0110, 0xffff)]
            messages += [
                message(asks(name('db', *podman)) + secret, counts=(2, 0, 0, 0)),
                message(b'', counts=(0, 0, 0, 0)), message(secret, counts=(65535, 65535, 65535, 65535)),
                message(secret * 100, counts=(100, 0, 0, 0)),
                message(secret, counts=(1, 0, 0, 1), rest=b'\\0' + struct.pack('!HHIH', 41, 65535, 0x00008000, len(options)) + options),
                message(secret, counts=(1, 0, 0, 1), rest=b'\\0' + struct.pack('!HHIH', 41, 0, 0x00ff0000, 0)),
                message(secret, counts=(1, 0, 0, 2), rest=(b'\\0' + struct.pack('!HHIH', 41, 4096, 0, 0)) * 2),
                message(b'\\xc0\\x0c\\0\\1\\0\\1'), message(b'\\xc0\\x0e\\xc0\\x0c\\0\\1\\0\\1'), message(b'\\x06secret\\xc0\\x0c\\0\\1\\0\\1'),
                message(b'\\x3fsecret'), message(b'\\x46secret\\0\\0\\1\\0\\1'), message(b'\\1a' * 200 + b'\\0\\0\\1\\0\\1'),
            ]
            whole = message(secret)
            messages += [whole[:length] for length in range(len(whole))]
            for address in sys.argv[1:]:
                family = socket.AF_INET6 if ':' in address else socket.AF_INET
                for one in messages:
                    udp = socket.socket(family, socket.SOCK_DGRAM)
                    try: udp.sendto(one, (address, 53))
                    except OSError: pass
                    udp.close()
                    try:
                        with socket.create_connection((address, 53), 10) as tcp:
                            tcp.sendall(struct.pack('!H', len(one)) + one)
                            tcp.shutdown(socket.SHUT_WR)
                            while tcp.recv(4096): pass
                    except OSError: pass
            print('all asked')
            """;

    @Test
    void odd_and_malformed_questions_are_told_to_nobody_outside_and_the_stub_goes_on() {
        world.lab.node().resolvConf("nameserver " + Lab.ROUTER_4 + "\nsearch dns.podman\n");
        assertThat(world.observer.sees(
                        () -> world.node.resolve(Lab.ROUTER_4, "before.dns.podman.example", Family.IPV4)))
                .isTrue();
        world.observer.allow(
                "questions for containers",
                packet -> packet.destinationPort() == 53
                        && packet.isTo(Lab.ROUTER_4)
                        && packet.payload().toLowerCase(Locale.ROOT).contains("\3dns\6podman\0"));
        Child culvert = world.connect(world.settings(Map.of()));
        world.lab.client().useExitNode();
        world.observer.forget();

        Outcome sibling = world.space()
                .attempt(unprivileged(ODD_QUESTIONS, "127.0.0.1", "::1", Lab.ROUTER_4, Lab.RESOLVER_4, Lab.RESOLVER_6)
                        .toArray(String[]::new));
        assertThat(sibling.out()).as(sibling.err()).contains("all asked");
        List<String> phone = new ArrayList<>(List.of("python3", "-u", "-c", ODD_QUESTIONS));
        phone.addAll(World.meshAddresses());
        assertThat(world.lab
                        .client()
                        .space()
                        .attempt(phone.toArray(String[]::new))
                        .out())
                .contains("all asked");

        // What may be asked outside still is, and everybody else is answered.
        world.node.resolve("127.0.0.1", "db.dns.podman", Family.IPV4);
        assertThat(world.node.resolve("127.0.0.1", "web.example", Family.IPV4)).containsExactly(Lab.SERVER_4);
        assertThat(world.phone.resolve(World.meshAddresses().getFirst(), "web.example", Family.IPV4))
                .containsExactly(Lab.SERVER_4);
        assertThat(world.lab.internet().questions())
                .filteredOn(question ->
                        question.asker().equals(Lab.NODE_4) && !question.name().startsWith("before"))
                .extracting(DnsQuestion::name)
                .contains("db.dns.podman.")
                .allSatisfy(name -> assertThat(name)
                        .matches("(?i)[a-z0-9_-]+\\.dns\\.podman\\.")
                        .doesNotContainIgnoringCase("secret"));
        assertThat(culvert.isAlive()).isTrue();
        assertThat(world.observer.leaks()).isEmpty();
    }
}
