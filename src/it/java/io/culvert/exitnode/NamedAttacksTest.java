// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.WireGuardClient;
import io.culvert.net.Family;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Published attacks on VPNs. Each first succeeds where the kill switch is absent or has the rules of another program. */
@NamespaceTest
class NamedAttacksTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private static CommandResult python(LabNamespace namespace, String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of("python3", "-c", program));
        command.addAll(List.of(arguments));
        CommandResult result = namespace.attempt(command.toArray(String[]::new));
        assertThat(result.status()).as(result.err()).isZero();
        return result;
    }

    private RunningProgram connectWithPhone() {
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        return culvert;
    }

    /** TunnelVision (CVE-2024-3661), and LocalNet (CVE-2023-36672): a route of the local network is more specific than the tunnel's. */
    @Test
    void a_route_of_the_local_network_opens_the_rules_of_wg_quick() {
        fixture.namespace()
                .ip("link add wg9 type veth peer name wg9peer", "link set wg9 up", "route add default dev wg9 table 9");
        fixture.namespace().ip("rule add pref 8 lookup main suppress_prefixlength 0", "rule add pref 9 lookup 9");
        assertThat(fixture.observer.sees(() -> fixture.node.echo(Family.IPV4))).isFalse();

        fixture.namespace().ip("route add 198.51.100.0/25 via " + Lab.ROUTER_IPV4);
        assertThat(fixture.observer.sees(() -> fixture.node.echo(Family.IPV4)))
                .as("TunnelVision")
                .isTrue();
        fixture.namespace().ip("route delete 198.51.100.0/25", "address add 198.51.100.200/24 dev eth0");
        fixture.lab.router().ip("route add " + Lab.SERVER_IPV4 + "/32 via 203.0.113.129");
        fixture.lab.router().sysctl("net.ipv4.conf.lan.proxy_arp=1");
        assertThat(fixture.observer.sees(() -> fixture.node.echo(Family.IPV4)))
                .as("LocalNet")
                .isTrue();
        fixture.namespace().ip("address delete 198.51.100.200/24 dev eth0", "rule delete pref 8", "rule delete pref 9");

        connectWithPhone();
        fixture.observer.reset();
        for (String route : List.of(
                "route add 198.51.100.0/25 via " + Lab.ROUTER_IPV4 + " dev eth0",
                "address add 198.51.100.200/24 dev eth0")) {
            fixture.namespace().ip(route);
            assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
            fixture.assertLocalTrafficUsesTunnel(Family.values());
        }
    }

    /** ServerIP (CVE-2023-36673): the server's name resolves to the address that the victim visits. */
    @Test
    void a_forged_address_of_the_server_exempts_no_traffic_to_it() {
        fixture.lab.internet().setAddresses("moving.example", Lab.SERVER_IPV4);
        // What clients did that exempt the server's address: a route to it outside the tunnel.
        fixture.namespace()
                .ip(
                        "rule add pref 8 to " + Lab.SERVER_IPV4 + " lookup main",
                        "rule add pref 9 to 198.51.100.0/24 unreachable");
        assertThat(fixture.observer.sees(() -> fixture.node.whoami(Family.IPV4)))
                .isTrue();
        fixture.namespace().ip("rule delete pref 8", "rule delete pref 9");
        fixture.configureEndpoint("moving.example:" + Provider.PORT);
        fixture.observer
                .allowWireGuardTo(Lab.SERVER_IPV4, Provider.PORT)
                .allowWireGuardTo(Lab.SERVER_IPV6, Provider.PORT)
                .allow(
                        "bootstrap DNS query",
                        packet -> packet.destinationPort() == 53
                                && packet.isTo(Lab.ROUTER_IPV4)
                                && packet.payload().contains("\6moving\7example"));

        RunningProgram culvert = fixture.start(fixture.settings(Map.of()));
        culvert.awaitLine("wg0 configured for " + Lab.SERVER_IPV4, ExitNodeFixture.TIMEOUT);
        fixture.observer.reset();

        fixture.assertLocalTrafficBlocked(Family.IPV4);
        for (String protocol : List.of("udp", "tcp")) {
            fixture.namespace()
                    .attempt(
                            "timeout",
                            "2",
                            "bash",
                            "-c",
                            "echo hello > /dev/%s/%s/%d".formatted(protocol, Lab.SERVER_IPV4, Provider.PORT));
        }
        fixture.lab.client().useExitNode();
        assertThat(fixture.phone.whoami(Family.IPV4)).isEmpty();
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    /** An ICMP redirect from the address of the gateway (RFC 792) for a packet that the node would have sent. */
    private static final String REDIRECT = """
        import socket, struct, sys
        gateway, node, to, new = map(socket.inet_aton, sys.argv[1:5])
        def checksum(data):
            total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
            while total > 0xffff: total = (total & 0xffff) + (total >> 16)
            return ~total & 0xffff
        def ip(protocol, source, destination, data):
            head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0, source, destination)
            return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + data
        inner = ip(1, node, to, struct.pack('!BBHHH', 0, 0, 0xffff, 0, 0))
        body = struct.pack('!BBH4s', 5, 1, 0, new) + inner
        body = body[:2] + struct.pack('!H', checksum(body)) + body[4:]
        one = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        one.sendto(ip(1, gateway, node, body), (sys.argv[2], 0))
        """;

    private void redirect(String destination) {
        python(fixture.lab.lanHost(), REDIRECT, Lab.ROUTER_IPV4, Lab.NODE_IPV4, destination, Lab.LAN_HOST_IPV4);
    }

    private String routeTo(String destination) {
        return fixture.namespace().run("ip", "route", "get", destination);
    }

    @Test
    void ICMP_redirects_of_the_local_network_move_no_traffic() throws Exception {
        fixture.namespace().sysctl("net.ipv4.conf.all.accept_redirects=1", "net.ipv4.conf.eth0.accept_redirects=1");
        assertThat(routeTo(Lab.SERVER_IPV4)).contains("via " + Lab.ROUTER_IPV4);
        redirect(Lab.SERVER_IPV4);
        assertThat(fixture.lab
                        .lanHost()
                        .call(() -> InetAddress.getByName(Lab.NODE_IPV4).isReachable(5000)))
                .as("an echo request, handled after the redirect")
                .isTrue();
        assertThat(routeTo(Lab.SERVER_IPV4)).contains("via " + Lab.LAN_HOST_IPV4);
        fixture.namespace().run("ip", "route", "flush", "cache");

        connectWithPhone();
        fixture.observer.reset();
        redirect(Lab.SERVER_IPV4);
        redirect(fixture.lab.provider().publicIpv4());

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    /** A router advertisement (RFC 4861) that makes the LAN host a router, and the server's network a connected one. */
    private static final String ADVERTISEMENT = """
        import socket, struct, sys
        one = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        link = socket.if_nametoindex('eth0')
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, link)
        prefix = socket.inet_pton(socket.AF_INET6, '2001:db8:1::')
        advertisement = struct.pack('!BBHBBHII', 134, 0, 0, 64, 0x08, 1800, 0, 0)
        advertisement += struct.pack('!BBBBIII16s', 3, 4, 64, 0xc0, 3600, 3600, 0, prefix)
        one.sendto(advertisement, ('ff02::1', 0, 0, link))
        """;

    @Test
    void router_advertisements_of_the_local_network_move_no_traffic() {
        fixture.namespace().sysctl("net.ipv6.conf.eth0.accept_ra=2");
        try (RunningProgram routes = fixture.namespace().start("ip", "-6", "monitor", "route")) {
            python(fixture.lab.lanHost(), ADVERTISEMENT);
            routes.awaitLine("^2001:db8:1::/64 dev eth0", ExitNodeFixture.TIMEOUT);
            assertThat(fixture.namespace().run("ip", "-6", "route", "get", Lab.SERVER_IPV6))
                    .contains("dev eth0")
                    .doesNotContain("via");
            fixture.namespace().ip("route delete 2001:db8:1::/64 dev eth0");

            connectWithPhone();
            fixture.namespace().sysctl("net.ipv6.conf.eth0.accept_ra=2");
            routes.ignoreEarlierOutput();
            fixture.observer.reset();
            python(fixture.lab.lanHost(), ADVERTISEMENT);
            routes.awaitLine("^2001:db8:1::/64 dev eth0", ExitNodeFixture.TIMEOUT);
        }

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.phone.whoami(Family.IPV6)).contains(fixture.provider(Family.IPV6));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    /** Sends a datagram with a loose source route (RFC 791, section 3.1) by way of the first address to the second one. */
    private static final String SOURCE_ROUTED = """
        import socket, sys
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([131, 7, 4]) + socket.inet_aton(sys.argv[1]) + bytes(1))
        try: one.sendto(b'source routed', (sys.argv[2], 9))
        except OSError as e: print(e)
        """;

    private void sendSourceRouted(LabNamespace from, String by) {
        python(from, SOURCE_ROUTED, by, Lab.SERVER_IPV4);
    }

    @Test
    void source_routed_packets_are_not_forwarded_outside_the_tunnel() {
        for (String link : List.of("all", "default", "eth0")) {
            fixture.namespace().sysctl("net.ipv4.conf." + link + ".accept_source_route=1");
            fixture.lab
                    .router()
                    .sysctl("net.ipv4.conf." + (link.equals("eth0") ? "lan" : link) + ".accept_source_route=1");
        }
        LabNamespace phone = fixture.lab.client().namespace();
        fixture.withoutKillSwitch(() -> {
            assertThat(fixture.observer.sees(() -> sendSourceRouted(phone, WireGuardClient.MESH_NODE_IPV4)))
                    .as("from a client")
                    .isTrue();
            assertThat(fixture.observer.sees(() -> sendSourceRouted(fixture.lab.lanHost(), Lab.NODE_IPV4)))
                    .as("from the local network")
                    .isTrue();
            assertThat(fixture.observer.sees(() -> sendSourceRouted(fixture.namespace(), Lab.ROUTER_IPV4)))
                    .as("from a local process")
                    .isTrue();
        });

        connectWithPhone();
        fixture.observer.reset();
        sendSourceRouted(phone, WireGuardClient.MESH_NODE_IPV4);
        sendSourceRouted(fixture.lab.lanHost(), Lab.NODE_IPV4);
        sendSourceRouted(fixture.namespace(), Lab.ROUTER_IPV4);
        sendSourceRouted(fixture.namespace(), fixture.lab.provider().publicIpv4());

        // Handled after them, as their packets take the same path.
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    /** Sends datagrams that need several fragments. */
    private static final String LARGE = """
        import socket, sys
        for address in sys.argv[1:]:
            one = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
            try: one.sendto(b'x' * 4000, (address, 9))
            except OSError as e: print(e)
        """;

    /** Sends single fragments, with and without the start of a UDP packet, marked as the tunnel's own and not; needs NET_RAW. */
    private static final String FRAGMENTS = """
        import socket, struct, sys
        node = socket.inet_aton(sys.argv[1])
        for address in sys.argv[2:]:
            for mark in 0, 0x51000000:
                for offset, data in (0x2000, struct.pack('!HHHH', 51820, 51820, 2000, 0)), (0x2001, b'middle 8'), (0x0002, b'the last'):
                    one = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
                    one.setsockopt(socket.SOL_SOCKET, 36, mark)
                    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(data), 77, offset, 64, 17, 0, node, socket.inet_aton(address))
                    try: one.sendto(head + data, (address, 0))
                    except OSError as e: print(e)
        """;

    private void sendFragments() {
        python(fixture.namespace(), LARGE, Lab.SERVER_IPV4, Lab.SERVER_IPV6, Lab.LAN_HOST_IPV4, Lab.LAN_HOST_IPV6);
        CommandResult sent = fixture.namespace()
                .attempt(
                        "setpriv",
                        "--inh-caps=-all,+net_raw",
                        "--ambient-caps=-all,+net_raw",
                        "--bounding-set=-all,+net_raw",
                        "python3",
                        "-c",
                        FRAGMENTS,
                        Lab.NODE_IPV4,
                        Lab.SERVER_IPV4,
                        Lab.LAN_HOST_IPV4,
                        fixture.lab.provider().publicIpv4());
        assertThat(sent.status()).as(sent.err()).isZero();
    }

    @Test
    void fragmented_packets_do_not_leave_outside_the_tunnel() {
        LabNamespace phone = fixture.lab.client().namespace();
        assertThat(fixture.observer.sees(this::sendFragments)).isTrue();
        fixture.withoutKillSwitch(() -> assertThat(
                        fixture.observer.sees(() -> python(phone, LARGE, Lab.SERVER_IPV4, Lab.SERVER_IPV6)))
                .isTrue());

        connectWithPhone();
        fixture.observer.reset();
        sendFragments();
        python(phone, LARGE, Lab.SERVER_IPV4, Lab.SERVER_IPV6, Lab.LAN_HOST_IPV4, Lab.LAN_HOST_IPV6);

        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    private static final String ECHO_SERVER = """
        import signal, socket, threading
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        peers, accepted = set(), []
        def accept(streams):
            while True: accepted.append(streams.accept()[0])
        def receive(datagrams):
            while True: peers.add((datagrams, datagrams.recvfrom(64)[1]))
        for address in '198.51.100.10', '2001:db8:1::10':
            family = socket.AF_INET6 if ':' in address else socket.AF_INET
            streams, datagrams = socket.create_server((address, 6000), family=family), socket.socket(family, socket.SOCK_DGRAM)
            datagrams.bind((address, 6000))
            for task, one in (accept, streams), (receive, datagrams): threading.Thread(target=task, args=[one], daemon=True).start()
        print('serves')
        while True:
            signal.sigwait([signal.SIGUSR1])
            for one in accepted: one.send(b'are you there?')
            for datagrams, peer in set(peers): datagrams.sendto(b'are you there?', peer)
            print('sent')
        """;

    private static final String OLD_CONNECTIONS = """
        import signal, socket, sys
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        open = []
        for address in sys.argv[1:]:
            open.append(socket.create_connection((address, 6000)))
            one = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
            one.connect((address, 6000)); one.send(b'hello'); open.append(one)
        print('open')
        while True:
            signal.sigwait([signal.SIGUSR1])
            for one in open:
                try: one.send(b'still here')
                except OSError: pass
            print('sent')
        """;

    /** Conntrack picks up connections in the middle, so their direction is that of the first packet that it sees afterwards. */
    @Test
    void connections_older_than_the_kill_switch_are_not_continued_outside_the_tunnel() {
        RunningProgram server = fixture.lab.internet().namespace().start("python3", "-u", "-c", ECHO_SERVER);
        server.awaitLine("serves", ExitNodeFixture.TIMEOUT);
        RunningProgram old =
                fixture.namespace().start("python3", "-u", "-c", OLD_CONNECTIONS, Lab.SERVER_IPV4, Lab.SERVER_IPV6);
        old.awaitLine("open", ExitNodeFixture.TIMEOUT);
        assertThat(fixture.observer.sees(() -> send(old))).isTrue();

        fixture.connect(fixture.settings(Map.of()));
        fixture.observer.reset();
        send(old);
        send(server);
        send(old);
        fixture.namespace().attempt("conntrack", "-F");
        send(server);
        send(old);

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        old.close();
        server.close();
    }

    private static void send(RunningProgram program) {
        program.ignoreEarlierOutput();
        program.signal("USR1");
        program.awaitLine("sent", ExitNodeFixture.TIMEOUT);
    }

    /** Sends from a port, at once and at each USR1, and prints every datagram that comes there. */
    private static final String SHADOW = """
        import os, signal, socket, sys
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(('0.0.0.0', int(sys.argv[1])))
        def send(*_): one.sendto(b'shadow', (sys.argv[2], 6000))
        signal.signal(signal.SIGUSR1, send)
        send()
        while True: print('got ' + one.recv(64).decode())
        """;

    /** Tells a client the port that it is seen from, and, a line each, the same to the test. */
    private static final String PORT_SERVER = """
        import socket
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(('198.51.100.10', 6000))
        print('serves')
        while True:
            _, peer = one.recvfrom(64)
            print('port %d' % peer[1])
            one.sendto(b'port %d' % peer[1], peer)
        """;

    /** Sends a datagram with a forged source. */
    private static final String FORGED = """
        import socket, struct, sys
        source, port, to, number, text = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5].encode()
        data = struct.pack('!HHHH', port, number, 8 + len(text), 0) + text
        head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(data), 1, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(to))
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto(head + data, (to, 0))
        """;

    /**
     * A client occupies, in the node's source address translation, a port on which the node itself is reached (CVE-2021-3773): what
     * is for the node goes to the client. The kernel's own defence covers source ports below 16384 only.
     */
    @Test
    void a_client_cannot_shadow_a_port_of_the_node_on_the_tunnel() {
        RunningProgram server = fixture.lab.internet().namespace().start("python3", "-u", "-c", PORT_SERVER);
        server.awaitLine("serves", ExitNodeFixture.TIMEOUT);
        fixture.withoutKillSwitch(() -> {
            fixture.namespace().nft("""
                table ip plain {
                  chain out { type nat hook postrouting priority srcnat; oifname "eth0" ip saddr 10.77.0.2 masquerade; }
                }
                """);
            try (RunningProgram shadow = shadow(41643)) {
                shadow.awaitLine("got port 41643", ExitNodeFixture.TIMEOUT);
                python(
                        fixture.lab.internet().namespace(),
                        FORGED,
                        Lab.SERVER_IPV4,
                        "6000",
                        Lab.NODE_IPV4,
                        "41643",
                        "for the node");
                shadow.awaitLine("got for the node", ExitNodeFixture.TIMEOUT);
            }
            fixture.namespace().nft("delete table ip plain");
        });

        connectWithPhone();
        fixture.observer.reset();
        for (int port : new int[] {41641, 51820, 51821, 20080}) {
            try (RunningProgram shadow = shadow(port)) {
                String seen = shadow.awaitLine("got port (\\d+)", ExitNodeFixture.TIMEOUT)
                        .group(1);
                assertThat(seen).isNotEqualTo(String.valueOf(port));
                long dropped = droppedFromTunnel();
                python(
                        fixture.lab.provider().namespace(),
                        FORGED,
                        Lab.SERVER_IPV4,
                        "6000",
                        fixture.lab.provider().customerIpv4(),
                        String.valueOf(port),
                        "for the node");
                shadow.ignoreEarlierOutput().signal("USR1");
                shadow.awaitLine("got port " + seen, ExitNodeFixture.TIMEOUT);
                assertThat(shadow.output()).doesNotContain("for the node");
                assertThat(droppedFromTunnel()).as("it came in from the tunnel").isGreaterThan(dropped);
            }
        }
        assertThat(fixture.observer.leaks()).isEmpty();
        server.close();
    }

    private long droppedFromTunnel() {
        Matcher rule = Pattern.compile("packets (\\d+) bytes \\d+ drop comment \"nothing else from the tunnel\"")
                .matcher(fixture.namespace().run("nft", "list", "chain", "inet", "culvert", "input"));
        assertThat(rule.find()).isTrue();
        return Long.parseLong(rule.group(1));
    }

    private RunningProgram shadow(int port) {
        return fixture.lab
                .client()
                .namespace()
                .start("python3", "-u", "-c", SHADOW, String.valueOf(port), Lab.SERVER_IPV4);
    }
}
