// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.ReceivedQuery;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A process without capabilities in the same network namespace, and files that container engines share. */
@NamespaceTest
class HostileProcessTest {

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

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private static List<String> unprivileged(String... command) {
        List<String> all = new ArrayList<>(
                List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"));
        all.addAll(List.of("--bounding-set=-all", "/usr/bin/python3", "-u", "-c"));
        all.addAll(List.of(command));
        return all;
    }

    private void bindPorts(int low, int high, String address) {
        fixture.namespace()
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
                .awaitLine("holds them", ExitNodeFixture.TIMEOUT);
    }

    /** Container engines let every user bind every port: here that of DHCP clients. */
    private RunningProgram respondOn(int port, int family) {
        fixture.namespace().sysctl("net.ipv4.ip_unprivileged_port_start=0");
        RunningProgram sibling = fixture.namespace()
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
        sibling.awaitLine("listens", ExitNodeFixture.TIMEOUT);
        return sibling;
    }

    private static void sendFrom(LabNamespace from, int source, String address, int port) {
        CommandResult sent = from.attempt("python3", "-c", """
                import socket, sys
                address = sys.argv[2]
                one = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
                one.bind(('', int(sys.argv[1])))
                one.sendto(b'an answer of DHCP', (address, int(sys.argv[3])))
                """, String.valueOf(source), address, String.valueOf(port));
        assertThat(sent.status()).as(sent.err()).isZero();
    }

    @Test
    void DHCP_ports_admit_replies_and_let_nothing_out() {
        RunningProgram four = respondOn(68, 4);
        RunningProgram six = respondOn(546, 6);
        assertThat(fixture.observer.sees(() -> {
                    sendFrom(fixture.lab.lanHost(), 67, Lab.NODE_IPV4, 68);
                    four.awaitLine("answered", ExitNodeFixture.TIMEOUT);
                }))
                .isTrue();
        fixture.connect(fixture.settings(Map.of()));
        fixture.observer.reset();

        sendFrom(fixture.lab.lanHost(), 67, Lab.NODE_IPV4, 68);
        sendFrom(fixture.lab.lanHost(), 547, Lab.NODE_IPV6, 546);
        four.awaitLine("cannot answer", ExitNodeFixture.TIMEOUT);
        six.awaitLine("cannot answer", ExitNodeFixture.TIMEOUT);

        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void occupied_tunnel_and_DNS_stub_ports_are_replaced() {
        fixture.verifyObserverDetectsLeaks(Family.IPV4);
        bindPorts(61001, 65534, "0.0.0.0");
        bindPorts(5053, 5053, "127.0.0.1");

        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        culvert.awaitLine("dns: port 5053 is in use", ExitNodeFixture.TIMEOUT);

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.node.resolve(Lab.RESOLVER_IPV4, "web.example", Family.IPV4))
                .isNotEmpty();
        fixture.lab.client().useExitNode();
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void oversized_or_unreadable_files_do_not_stop_the_exit_node() {
        fixture.in(Sandbox.CONTAINER.without("dac_override"));
        for (String name : List.of("hosts", "resolv.conf")) {
            assertThat(fixture.namespace()
                            .attempt(
                                    "truncate",
                                    "-s",
                                    "8G",
                                    fixture.lab
                                            .node()
                                            .run()
                                            .resolveSibling(name)
                                            .toString())
                            .status())
                    .isZero();
        }
        try (RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()))) {
            fixture.assertLocalTrafficUsesTunnel(Family.values());
            culvert.kill();
        }
        fixture.namespace()
                .run(
                        "chmod",
                        "000",
                        fixture.lab.node().run().resolveSibling("resolv.conf").toString());
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    /** Sends every unusual query by UDP and TCP to each address, and prints a line when all are sent. */
    private static final String UNUSUAL_QUERIES = """
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
    void unusual_and_malformed_queries_do_not_leak_and_the_stub_keeps_running() {
        fixture.lab.node().resolvConf("nameserver " + Lab.ROUTER_IPV4 + "\nsearch dns.podman\n");
        assertThat(fixture.observer.sees(
                        () -> fixture.node.resolve(Lab.ROUTER_IPV4, "before.dns.podman.example", Family.IPV4)))
                .isTrue();
        fixture.observer.allow(
                "queries for container names",
                packet -> packet.destinationPort() == 53
                        && packet.isTo(Lab.ROUTER_IPV4)
                        && packet.payload().toLowerCase(Locale.ROOT).contains("\3dns\6podman\0"));
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();
        fixture.observer.reset();

        CommandResult sibling = fixture.namespace()
                .attempt(unprivileged(
                                UNUSUAL_QUERIES,
                                "127.0.0.1",
                                "::1",
                                Lab.ROUTER_IPV4,
                                Lab.RESOLVER_IPV4,
                                Lab.RESOLVER_IPV6)
                        .toArray(String[]::new));
        assertThat(sibling.out()).as(sibling.err()).contains("all asked");
        List<String> phone = new ArrayList<>(List.of("python3", "-u", "-c", UNUSUAL_QUERIES));
        phone.addAll(ExitNodeFixture.meshAddresses());
        assertThat(fixture.lab
                        .client()
                        .namespace()
                        .attempt(phone.toArray(String[]::new))
                        .out())
                .contains("all asked");

        // Queries that may bypass the tunnel still do, and all others are answered.
        fixture.node.resolve("127.0.0.1", "db.dns.podman", Family.IPV4);
        assertThat(fixture.node.resolve("127.0.0.1", "web.example", Family.IPV4))
                .containsExactly(Lab.SERVER_IPV4);
        assertThat(fixture.phone.resolve(ExitNodeFixture.meshAddresses().getFirst(), "web.example", Family.IPV4))
                .containsExactly(Lab.SERVER_IPV4);
        assertThat(fixture.lab.internet().queries())
                .filteredOn(query -> query.sourceAddress().equals(Lab.NODE_IPV4)
                        && !query.name().startsWith("before"))
                .extracting(ReceivedQuery::name)
                .contains("db.dns.podman.")
                .allSatisfy(name -> assertThat(name)
                        .matches("(?i)[a-z0-9_-]+\\.dns\\.podman\\.")
                        .doesNotContainIgnoringCase("secret"));
        assertThat(culvert.isAlive()).isTrue();
        assertThat(fixture.observer.leaks()).isEmpty();
    }
}
