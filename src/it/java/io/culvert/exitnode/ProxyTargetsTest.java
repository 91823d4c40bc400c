// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.WireGuardClient;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever address or name a proxy client requests, the proxy reaches nothing of this machine or its networks. */
@NamespaceTest
class ProxyTargetsTest {

    /** A port on which a program in this network namespace listens on all addresses; it is not published. */
    private static final int SIBLING = 9999;

    /** A port on which the LAN host listens. */
    private static final int LAN_HOST = 9998;

    /** A port on which an internet server responds. */
    private static final int INTERNET = 9997;

    /** Addresses in every form that a proxy may misinterpret. */
    private static final List<String> TARGETS = List.of(
            // This machine.
            "127.0.0.1",
            "127.1.2.3",
            "127.255.255.254",
            "0.0.0.0",
            "0.1.2.3",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:0:0",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:7f00:1::80ff:fffe",
            // Its addresses on the uplink, in the tunnel and in the mesh.
            Lab.NODE_IPV4,
            Lab.NODE_IPV6,
            ExitNodeFixture.PRIVATE_NODE_4,
            ExitNodeFixture.PRIVATE_NODE_6,
            "::ffff:" + Lab.NODE_IPV4,
            "::ffff:" + ExitNodeFixture.PRIVATE_NODE_4,
            "TUNNEL_4",
            "TUNNEL_6",
            "::ffff:TUNNEL_4",
            WireGuardClient.MESH_NODE_IPV4,
            WireGuardClient.MESH_NODE_IPV6,
            "fe80::1",
            "LINK_LOCAL",
            "LINK_LOCAL%eth0",
            // Machines and services of its networks.
            ExitNodeFixture.PRIVATE_LAN_HOST_4,
            ExitNodeFixture.PRIVATE_LAN_HOST_6,
            "::ffff:" + ExitNodeFixture.PRIVATE_LAN_HOST_4,
            "169.254.169.254",
            "192.0.2.63",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
            "ff02::1%eth0",
            // Names, and texts that a C library parses as an address.
            "localhost",
            "localhost.",
            "LOCALHOST",
            "x.localhost",
            "ip6-localhost",
            "2130706433",
            "0x7f.1",
            "127.1",
            "017700000001",
            "[::1]",
            "loopback.example",
            "uplink.example",
            "private.example",
            "lan-host.example",
            "rebind1.example",
            "rebind2.example",
            "rebind3.example");

    private static final String ANSWERS = """
            import socket, sys, threading
            port = int(sys.argv[1])
            tcp = socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=500)
            udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); udp.bind(('::', port))
            RECVPKTINFO, PKTINFO = 49, 50
            udp.setsockopt(socket.IPPROTO_IPV6, RECVPKTINFO, 1)
            def streams():
                while True:
                    one, _ = tcp.accept()
                    try:
                        one.settimeout(0.05)
                        try: hello = one.recv(2048)
                        except OSError: hello = b''
                        head = b'HTTP/1.0 200 OK\\r\\n\\r\\n' if hello.startswith(b'GET') else b''
                        one.sendall(head + b'I am reached'); one.close()
                    except OSError: pass
            threading.Thread(target=streams, daemon=True).start()
            print('answers')
            while True:
                _, asides, _, who = udp.recvmsg(2048, 64)
                # From the address that was asked, whatever others this machine has.
                to, link = asides[0][2][:16], asides[0][2][16:]
                if to[0] != 0xfe: link = bytes(4)
                try: udp.sendmsg([b'I am reached'], [(socket.IPPROTO_IPV6, PKTINFO, to + link)], 0, who)
                except OSError: pass
            """;

