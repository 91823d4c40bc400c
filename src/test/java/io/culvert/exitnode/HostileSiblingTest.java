package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Outcome;
import io.culvert.lab.Shape;
import java.util.ArrayList;
import java.util.List;
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
        culvert.awaitLine("DNS: port 5053 is in use", World.SOON);

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
}
