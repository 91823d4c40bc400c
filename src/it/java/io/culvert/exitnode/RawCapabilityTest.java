// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Another process in the network namespace with CAP_NET_RAW only: it sets packet marks and forges headers. */
@NamespaceTest
class RawCapabilityTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    /** Tries every mark of Culvert and of Tailscale's, by UDP, TCP, ICMP, and with the tunnel's port forged. */
    private void tryAll(int tunnelPort) {
        CommandResult tried = fixture.namespace()
                .attempt(
                        "setpriv",
                        "--inh-caps=-all,+net_raw",
                        "--ambient-caps=-all,+net_raw",
                        "--bounding-set=-all,+net_raw",
                        "python3",
                        "-c",
                        """
                        import socket, struct, sys
                        port, provider4, provider6, outer = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
                        MARK, tried = 36, 0
                        def attempt(family, kind, protocol, mark, to, how):
                            global tried
                            try:
                                with socket.socket(family, kind, protocol) as one:
                                    one.setsockopt(socket.SOL_SOCKET, MARK, mark)
                                    one.settimeout(0.05)
                                    tried += 1
                                    how(one, to)
                            except OSError:
                                pass
                        def udp(one, to): one.sendto(b'let me out', to)
                        def tcp(one, to): one.connect(to)
                        def forged(source):
                            def send(one, to):
                                data = b'let me out'
                                packet = struct.pack('!HHHH', source, to[1], 8 + len(data), 0) + data
                                one.sendto(packet, (to[0], 0))
                            return send
                        for mark in (0x51000000, 0x80000, 0x40000, 0x52000000):
                            for address in ('198.51.100.10', '2001:db8:1::10', provider4, provider6, '192.0.2.20', '2001:db8:e::20'):
                                family = socket.AF_INET6 if ':' in address else socket.AF_INET
                                for to in (outer, 443, 853, 41641, 9):
                                    attempt(family, socket.SOCK_DGRAM, 0, mark, (address, to), udp)
                                for to in (outer, 443, 8443):
                                    attempt(family, socket.SOCK_STREAM, 0, mark, (address, to), tcp)
                                if address not in (provider4, provider6):
                                    attempt(family, socket.SOCK_RAW, socket.IPPROTO_UDP, mark, (address, outer), forged(port))
                                icmp = (socket.IPPROTO_ICMPV6, 128) if ':' in address else (socket.IPPROTO_ICMP, 8)
                                attempt(family, socket.SOCK_RAW, icmp[0], mark, (address, 0),
                                    lambda one, to: one.sendto(bytes([icmp[1], 0, 0, 0]) + b'let me out', (to[0], 0)))
                                attempt(family, socket.SOCK_RAW, 253, mark, (address, 0),
                                    lambda one, to: one.sendto(b'let me out', (to[0], 0)))
                        attempt(socket.AF_INET6, socket.SOCK_RAW, 58, 0x51000000, ('2001:db8:1::10', 0),
                            lambda one, to: one.sendto(bytes([136, 0, 0, 0]) + b'let me out' * 2, (to[0], 0)))
                        print(tried)
                        """,
                        Integer.toString(tunnelPort),
                        fixture.lab.provider().publicIpv4(),
                        fixture.lab.provider().publicIpv6(),
                        Integer.toString(Provider.PORT));
        assertThat(tried.status()).as(tried.err()).isZero();
        assertThat(Integer.parseInt(tried.out().strip())).as("marks may be set").isGreaterThan(200);
    }

    private int tunnelPort() {
        Matcher rule = Pattern.compile("udp sport (\\d+) ip daddr \\. udp dport @servers4")
                .matcher(fixture.namespace()
                        .attempt("nft", "list", "chain", "inet", "culvert", "uplink")
                        .outputOrFail());
        assertThat(rule.find()).isTrue();
        return Integer.parseInt(rule.group(1));
    }

    @Test
    void packet_marks_and_forged_ports_reach_the_tunnels_server_only() {
        assertThat(fixture.observer.sees(() -> tryAll(61234))).isTrue();
        fixture.connect(fixture.settings(Map.of()));
        fixture.observer.reset();

        tryAll(tunnelPort());

        assertThat(fixture.observer.leaks()).isEmpty();
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void check_and_status_name_processes_that_have_the_capability() {
        Map<String, String> settings = ExitNodeFixture.withoutMesh(Map.of());
        // A container of its own would not see it.
        fixture.in(Sandbox.MACHINE).connect(settings);
        assertThat(fixture.run(settings, "check").out()).doesNotContain("CAP_NET_RAW");

        fixture.namespace()
                .start(
                        "setpriv",
                        "--inh-caps=-all,+net_raw",
                        "--ambient-caps=-all,+net_raw",
                        "--bounding-set=-all,+net_raw",
                        "python3",
                        "-u",
                        "-c",
                        "import socket; print('runs'); socket.create_server(('127.0.0.1', 0)).accept()")
                .awaitLine("runs", ExitNodeFixture.TIMEOUT);

        assertThat(fixture.run(settings, "check").out()).contains("CAP_NET_RAW", "setpriv --bounding-set -net_raw");
        assertThat(fixture.status().problems()).anyMatch(problem -> problem.contains("CAP_NET_RAW"));
        assertThat(fixture.status().healthy()).as("it is a warning").isTrue();
        assertThat(fixture.node.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
    }
}
