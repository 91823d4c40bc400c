// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Observer;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.ReceivedQuery;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code --kill-switch}: nothing bypasses the tunnel, whatever happens to it. */
@NamespaceTest
class TunnelKillSwitchTest {

    private final TunnelLab lab = new TunnelLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();
    private final Probe node = Probe.from(lab.lab().node().namespace());
    private final Observer observer = lab.lab().observe().allowWireGuardTo(provider.publicIpv4(), Provider.PORT);
    private final String file = lab.file("wg0.conf", provider.file());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private void sendPackets() {
        node.whoami(Family.IPV4);
        node.whoami(Family.IPV6);
        node.echo(Family.IPV4);
        node.echo(Family.IPV6);
    }

    @Test
    void without_a_kill_switch_packets_bypass_the_tunnel_when_its_interface_is_gone() {
        lab.tunnel("up", file).outputOrFail();

        assertThat(observer.sees(() -> {
                    lab.ip("link", "delete", "wg0");
                    sendPackets();
                }))
                .isTrue();
    }

    @Test
    void with_a_kill_switch_nothing_leaks_when_the_server_stops_responding_or_the_interface_is_gone() {
        String before = lab.footprint();
        lab.tunnel("up", file, "--kill-switch").outputOrFail();
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.publicIpv6());

        provider.blockTraffic();
        sendPackets();
        provider.unblockTraffic();
        lab.ip("link", "delete", "wg0");
        sendPackets();

        assertThat(observer.leaks()).isEmpty();

        lab.tunnel("down", file).outputOrFail();

