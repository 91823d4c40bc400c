// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.exitnode.LoadedConfiguration.Server;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.plan.DnsPlan;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ResolvedNames;
import io.culvert.plan.Tailnet;
import io.culvert.routing.TunnelIdentity;
import io.culvert.rtnl.Machines;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.RoutingIntent;
import io.culvert.rtnl.Uplink;
import io.culvert.settings.ServerOrder;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.config.WireGuardFile;
import io.culvert.wireguard.device.DeviceConfig;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.TunnelHealth.Verdict;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FailoverTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private static final ExitNodePlan PLAN = plan(Optional.of(new InetSocketAddress("192.0.2.10", 51820)));

    private static ExitNodePlan plan(Optional<InetSocketAddress> endpoint) {
        DeviceConfig.PeerConfig peer =
                new DeviceConfig.PeerConfig(new PublicKey(new byte[32]), Optional.empty(), endpoint, 25, List.of());
        return new ExitNodePlan(
                TunnelIdentity.withMark(0x51000000),
                new DeviceConfig(server("a.conf").config().privateKey(), 0, 0, List.of(peer)),
                new LinkedHashMap<>(),
                List.of(),
                NetworkState.EMPTY,
                NetworkState.EMPTY,
                NetworkState.EMPTY,
                new RoutingIntent(List.of(), Set.of(), Map.of()),
                new DnsPlan(List.of(), List.of(), List.of()),
                Set.of(),
                Set.of(),
                List.of(),
                Tailnet.UNKNOWN,
                List.of(),
                List.of(),
                endpoint.isEmpty()
                        ? Machines.of(Map.of(), it -> it.links = Set.of())
                        : Machines.of(Map.of(Family.IPV4, uplink()), it -> it.connectedLinks = Set.of("eth0")));
    }

    private static Uplink uplink() {
        return new Uplink("eth0", Optional.empty(), List.of(Prefix.parse("192.0.2.1/24")), 1500);
    }

    private Instant clock = START;
    private final StringWriter logged = new StringWriter();

    private Failover of(String... files) {
        return new Failover(
                new ServerSelection(
                        List.of(files).stream().map(FailoverTest::server).toList(),
                        ServerOrder.FILE,
                        "",
                        Optional.empty(),
                        new Random(1),
                        START),
                new DataPath(true, START),
                () -> clock,
                new Log(new PrintWriter(logged)),
                START);
    }

    private RecoveryStep next(Failover servers, Instant now) {
        return servers.nextStep(PLAN, ResolvedNames.NONE, false, now);
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
    void each_server_has_a_timeout_and_each_round_takes_longer() {
        Failover servers = of("a.conf", "b.conf");
        WireGuardConfig first = servers.config();
        Instant now = START;
        List<Duration> attempts = new ArrayList<>();
        for (int attempt = 0; attempt < 8; attempt++) {
            Instant begin = now;
            while (next(servers, now) == RecoveryStep.NONE) {
                now = now.plusMillis(100);
            }
            servers.restart(now);
            attempts.add(Duration.between(begin, now));
        }

        assertThat(servers.config()).isSameAs(first);
        assertThat(attempts.get(0)).isBetween(Duration.ofSeconds(3), Duration.ofSeconds(4));
        assertThat(attempts.get(3)).isBetween(Duration.ofSeconds(6), Duration.ofSeconds(8));
        assertThat(attempts.get(7)).isBetween(Duration.ofSeconds(24), Duration.ofSeconds(30));
        assertThat(logged.toString().lines())
                .containsExactly("warn: tunnel: no response from the server of a.conf; trying b.conf");
    }

    @Test
    void a_server_that_sends_as_many_bytes_as_the_previous_one_counts_as_responding() {
        Failover servers = of("a.conf", "b.conf");
        servers.judge(device(START, 92, 148), PLAN, START);
        Instant later = START.plusSeconds(300);
        servers.select(server("b.conf"), later);
        servers.restart(later);

        servers.judge(device(later, 92, 148), PLAN, later.plusMillis(10));
        servers.judge(device(later, 92, 600), PLAN, later.plusMillis(20));

        assertThat(servers.verdict()).isEqualTo(Verdict.CONNECTED);
    }

    @Test
    void a_server_that_stops_responding_is_left_before_its_session_expires() {
        Failover servers = of("a.conf", "b.conf");
        Instant handshake = START.plusSeconds(1);
        servers.judge(device(handshake, 92, 148), PLAN, handshake);
        assertThat(next(servers, handshake.plusSeconds(15))).isEqualTo(RecoveryStep.NONE);

        Instant silent = handshake.plusSeconds(20);
        servers.judge(device(handshake, 92, 148 + 2 * 148), PLAN, silent);

        assertThat(servers.verdict()).isEqualTo(Verdict.SILENT);
        assertThat(next(servers, silent)).isEqualTo(RecoveryStep.RESET_PEER);
        assertThat(next(servers, silent.plusMillis(300))).isEqualTo(RecoveryStep.NONE);
        assertThat(next(servers, silent.plusMillis(500))).isEqualTo(RecoveryStep.SWITCH_SERVER);
    }

    @Test
    void without_an_uplink_of_this_machine_no_server_is_given_up() {
        Failover servers = of("a.conf", "b.conf");

        assertThat(servers.nextStep(plan(Optional.empty()), ResolvedNames.NONE, false, START.plusSeconds(600)))
                .isEqualTo(RecoveryStep.NONE);
    }

    @ParameterizedTest
    @ValueSource(longs = {3, -1, -3})
    void a_clock_that_is_set_changes_nothing_while_the_server_responds_and_hides_no_failure(long hours) {
        Failover servers = of("a.conf", "b.conf");
        clock = START.plus(Duration.ofHours(hours));
        Instant connecting = START.plusSeconds(1);
        servers.judge(new DeviceState(Optional.empty(), 51820, 0, List.of()), PLAN, connecting);
        assertThat(next(servers, connecting)).isEqualTo(RecoveryStep.NONE);
        Instant handshake = clock;
        clock = START;
        servers.judge(device(handshake, 92, 148), PLAN, START.plusSeconds(2));
        assertThat(servers.verdict()).as("connects").isEqualTo(Verdict.CONNECTED);

        clock = START.plus(Duration.ofHours(2 * hours));
        for (int second = 3; second < 100; second++) {
            Instant now = START.plusSeconds(second);
            servers.judge(device(handshake, 92, 148), PLAN, now);
            assertThat(servers.verdict()).as("after " + second).isEqualTo(Verdict.CONNECTED);
            assertThat(next(servers, now)).isEqualTo(RecoveryStep.NONE);
        }

        servers.judge(device(handshake, 92, 148), PLAN, START.plusSeconds(200));
        assertThat(servers.verdict()).isEqualTo(Verdict.LOST);
        assertThat(next(servers, START.plusSeconds(200))).isEqualTo(RecoveryStep.RESET_PEER);
    }

    @Test
    void an_unreachable_server_is_not_connected_even_with_a_recent_session() {
        Failover servers = of("a.conf");
        servers.judge(device(START, 92, 148), PLAN, START);
        assertThat(servers.verdict()).isEqualTo(Verdict.CONNECTED);

        servers.restart(START.plusSeconds(1));
        servers.judge(device(START, 92, 148), plan(Optional.empty()), START.plusSeconds(2));

        assertThat(servers.verdict()).isEqualTo(Verdict.CONNECTING);
        assertThat(logged.toString().lines().filter(line -> line.contains("connected to")))
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
