package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.device.DeviceConfig;
import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.exitnode.Reading.Server;
import io.culvert.health.TunnelHealth.Verdict;
import io.culvert.network.Ipv6;
import io.culvert.network.Machines;
import io.culvert.network.NetworkState;
import io.culvert.network.RoutingClaim;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Tailnet;
import io.culvert.run.Journal;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.WireGuardConfig;
import io.culvert.wireguard.WireGuardFile;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class FailoverTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private static final ExitNodePlan PLAN = plan(Optional.of(new InetSocketAddress("192.0.2.10", 51820)));

    private static ExitNodePlan plan(Optional<InetSocketAddress> endpoint) {
        DeviceConfig.PeerConfig peer =
                new DeviceConfig.PeerConfig(new PublicKey(new byte[32]), Optional.empty(), endpoint, 25, List.of());
        return new ExitNodePlan(
                new DeviceConfig(server("a.conf").config().privateKey(), 0, 0, List.of(peer)),
                new LinkedHashMap<>(),
                List.of(),
                NetworkState.EMPTY,
                NetworkState.EMPTY,
                NetworkState.EMPTY,
                new RoutingClaim(List.of(), Set.of(), Map.of()),
                List.of(),
                List.of(),
                List.of(),
                Set.of(),
                Set.of(),
                List.of(),
                Tailnet.UNKNOWN,
                List.of(),
                Machines.of(Map.of(), List.of(), Set.of(), Ipv6.EVERYWHERE, false, Set.of(), true, true, true, true));
    }

    private final StringWriter told = new StringWriter();

    private Failover of(String... files) {
        return new Failover(
                List.of(files).stream().map(FailoverTest::server).toList(),
                PATIENCE,
                new Journal(new PrintWriter(told)),
                START);
    }

    private static Server server(String name) {
        Path file = Path.of(name);
        WireGuardConfig config = WireGuardFile.parse(file, """
                        [Interface]
                        PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                        Address = 10.64.0.2/32
                        [Peer]
                        PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                        AllowedIPs = 0.0.0.0/0
                        Endpoint = 192.0.2.10:51820
                        """).config().orElseThrow();
        return new Server(file, config);
    }

    @Test
    void a_server_has_its_time_to_answer_and_then_the_next_has_it() {
        Failover servers = of("a.conf", "b.conf");
        WireGuardConfig first = servers.config();
        Instant late = START.plus(PATIENCE).plusMillis(1);

        assertThat(servers.isDue(START.plus(PATIENCE))).isFalse();
        assertThat(servers.isDue(late)).isTrue();
        assertThat(servers.next(late)).isTrue();
        assertThat(servers.config()).isNotSameAs(first);
        assertThat(servers.isDue(late.plus(PATIENCE))).isFalse();
        assertThat(told.toString()).contains("no response from the server of a.conf; trying b.conf");
        assertThat(servers.next(late)).isTrue();
        assertThat(servers.config()).isSameAs(first);
    }

    @Test
    void the_only_server_is_waited_for_again() {
        Failover servers = of("a.conf");

        assertThat(servers.next(START.plus(PATIENCE))).isFalse();
        assertThat(servers.isDue(START.plus(PATIENCE))).isFalse();
        assertThat(told.toString()).isEmpty();
    }

    @Test
    void a_server_that_sends_as_many_bytes_as_the_one_before_is_not_taken_for_silent() {
        Failover servers = of("a.conf", "b.conf");
        servers.judge(device(START, 92, 148), PLAN, START);
        Instant later = START.plusSeconds(300);
        servers.next(later);
        servers.begin(later);

        servers.judge(device(later, 92, 148), PLAN, later.plusMillis(10));
        servers.judge(device(later, 92, 600), PLAN, later.plusMillis(20));

        assertThat(servers.verdict()).isEqualTo(Verdict.CONNECTED);
    }

    @Test
    void a_server_that_falls_silent_is_left_soon_and_not_only_when_its_session_ends() {
        Failover servers = of("a.conf", "b.conf");
        Instant handshake = START.plusSeconds(1);
        servers.judge(device(handshake, 92, 148), PLAN, handshake);
        assertThat(servers.isDue(handshake.plusSeconds(60))).isFalse();

        Instant silent = handshake.plusSeconds(20);
        servers.judge(device(handshake, 92, 148 + 2 * 148), PLAN, silent);

        assertThat(servers.verdict()).isEqualTo(Verdict.SILENT);
        assertThat(servers.isDue(silent.plus(PATIENCE))).isFalse();
        assertThat(servers.isDue(silent.plus(PATIENCE).plusMillis(1))).isTrue();
    }

    @Test
    void a_server_to_which_no_way_leads_is_not_connected_however_young_its_session() {
        Failover servers = of("a.conf");
        servers.judge(device(START, 92, 148), PLAN, START);
        assertThat(servers.verdict()).isEqualTo(Verdict.CONNECTED);

        servers.begin(START.plusSeconds(1));
        servers.judge(device(START, 92, 148), plan(Optional.empty()), START.plusSeconds(2));

        assertThat(servers.verdict()).isEqualTo(Verdict.CONNECTING);
        assertThat(told.toString().lines().filter(line -> line.contains("connected to")))
                .hasSize(1);

        servers.judge(device(START, 92, 148), PLAN, START.plusSeconds(3));
        assertThat(servers.verdict()).isEqualTo(Verdict.CONNECTED);
    }

    private static DeviceState device(Instant handshake, long received, long sent) {
        PeerState peer = new PeerState(
                new PublicKey(new byte[32]),
                false,
                Optional.empty(),
                Optional.of(handshake),
                received,
                sent,
                25,
                List.of());
        return new DeviceState(Optional.empty(), 51820, 0, List.of(peer));
    }
}