        assertThat(lab.footprint()).isEqualTo(before);
    }

    @Test
    void each_layer_blocks_leaks_alone() {
        lab.tunnel("up", file, "--kill-switch").outputOrFail();
        lab.ip("link", "delete", "wg0");

        lab.node().attempt("nft", "flush", "ruleset").outputOrFail();
        sendPackets();
        assertThat(observer.leaks()).isEmpty();

        lab.tunnel("up", file).outputOrFail();
        lab.ip("-4", "rule", "flush");
        lab.ip("-4", "rule", "add", "pref", "32766", "lookup", "main");
        lab.ip("-6", "rule", "flush");
        lab.ip("-6", "rule", "add", "pref", "32766", "lookup", "main");
        lab.ip("link", "delete", "wg0");
        sendPackets();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void the_kill_switch_stays_until_down_even_if_up_is_repeated_without_the_option() {
        lab.tunnel("up", file, "--kill-switch").outputOrFail();
        String once = lab.footprint();

        CommandResult again = lab.tunnel("up", file);

        assertThat(again.status()).isZero();
        assertThat(again.err()).contains("its kill switch stays active until the tunnel is taken down");
        assertThat(lab.footprint()).isEqualTo(once);
    }

    @Test
    void neither_a_kill_of_the_program_nor_down_of_another_tunnel_removes_the_kill_switch() {
        lab.tunnel("up", file, "--kill-switch").outputOrFail();
        lab.killUserspace("wg0");

        lab.tunnel("down", "wg7").outputOrFail();
        sendPackets();

        assertThat(observer.leaks()).isEmpty();

        lab.tunnel("up", file).outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(observer.leaks()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"off,ip route add 198.51.100.0/24 dev wg0", "123,ip rule add to 198.51.100.0/24 lookup 123"})
    void a_numbered_table_carries_no_traffic_until_the_hint_is_followed(String table, String command) {
        lab.file("wg0.conf", provider.file().replace("[Interface]", "[Interface]\nTable = " + table));

        CommandResult up = lab.tunnel("up", file, "--kill-switch");

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err())
                .contains("with Table = " + table + " no traffic enters the tunnel")
                .contains(command.replace("198.51.100.0/24", "NETWORK"));
        sendPackets();
        assertThat(observer.leaks()).isEmpty();

        lab.node().attempt(command.split(" ", -1)).outputOrFail();
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_peer_without_an_endpoint_can_connect() {
        lab.file(
                "wg0.conf",
                provider.file()
                        .replaceAll("Endpoint.*\\n", "")
                        .replace("[Interface]", "[Interface]\nListenPort = 51821"));

        CommandResult up = lab.tunnel("up", file, "--kill-switch");

        assertThat(up.err()).contains("no peer has an Endpoint: the tunnel works only once a peer has connected");
        sendPackets();
        assertThat(observer.leaks()).isEmpty();

        provider.sendKeepalivesTo(Lab.NODE_IPV4 + ":51821");
        try (ContinuousProbe pulse = ContinuousProbe.of(lab.lab().node().namespace(), Family.IPV4)) {
            pulse.awaitReply(provider.publicIpv4(), Duration.ofSeconds(30));
        }
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void two_half_default_routes_have_the_kill_switch_too() {
        String halves = lab.file(
                "halves.conf", provider.file(provider.publicIpv4() + ":" + Provider.PORT, "0.0.0.0/1, 128.0.0.0/1"));
        lab.tunnel("up", halves, "--kill-switch").outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        sendPackets();
        assertThat(observer.leaks()).isEmpty();
    }

    /** As systemd-resolved: listens on loopback, forwards to the network's own resolver, and has its own file. */
    private static final String RESOLVED = """
            import socket, threading
            listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            listening.bind(('127.0.0.53', 53)); print('serving')
            def forward(query, who):
                upstream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                upstream.settimeout(3)
                try:
                    upstream.sendto(query, ('%s', 53)); listening.sendto(upstream.recv(4096), who)
                except OSError: pass
            while True:
                threading.Thread(target=forward, args=listening.recvfrom(4096)).start()
            """.formatted(Lab.ROUTER_IPV4);

    private List<ReceivedQuery> queriesFor(String name) {
        return lab.lab().internet().queries().stream()
                .filter(query -> query.name().equals(name + "."))
                .toList();
    }

    @Test
    void DNS_queries_go_to_the_tunnel_s_servers_even_if_a_service_rewrites_resolv_conf() {
        lab.node().namespace().start("python3", "-u", "-c", RESOLVED).awaitLine("serving", Duration.ofSeconds(30));
        assertThat(node.resolve("127.0.0.53", "before.example", Family.IPV4)).containsExactly(Lab.SERVER_IPV4);
        assertThat(queriesFor("before.example"))
                .extracting(ReceivedQuery::sourceAddress)
                .containsOnly(Lab.NODE_IPV4);
        assertThat(observer.sees(() -> node.resolve("127.0.0.53", "before.example", Family.IPV4)))
                .isTrue();
        lab.tunnel("up", file, "--kill-switch").outputOrFail();
        observer.reset();
        lab.node().resolvConf("# This is /run/systemd/resolve/stub-resolv.conf\nnameserver 127.0.0.53\n");

        for (String resolver :
                List.of("127.0.0.53", Lab.ROUTER_IPV4, "192.0.2.33", Lab.RESOLVER_IPV4, provider.tunnelIpv4())) {
            String name = "asked-" + resolver.replace('.', '-') + ".example";
            assertThat(node.resolve(resolver, name, Family.IPV4)).as(resolver).containsExactly(Lab.SERVER_IPV4);
            assertThat(queriesFor(name))
                    .extracting(ReceivedQuery::sourceAddress)
                    .as(resolver)
                    .containsOnly(provider.publicIpv4());
        }
        lab.ip("link", "delete", "wg0");
        node.resolve("127.0.0.53", "late.example", Family.IPV4);
        assertThat(queriesFor("late.example")).isEmpty();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_second_tunnel_is_refused() {
        String other = lab.file("wg1.conf", provider.file("203.0.113.77:51820", "10.9.0.0/24"));
        lab.tunnel("up", file, "--kill-switch").outputOrFail();

        CommandResult second = lab.tunnel("up", other);

        assertThat(second.status()).isEqualTo(2);
        assertThat(second.err()).contains("culvert tunnel down wg0");
    }
}