    /** Prints the targets that were reached, as in {@code CONNECT 127.0.0.1 9999}. */
    private static final String ASKS = """
            import concurrent.futures, ipaddress, socket, struct, sys
            proxy, wait, ports, targets = sys.argv[1], float(sys.argv[2]), sys.argv[3].split(','), sys.argv[4:]
            def exactly(tcp, count):
                got = b''
                while len(got) < count:
                    part = tcp.recv(count - len(got))
                    if not part: raise OSError('closed')
                    got += part
                return got
            def session():
                tcp = socket.create_connection((proxy, 1080), 30); tcp.settimeout(30)
                tcp.sendall(b'\\5\\1\\0')
                if exactly(tcp, 2) != b'\\5\\0': raise OSError('refused')
                tcp.settimeout(wait)
                return tcp
            def form(target):
                try:
                    if '%' in target: raise ValueError
                    address = ipaddress.ip_address(target)
                    return (b'\\1' if address.version == 4 else b'\\4') + address.packed
                except ValueError:
                    return b'\\3' + bytes([len(target)]) + target.encode()
            def reply(tcp):
                head = exactly(tcp, 4)
                size = {1: 4, 4: 16}.get(head[3])
                if size is None: raise OSError('odd')
                rest = exactly(tcp, size + 2)
                return head[1], str(ipaddress.ip_address(rest[:size])), struct.unpack('!H', rest[size:])[0]
            def connect(target, port):
                with session() as tcp:
                    tcp.sendall(b'\\5\\1\\0' + form(target) + struct.pack('!H', port))
                    return reply(tcp)[0] == 0 and tcp.recv(64) != b''
            def bind(target, port):
                with session() as tcp:
                    tcp.sendall(b'\\5\\2\\0' + form(target) + struct.pack('!H', port))
                    code, address, bound = reply(tcp)
                    if code: return False
                    print(f'BOUND {address}\\n', end='', flush=True)
                    return False
            def datagram(target, port):
                with session() as tcp:
                    tcp.sendall(b'\\5\\3\\0\\1' + bytes(6))
                    code, address, relay = reply(tcp)
                    if code: raise OSError('no relay')
                    with socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM) as udp:
                        udp.settimeout(wait / 3)
                        for _ in range(3):
                            udp.sendto(b'\\0\\0\\0' + form(target) + struct.pack('!H', port) + b'hello', (address, relay))
                            try: return b'reached' in udp.recv(2048)
                            except TimeoutError: pass
                        return False
            def answer(target, port, request):
                with socket.create_connection((proxy, 8888), 30) as tcp:
                    tcp.settimeout(wait)
                    name = f'[{target}]' if ':' in target and '[' not in target else target
                    tcp.sendall(request.format(f'{name}:{port}', port).encode())
                    got = b''
                    while b'reached' not in got:
                        part = tcp.recv(2048)
                        if not part: return False
                        got += part
                    return True
            def http(target, port):
                return answer(target, port, 'CONNECT {0} HTTP/1.1\\r\\n\\r\\n')
            def plain(target, port):
                return answer(target, port, 'GET http://{0}/ HTTP/1.1\\r\\nHost: {0}\\r\\n\\r\\n')
            def transparent(target, port):
                return answer(target, port, 'GET / HTTP/1.1\\r\\nHost: {0}\\r\\n\\r\\n')
            ways = {'CONNECT': connect, 'BIND': bind, 'UDP': datagram, 'HTTP': http, 'GET': plain, 'HOST': transparent}
            def tried(way, target, port):
                try: reached = ways[way](target, int(port))
                except OSError: reached = False
                if reached: print(f'{way} {target} {port}\\n', end='', flush=True)
            with concurrent.futures.ThreadPoolExecutor(64) as pool:
                for target in targets:
                    for port in ports:
                        for way in ways:
                            if way != 'BIND' or port == ports[0]: pool.submit(tried, way, target, port)
            print('all tried')
            """;

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    @BeforeEach
    void serve() {
        fixture.addPrivateNetwork();
        for (Map.Entry<LabNamespace, Integer> one : Map.of(
                        fixture.namespace(), SIBLING,
                        fixture.lab.lanHost(), LAN_HOST,
                        fixture.lab.internet().namespace(), INTERNET)
                .entrySet()) {
            one.getKey()
                    .start("python3", "-u", "-c", ANSWERS, String.valueOf(one.getValue()))
                    .awaitLine("answers", ExitNodeFixture.TIMEOUT);
        }
        fixture.lab.internet().setAddresses("loopback.example", "127.0.0.1");
        fixture.lab.internet().setAddresses("uplink.example", Lab.NODE_IPV4);
        fixture.lab.internet().setAddresses("private.example", ExitNodeFixture.PRIVATE_NODE_4);
        fixture.lab.internet().setAddresses("lan-host.example", ExitNodeFixture.PRIVATE_LAN_HOST_4);
        fixture.lab.internet().setAddresses("rebind1.example", Lab.SERVER_IPV4, "127.0.0.1");
        fixture.lab.internet().setAddresses("rebind2.example", "127.0.0.1", Lab.SERVER_IPV4);
        fixture.lab.internet().setAddresses("rebind3.example", Lab.SERVER_IPV4, ExitNodeFixture.PRIVATE_NODE_4);
    }

