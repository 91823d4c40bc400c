package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.DnsQuestion;
import io.culvert.lab.Lab;
import io.culvert.lab.Observer;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code --kill-switch}: nothing leaves beside the tunnel, whatever becomes of it. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TunnelKillSwitchTest {

    private final TunnelLab lab = new TunnelLab(Shape.USUAL);
    private final Provider provider = lab.lab().provider();
    private final Probe node = Probe.from(lab.lab().node().space());
    private final Observer observer = lab.lab().observe().allowWireGuardTo(provider.outer4(), Provider.PORT);
    private final String file = lab.file("wg0.conf", provider.file());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private void ask() {
        node.whoami(Family.IPV4);
        node.whoami(Family.IPV6);
        node.echo(Family.IPV4);
        node.echo(Family.IPV6);
    }

    @Test
    void without_it_packets_leave_beside_the_tunnel_when_its_link_goes() {
        lab.tunnel("up", file).orFail();

        assertThat(observer.sees(() -> {
                    lab.ip("link", "delete", "wg0");
                    ask();
                }))
                .isTrue();
    }

    @Test
    void with_it_the_tunnel_works_and_nothing_leaves_when_the_provider_falls_silent_or_the_link_goes() {
        String before = lab.everything();
        lab.tunnel("up", file, "--kill-switch").orFail();
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.outer6());

        provider.fallSilent();
        ask();
        provider.speak();
        lab.ip("link", "delete", "wg0");
        ask();

        assertThat(observer.leaks()).isEmpty();

        lab.tunnel("down", file).orFail();

        assertThat(lab.everything()).isEqualTo(before);
    }

    @Test
    void each_layer_holds_alone() {
        lab.tunnel("up", file, "--kill-switch").orFail();
        lab.ip("link", "delete", "wg0");

        lab.node().attempt("nft", "flush", "ruleset").orFail();
        ask();
        assertThat(observer.leaks()).isEmpty();

        lab.tunnel("up", file).orFail();
        lab.ip("-4", "rule", "flush");
        lab.ip("-4", "rule", "add", "pref", "32766", "lookup", "main");
        lab.ip("-6", "rule", "flush");
        lab.ip("-6", "rule", "add", "pref", "32766", "lookup", "main");
        lab.ip("link", "delete", "wg0");
        ask();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void it_stays_until_the_tunnel_is_taken_down_even_when_up_is_said_without_it() {
        lab.tunnel("up", file, "--kill-switch").orFail();
        String once = lab.everything();

        Outcome again = lab.tunnel("up", file);

        assertThat(again.status()).isZero();
        assertThat(again.err()).contains("its kill switch stays active until the tunnel is taken down");
        assertThat(lab.everything()).isEqualTo(once);
    }

    @Test
    void a_killed_program_does_not_open_it_and_nor_does_taking_another_tunnel_down() {
        lab.tunnel("up", file, "--kill-switch").orFail();
        lab.killUserspace("wg0");

        lab.tunnel("down", "wg7").orFail();
        ask();

        assertThat(observer.leaks()).isEmpty();

        lab.tunnel("up", file).orFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        assertThat(observer.leaks()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"off,ip route add 198.51.100.0/24 dev wg0", "123,ip rule add to 198.51.100.0/24 lookup 123"})
    void a_table_of_one_s_own_leads_nowhere_until_the_hint_is_followed(String table, String command) {
        lab.file("wg0.conf", provider.file().replace("[Interface]", "[Interface]\nTable = " + table));

        Outcome up = lab.tunnel("up", file, "--kill-switch");

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err())
                .contains("with Table = " + table + " no traffic enters the tunnel")
                .contains(command.replace("198.51.100.0/24", "NETWORK"));
        ask();
        assertThat(observer.leaks()).isEmpty();

        lab.node().attempt(command.split(" ", -1)).orFail();
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_peer_without_an_endpoint_is_waited_for_and_answered() {
        lab.file(
                "wg0.conf",
                provider.file()
                        .replaceAll("Endpoint.*\\n", "")
                        .replace("[Interface]", "[Interface]\nListenPort = 51821"));

        Outcome up = lab.tunnel("up", file, "--kill-switch");

        assertThat(up.err()).contains("no peer has an Endpoint: the tunnel works only once a peer has connected");
        ask();
        assertThat(observer.leaks()).isEmpty();

        provider.seek(Lab.NODE_4 + ":51821");
        try (Pulse pulse = Pulse.of(lab.lab().node().space(), Family.IPV4)) {
            pulse.awaitAnswer(provider.outer4(), Duration.ofSeconds(30));
        }
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void halves_of_everything_are_guarded_too() {
        String halves = lab.file(
                "halves.conf", provider.file(provider.outer4() + ":" + Provider.PORT, "0.0.0.0/1, 128.0.0.0/1"));
        lab.tunnel("up", halves, "--kill-switch").orFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        ask();
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
            """.formatted(Lab.ROUTER_4);

    private List<DnsQuestion> asked(String name) {
        return lab.lab().internet().questions().stream()
                .filter(question -> question.name().equals(name + "."))
                .toList();
    }

    @Test
    void names_go_to_the_tunnel_s_servers_though_a_service_of_the_machine_rewrites_resolv_conf() {
        lab.node().space().start("python3", "-u", "-c", RESOLVED).awaitLine("serving", Duration.ofSeconds(30));
        assertThat(node.resolve("127.0.0.53", "before.example", Family.IPV4)).containsExactly(Lab.SERVER_4);
        assertThat(asked("before.example")).extracting(DnsQuestion::asker).containsOnly(Lab.NODE_4);
        assertThat(observer.sees(() -> node.resolve("127.0.0.53", "before.example", Family.IPV4)))
                .isTrue();
        lab.tunnel("up", file, "--kill-switch").orFail();
        observer.forget();
        lab.node().resolvConf("# This is /run/systemd/resolve/stub-resolv.conf\nnameserver 127.0.0.53\n");

        for (String resolver : List.of("127.0.0.53", Lab.ROUTER_4, "192.0.2.33", Lab.RESOLVER_4, provider.inner4())) {
            String name = "asked-" + resolver.replace('.', '-') + ".example";
            assertThat(node.resolve(resolver, name, Family.IPV4)).as(resolver).containsExactly(Lab.SERVER_4);
            assertThat(asked(name)).extracting(DnsQuestion::asker).as(resolver).containsOnly(provider.outer4());
        }
        lab.ip("link", "delete", "wg0");
        node.resolve("127.0.0.53", "late.example", Family.IPV4);
        assertThat(asked("late.example")).isEmpty();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_second_tunnel_is_refused() {
        String other = lab.file("wg1.conf", provider.file("203.0.113.77:51820", "10.9.0.0/24"));
        lab.tunnel("up", file, "--kill-switch").orFail();

        Outcome second = lab.tunnel("up", other);

        assertThat(second.status()).isEqualTo(2);
        assertThat(second.err()).contains("culvert tunnel down wg0");
    }
}
