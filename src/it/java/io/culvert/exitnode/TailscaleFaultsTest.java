// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TailnetTest;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * One node of a tailnet runs throughout, with traffic of a local process and of an exit-node client in both families.
 * Faults are injected: nothing leaks, DNS queries included, and traffic flows again without a restart.
 */
@TailnetTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TailscaleFaultsTest {

    private static final AtomicInteger NAMES = new AtomicInteger();

    private final TailnetFixture tailnet = TailnetFixture.of(LabOptions.DEFAULTS.uplink("enp3s0"));
    private RunningProgram culvert;
    private List<ContinuousProbe> ipv4 = List.of();
    private List<ContinuousProbe> ipv6 = List.of();

    @BeforeAll
    void start() {
        culvert = tailnet.connect(Map.of());
        tailnet.selectExitNodeOnPhone();
        ipv4 = List.of(startLocalTraffic(Family.IPV4), startPhoneTraffic(Family.IPV4));
        ipv6 = List.of(startLocalTraffic(Family.IPV6), startPhoneTraffic(Family.IPV6));
        assertTrafficFlows();
    }

    private ContinuousProbe startLocalTraffic(Family family) {
        return ContinuousProbe.of(tailnet.fixture.namespace(), family);
    }

    private ContinuousProbe startPhoneTraffic(Family family) {
        return ContinuousProbe.of(tailnet.lab.client().namespace(), family);
    }

    @AfterEach
    void nothing_leaked_and_traffic_flows_again() {
        assertTrafficFlows();
        assertThat(tailnet.observer.leaks()).isEmpty();
        for (ContinuousProbe traffic : ipv4) {
            assertThat(traffic.seenAddresses()).containsExactly(provider(Family.IPV4));
        }
        for (ContinuousProbe traffic : ipv6) {
            assertThat(traffic.seenAddresses()).containsExactly(provider(Family.IPV6));
        }
        assertThat(culvert.isAlive()).isTrue();
    }

    @AfterAll
    void stop() {
        ipv4.forEach(ContinuousProbe::close);
        ipv6.forEach(ContinuousProbe::close);
        tailnet.close();
    }

    private String provider(Family family) {
        return tailnet.fixture.provider(family);
    }

    private void assertTrafficFlows() {
        ipv4.forEach(traffic -> traffic.awaitReply(provider(Family.IPV4), ExitNodeFixture.TIMEOUT));
        ipv6.forEach(traffic -> traffic.awaitReply(provider(Family.IPV6), ExitNodeFixture.TIMEOUT));
        tailnet.awaitPhoneResolves(TailscaleFaultsTest::freshName);
    }

    /** Asserts that nothing is reachable, and that no DNS query leaves. */
    private void assertNothingReachable() {
        String name = freshName();
        Stream<Supplier<Object>> queries = Stream.of(
                () -> tailnet.node.whoami(Family.IPV4),
                () -> tailnet.node.whoami(Family.IPV6),
                () -> tailnet.phone.whoami(Family.IPV4),
                () -> tailnet.phone.whoami(Family.IPV6),
                () -> tailnet.node.resolve(Lab.RESOLVER_IPV4, name, Family.IPV4),
                () -> tailnet.phone.resolve(TailnetFixture.MAGIC_DNS, name, Family.IPV4));
        // In parallel, as most of them time out.
        try (ExecutorService together = Executors.newVirtualThreadPerTaskExecutor()) {
            assertThat(queries.map(query -> CompletableFuture.supplyAsync(query, together))
                            .toList())
                    .extracting(CompletableFuture::join)
                    .containsOnly(Optional.empty(), List.of());
        }
        assertThat(tailnet.queriesFor(name)).isEmpty();
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    private static String freshName() {
        return "fault" + NAMES.incrementAndGet() + ".example";
    }

    /**
     * While the program is suspended it corrects nothing, so the remaining layer alone blocks leaks. Tailscale
     * keeps running.
     */
    private void whileSuspended(Runnable scenario) {
        culvert.signal("STOP");
        try {
            scenario.run();
            culvert.ignoreEarlierOutput();
        } finally {
            culvert.signal("CONT");
        }
    }

    private void deleteTunnel() {
        tailnet.fixture.namespace().run("ip", "link", "delete", "wg0");
    }

    @Test
    void a_deleted_tunnel_interface_is_restored() {
        whileSuspended(() -> {
            deleteTunnel();
            assertNothingReachable();
        });
        culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void a_tunnel_interface_that_is_set_down_is_set_up_again() {
        whileSuspended(() -> {
            tailnet.fixture.namespace().run("ip", "link", "set", "wg0", "down");
            assertNothingReachable();
        });
        culvert.awaitLine("network: ip link set", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void a_killed_userspace_WireGuard_is_restarted() {
        whileSuspended(() -> {
            culvert.descendant("wireguard-go", "wg0").destroyForcibly();
            assertNothingReachable();
        });
        culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void a_flushed_tunnel_routing_table_is_restored() {
        whileSuspended(() -> {
            tailnet.fixture.namespace().run("ip", "-4", "route", "flush", "table", "51820");
            tailnet.fixture.namespace().run("ip", "-6", "route", "flush", "table", "51820");
            assertNothingReachable();
        });
        culvert.awaitLine("network: ip -[46] route add", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void routing_alone_blocks_leaks_without_nftables_and_both_layers_are_restored() {
        whileSuspended(() -> {
            tailnet.fixture.namespace().run("nft", "delete", "table", "inet", "culvert");
            deleteTunnel();
            assertNothingReachable();
        });
        culvert.awaitLine(
                "kill switch: reverted an external change: nftables ruleset reloaded", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void nftables_alone_block_leaks_without_routing_rules_and_both_layers_are_restored() {
        whileSuspended(() -> {
            for (String family : List.of("-4", "-6")) {
                tailnet.fixture.namespace().run("ip", family, "rule", "flush", "protocol", "67");
            }
            assertNothingReachable();
        });
        culvert.awaitLine("kill switch: reverted an external change: ip -4 rule add", ExitNodeFixture.TIMEOUT);
        assertThat(tailnet.fixture.status().killSwitch())
                .containsEntry("nftables", true)
                .containsEntry("routing", true);
    }

    @Test
    void a_server_that_stops_responding_and_responds_again_is_reported() {
        tailnet.lab.provider().blockTraffic();
        assertNothingReachable();
        tailnet.lab.provider().unblockTraffic();
    }

    @Test
    void a_server_that_dies_and_returns_is_reconnected() {
        tailnet.lab.provider().stop();
        assertNothingReachable();
        tailnet.lab.provider().start();
    }

    @Test
    void a_killed_tailscaled_is_restarted() {
        assertRecoversFromKillOf(tailscaled(), "tailscaled");
    }

    /** It exits by no signal that it is sent, and every process of the exit node is alive. */
    @Test
    void a_tailscaled_that_hangs_is_replaced() {
        ProcessHandle tailscaled = tailscaled();
        culvert.ignoreEarlierOutput();
        CommandResult.of(List.of("kill", "-STOP", Long.toString(tailscaled.pid())))
                .outputOrFail();

        culvert.awaitLine("tailscale: does not respond", Duration.ofSeconds(60));
        culvert.awaitLine("mesh: .*advertises exit node$", Duration.ofSeconds(60));

        assertThat(tailscaled.isAlive()).isFalse();
    }

    @Test
    void a_killed_containerboot_is_restarted_and_its_tailscaled_is_stopped() {
        ProcessHandle tailscaled = tailscaled();
        assertRecoversFromKillOf(culvert.descendant("containerboot"), "containerboot");
        assertThat(tailscaled.isAlive()).isFalse();
    }

    private ProcessHandle tailscaled() {
        return culvert.descendant("tailscaled", "--statedir");
    }

    /** The duration is logged, not asserted, as it depends on the machine. */
    private void assertRecoversFromKillOf(ProcessHandle program, String name) {
        String node = tailnet.id();
        ProcessHandle tailscaled = tailscaled();
        culvert.ignoreEarlierOutput();
        long killed = System.nanoTime();
        program.destroyForcibly();
        culvert.awaitLine("containerboot: exited unexpectedly", ExitNodeFixture.TIMEOUT);
        tailscaled.onExit().orTimeout(30, TimeUnit.SECONDS).join();
        ipv4.get(1).awaitReply(provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
        System.out.printf(
                "%s killed: exit traffic again after %d ms%n", name, (System.nanoTime() - killed) / 1_000_000);
        culvert.awaitLine("mesh: .*advertises exit node$", ExitNodeFixture.TIMEOUT);
        assertThat(tailnet.id()).isEqualTo(node);
    }
}