    private List<String> reachedTargets(
            LabNamespace from, String proxy, Duration wait, String ports, List<String> targets) {
        List<String> command = new ArrayList<>(
                List.of("python3", "-u", "-c", ASKS, proxy, String.valueOf(wait.toMillis() / 1000.0), ports));
        targets.stream().map(this::address).forEach(command::add);
        String out = from.attempt(command.toArray(String[]::new)).out();
        assertThat(out).contains("all tried");
        return out.lines()
                .filter(line -> !line.equals("all tried"))
                .distinct()
                .sorted()
                .toList();
    }

    private String address(String target) {
        return target.replace("TUNNEL_4", fixture.lab.provider().customerIpv4())
                .replace("TUNNEL_6", fixture.lab.provider().customerIpv6())
                .replace("LINK_LOCAL", linkLocal());
    }

    private String linkLocal() {
        return fixture.namespace()
                .run("ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "link")
                .strip()
                .split("\\s+", -1)[3]
                .split("/", -1)[0];
    }

    private static String reachedDirectly(LabNamespace from, String address, int port) {
        return from.attempt("python3", "-c", """
                        import socket, sys
                        print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 10).recv(64).decode())
                        """, address, String.valueOf(port))
                .out()
                .strip();
    }

    @Test
    void the_proxy_reaches_neither_this_machine_nor_its_networks() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        // Without the proxy's rules, all these targets respond.
        assertThat(reachedDirectly(fixture.namespace(), "127.0.0.1", SIBLING)).isEqualTo("I am reached");
        assertThat(reachedDirectly(fixture.lab.lanHost(), ExitNodeFixture.PRIVATE_NODE_4, SIBLING))
                .isEqualTo("I am reached");
        assertThat(reachedDirectly(fixture.namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_4, LAN_HOST))
                .isEqualTo("I am reached");
        Map<String, String> settings = fixture.settings(Map.of(
                "CULVERT_SOCKS", "true",
                "CULVERT_HTTP_PROXY", "true",
                "CULVERT_SOCKS_ALLOW", "192.0.2.0/26 127.0.0.0/8",
                "CULVERT_SOCKS_UDP_PORTS", "4000-4063"));
        fixture.connect(settings).awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        fixture.observer
                .allowService(1080)
                .allowService(8888)
                .allow(
                        "its datagrams",
                        packet -> packet.isTo(Lab.LAN_HOST_IPV4)
                                && packet.sourcePort() >= 4000
                                && packet.sourcePort() < 4064);
        fixture.observer.reset();

        for (Map.Entry<LabNamespace, String> client : Map.of(
                        fixture.lab.lanHost(), Lab.NODE_IPV4, fixture.namespace(), "127.0.0.1")
                .entrySet()) {
            List<String> allowed = reachedTargets(
                    client.getKey(),
                    client.getValue(),
                    ExitNodeFixture.TIMEOUT,
                    String.valueOf(INTERNET),
                    List.of(Lab.SERVER_IPV4, Lab.SERVER_IPV6, "web.example"));
            assertThat(allowed)
                    .contains(
                            "CONNECT " + Lab.SERVER_IPV4 + " " + INTERNET,
                            "CONNECT " + Lab.SERVER_IPV6 + " " + INTERNET,
                            "CONNECT web.example " + INTERNET,
                            "UDP " + Lab.SERVER_IPV4 + " " + INTERNET,
                            "UDP web.example " + INTERNET,
                            "HTTP " + Lab.SERVER_IPV4 + " " + INTERNET,
                            "HTTP " + Lab.SERVER_IPV6 + " " + INTERNET,
                            "HTTP web.example " + INTERNET,
                            "GET " + Lab.SERVER_IPV4 + " " + INTERNET,
                            "GET web.example " + INTERNET);

            List<String> reachedTargets = reachedTargets(
                    client.getKey(), client.getValue(), Duration.ofSeconds(3), SIBLING + "," + LAN_HOST, TARGETS);
            assertThat(reachedTargets)
                    .filteredOn(line -> !line.startsWith("BOUND"))
                    .as("from " + client.getKey().name())
                    .isEmpty();
            assertThat(reachedTargets)
                    .filteredOn(line -> line.startsWith("BOUND"))
                    .isSubsetOf(
                            "BOUND " + fixture.lab.provider().customerIpv4(),
                            "BOUND " + fixture.lab.provider().customerIpv6());
        }

        assertThat(fixture.observer.leaks()).isEmpty();
    }
}
