// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.linux.Egress;
import io.culvert.linux.NetworkNamespace;
import io.culvert.linux.TwoUplinks;
import io.culvert.net.Family;
import io.culvert.net.Host;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;

/** Real sockets and a real kernel: which queries leave by which path, counted by nftables. */
@NamespaceTest
class BootstrapQueriesLabTest {

    private static final long STUB_MARK = 0x52000000L;
    private static final long BOOTSTRAP_MARK = 0x51000000L;
    private static final Timeouts TIMEOUTS = new Timeouts(Duration.ofSeconds(2), Duration.ofSeconds(4));

    /** Port 53 of every program leads to the stub; the stub's own queries do not. */
    private static final String RULES = """
            table inet watch {
                counter stub { }
                counter bootstrap { }
                counter stray { }
                chain nat_output {
                    type nat hook output priority -100
                    meta mark { 0x51000000, 0x52000000 } accept
                    udp dport 53 redirect to :53
                    tcp dport 53 redirect to :53
                }
                # Not in the output hook, which still names the link from before the redirection.
                chain count_queries {
                    type filter hook postrouting priority 0
                    oifname lo accept
                    meta mark 0x52000000 oifname wg0 th dport 53 counter name stub accept
                    meta mark 0x51000000 oifname eth0 th dport 53 counter name bootstrap accept
                    th dport 53 counter name stray
                }
            }
            """;

    @TempDir
    Path directory;

    private TwoUplinks lab;

    @BeforeEach
    void build() throws IOException {
        lab = new TwoUplinks();
        Path rules = Files.writeString(directory.resolve("rules.nft"), RULES);
        assertThat(lab.run(lab.box(), "nft", "-f", rules.toString())).isEmpty();
    }

    @AfterEach
    void clear() throws IOException {
        lab.close();
    }

    @Test
    void the_stub_sends_queries_only_through_the_tunnel_whatever_server_a_program_uses() throws Exception {
        try (ScriptedServer provider = server(lab.provider(), "198.51.100.53", truncatedOverUdp("198.51.100.80"));
                ScriptedServer lan = server(lab.lan(), "192.0.2.53", ScriptedServer.always());
                DnsStub stub = new DnsStub(TIMEOUTS, System::nanoTime)) {
            NetworkNamespace.named(lab.box()).call(() -> stub.listen(socket("127.0.0.1")));
            NetworkNamespace.named(lab.box()).call(() -> stub.listen(socket("::1")));
            stub.useUpstreams(upstreams("198.51.100.53"), List.of());

            assertThat(dig("127.0.0.1", "one.example.net")).isEqualTo("198.51.100.80\n");
            assertThat(dig("::1", "two.example.net")).isEqualTo("198.51.100.80\n");
            assertThat(dig("203.0.113.8", "three.example.net")).isEqualTo("198.51.100.80\n");

            assertThat(provider.queries())
                    .contains("udp one.example.net.", "tcp one.example.net.", "udp three.example.net.");
            assertThat(lan.queries()).isEmpty();
            assertThat(packets("stub")).isPositive();
            assertThat(packets("stray")).isZero();
        }
    }

    @Test
    void without_its_tunnel_the_stub_fails_and_queries_no_other_server() throws Exception {
        try (ScriptedServer lan = server(lab.lan(), "192.0.2.53", ScriptedServer.always());
                DnsStub stub = new DnsStub(TIMEOUTS, System::nanoTime)) {
            NetworkNamespace.named(lab.box()).call(() -> stub.listen(socket("127.0.0.1")));
            // Even for a server that is reachable by the other path, with no rule that prevents it.
            stub.useUpstreams(upstreams("192.0.2.53"), List.of());
            lab.in(lab.box(), "rule del pref 5340");
            lab.in(lab.box(), "link del wg0");

            assertThat(lab.run(lab.box(), "dig", "+tries=1", "+timeout=10", "@127.0.0.1", "www.example.net"))
                    .contains("status: SERVFAIL")
                    .contains("no such device");

            assertThat(lan.queries()).isEmpty();
            assertThat(packets("stray")).isZero();
        }
    }

    @Test
    void the_bootstrap_resolver_sends_marked_queries_outside_the_tunnel() throws Exception {
        try (ScriptedServer lan =
                server(lab.lan(), "192.0.2.53", ScriptedServer.always("vpn.example.net. 60 A 203.0.113.10"))) {
            BootstrapResolver resolver = new BootstrapResolver(
                    new ResolvConf(List.of(lan.address()), List.of(), List.of(), 1),
                    HostsFile.read(directory.resolve("hosts")),
                    Egress.marked(BOOTSTRAP_MARK),
                    () -> Set.of(Family.IPV4),
                    TIMEOUTS);

            ResolutionResult result = NetworkNamespace.named(lab.box())
                    .call(() -> resolver.resolve(new Host.Name("vpn.example.net"), List.of()));

            assertThat(result.addresses()).containsExactly(InetAddress.ofLiteral("203.0.113.10"));
            assertThat(packets("bootstrap")).isEqualTo(1);
            assertThat(packets("stray")).isZero();
        }
    }

    private String dig(String server, String name) throws IOException {
        return lab.run(lab.box(), "dig", "+short", "+tries=1", "+timeout=10", "@" + server, name, "A");
    }

    private long packets(String counter) throws IOException {
        String text = lab.run(lab.box(), "nft", "list", "counter", "inet", "watch", counter);
        Matcher packets = Pattern.compile("packets (\\d+)").matcher(text);
        assertThat(packets.find()).isTrue();
        return Long.parseLong(packets.group(1));
    }

    private static ScriptedServer server(String namespace, String address, Function<Message, List<Message>> script)
            throws Exception {
        Function<Message, List<Message>> overTcp = query ->
                List.of(ScriptedServer.answer(query, query.getQuestion().getName() + " 60 A 198.51.100.80"));
        return NetworkNamespace.named(namespace).call(() -> new ScriptedServer(socket(address), script, overTcp));
    }

    /** Truncates UDP responses, so that queries are repeated by TCP, and both kinds of sockets are tested. */
    private static Function<Message, List<Message>> truncatedOverUdp(String address) {
        return query -> {
            Message truncated = ScriptedServer.answer(query, query.getQuestion().getName() + " 60 A " + address);
            truncated.getHeader().setFlag(Flags.TC);
            return List.of(truncated);
        };
    }

    private static Upstreams upstreams(String server) {
        return new Upstreams(List.of(socket(server)), Egress.marked(STUB_MARK).boundTo("wg0"));
    }

    private static InetSocketAddress socket(String address) {
        return new InetSocketAddress(InetAddress.ofLiteral(address), 53);
    }
}
