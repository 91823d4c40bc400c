// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.exitnode.LoadedConfiguration.Server;
import io.culvert.plan.DnsPlan;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Tailnet;
import io.culvert.routing.TunnelIdentity;
import io.culvert.rtnl.Machines;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.RoutingIntent;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FailoverTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

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
                Machines.of(Map.of(), it -> it.links = Set.of()));
    }

    private final StringWriter logged = new StringWriter();

    private Failover of(String... files) {
        return new Failover(
                List.of(files).stream().map(FailoverTest::server).toList(),
                TIMEOUT,
                new Log(new PrintWriter(logged)),
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
    void each_server_has_the_full_timeout() {
        Failover servers = of("a.conf", "b.conf");
        WireGuardConfig first = servers.config();
        Instant late = START.plus(TIMEOUT).plusMillis(1);

        assertThat(servers.isTimedOut(START.plus(TIMEOUT))).isFalse();
        assertThat(servers.isTimedOut(late)).isTrue();
        assertThat(servers.switchServer(late)).isTrue();
        assertThat(servers.config()).isNotSameAs(first);
        assertThat(servers.isTimedOut(late.plus(TIMEOUT))).isFalse();
        assertThat(logged.toString()).contains("no response from the server of a.conf; trying b.conf");
        assertThat(servers.switchServer(late)).isTrue();
        assertThat(servers.config()).isSameAs(first);
    }

    @Test
    void the_timeout_of_the_only_server_is_restarted() {
        Failover servers = of("a.conf");

        assertThat(servers.switchServer(START.plus(TIMEOUT))).isFalse();
        assertThat(servers.isTimedOut(START.plus(TIMEOUT))).isFalse();
        assertThat(logged.toString()).isEmpty();
    }

    @Test
    void a_server_that_sends_as_many_bytes_as_the_previous_one_counts_as_responding() {
        Failover servers = of("a.conf", "b.conf");
        servers.judge(device(START, 92, 148), PLAN, START);
        Instant later = START.plusSeconds(300);
        servers.switchServer(later);
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
        assertThat(servers.isTimedOut(handshake.plusSeconds(60))).isFalse();

        Instant silent = handshake.plusSeconds(20);
        servers.judge(device(handshake, 92, 148 + 2 * 148), PLAN, silent);

        assertThat(servers.verdict()).isEqualTo(Verdict.SILENT);
        assertThat(servers.isTimedOut(silent.plus(TIMEOUT))).isFalse();
        assertThat(servers.isTimedOut(silent.plus(TIMEOUT).plusMillis(1))).isTrue();
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
