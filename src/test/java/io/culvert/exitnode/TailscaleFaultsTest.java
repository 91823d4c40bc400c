package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
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
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * One node of a tailnet runs all the time, and so does the traffic of a local process and of a phone that exits by it,
 * in both families. Things go wrong around them: nothing leaks, names included, and everybody is served again without a
 * restart.
 */
@Tag("tailnet")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleFaultsTest {

    private static final AtomicInteger NAMES = new AtomicInteger();

    private final Tailnet tailnet = Tailnet.of(Shape.USUAL.uplink("enp3s0"));
    private Child culvert;
    private List<Pulse> ipv4;
    private List<Pulse> ipv6;

    @BeforeAll
    void start() {
        culvert = tailnet.connect(Map.of());
        tailnet.phoneExits();
        ipv4 = List.of(pulseOfNode(Family.IPV4), pulseOfPhone(Family.IPV4));
        ipv6 = List.of(pulseOfNode(Family.IPV6), pulseOfPhone(Family.IPV6));
        everybodyIsServed();
    }

    private Pulse pulseOfNode(Family family) {
        return Pulse.of(tailnet.world.space(), family);
    }

    private Pulse pulseOfPhone(Family family) {
        return Pulse.of(tailnet.lab.client().space(), family);
    }

    @AfterEach
    void nothing_leaked_and_everybody_is_served_again() {
        everybodyIsServed();
        assertThat(tailnet.observer.leaks()).isEmpty();
        for (Pulse pulse : ipv4) {
            assertThat(pulse.seen()).containsExactly(provider(Family.IPV4));
        }
        for (Pulse pulse : ipv6) {
            assertThat(pulse.seen()).containsExactly(provider(Family.IPV6));
        }
        assertThat(culvert.isAlive()).isTrue();
    }

    @AfterAll
    void stop() {
        ipv4.forEach(Pulse::close);
        ipv6.forEach(Pulse::close);
        tailnet.close();
    }

    private String provider(Family family) {
        return tailnet.world.provider(family);
    }

    private void everybodyIsServed() {
        ipv4.forEach(pulse -> pulse.awaitAnswer(provider(Family.IPV4), World.SOON));
        ipv6.forEach(pulse -> pulse.awaitAnswer(provider(Family.IPV6), World.SOON));
        tailnet.phoneResolvesSoon(TailscaleFaultsTest::freshName);
    }

    /** Nobody reaches anybody, and no name that is asked now is asked of anybody out there. */
    private void nobodyIsServed() {
        String name = freshName();
        Stream<Supplier<Object>> questions = Stream.of(
                () -> tailnet.node.whoami(Family.IPV4),
                () -> tailnet.node.whoami(Family.IPV6),
                () -> tailnet.phone.whoami(Family.IPV4),
                () -> tailnet.phone.whoami(Family.IPV6),
                () -> tailnet.node.resolve(Lab.RESOLVER_4, name, Family.IPV4),
                () -> tailnet.phone.resolve(Tailnet.MAGIC_DNS, name, Family.IPV4));
        // All at once, as most of them wait in vain.
        try (ExecutorService together = Executors.newVirtualThreadPerTaskExecutor()) {
            assertThat(questions
                            .map(question -> CompletableFuture.supplyAsync(question, together))
                            .toList())
                    .extracting(CompletableFuture::join)
                    .containsOnly(Optional.empty(), List.of());
        }
        assertThat(tailnet.asked(name)).isEmpty();
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    private static String freshName() {
        return "fault" + NAMES.incrementAndGet() + ".example";
    }

    /** While the program sleeps it puts nothing back: what holds then holds by itself. Tailscale goes on running. */
    private void asleep(Runnable story) {
        culvert.signal("STOP");
        try {
            story.run();
            culvert.fromNow();
        } finally {
            culvert.signal("CONT");
        }
    }

    private void deleteTunnel() {
        tailnet.world.space().run("ip", "link", "delete", "wg0");
    }

    @Test
    void the_tunnel_s_link_is_deleted() {
        asleep(() -> {
            deleteTunnel();
            nobodyIsServed();
        });
        culvert.awaitLine("tunnel: connected to", World.SOON);
    }

    @Test
    void the_tunnel_s_link_is_set_down() {
        asleep(() -> {
            tailnet.world.space().run("ip", "link", "set", "wg0", "down");
            nobodyIsServed();
        });
        culvert.awaitLine("network: ip link set", World.SOON);
    }

    @Test
    void the_userspace_WireGuard_is_killed() {
        asleep(() -> {
            culvert.descendant("wireguard-go", "wg0").destroyForcibly();
            nobodyIsServed();
        });
        culvert.awaitLine("tunnel: connected to", World.SOON);
    }

    @Test
    void the_tunnel_s_routing_table_is_flushed() {
        asleep(() -> {
            tailnet.world.space().run("ip", "-4", "route", "flush", "table", "51820");
            tailnet.world.space().run("ip", "-6", "route", "flush", "table", "51820");
            nobodyIsServed();
        });
        culvert.awaitLine("network: ip -[46] route add", World.SOON);
    }

    @Test
    void routing_alone_holds_without_our_nftables_and_both_are_put_back() {
        asleep(() -> {
            tailnet.world.space().run("nft", "delete", "table", "inet", "culvert");
            deleteTunnel();
            nobodyIsServed();
        });
        culvert.awaitLine("kill switch: reverted an external change: nftables ruleset reloaded", World.SOON);
        culvert.awaitLine("tunnel: connected to", World.SOON);
    }

    @Test
    void nftables_alone_hold_without_our_rules_and_both_are_put_back() {
        asleep(() -> {
            for (String family : List.of("-4", "-6")) {
                tailnet.world.space().run("ip", family, "rule", "flush", "protocol", "67");
            }
            nobodyIsServed();
        });
        culvert.awaitLine("kill switch: reverted an external change: ip -4 rule add", World.SOON);
        assertThat(tailnet.world.status().guard())
                .containsEntry("nftables", true)
                .containsEntry("routing", true);
    }

    @Test
    void the_provider_falls_silent_and_speaks_again() {
        tailnet.lab.provider().fallSilent();
        nobodyIsServed();
        tailnet.lab.provider().speak();
    }

    @Test
    void the_provider_dies_and_returns() {
        tailnet.lab.provider().die();
        nobodyIsServed();
        tailnet.lab.provider().live();
    }

    @Test
    void tailscaled_is_killed() {
        phonesGoOnAfterTheEndOf(tailscaled(), "tailscaled");
    }

    @Test
    void containerboot_is_killed_and_its_tailscaled_is_not_left_alone() {
        ProcessHandle tailscaled = tailscaled();
        phonesGoOnAfterTheEndOf(culvert.descendant("containerboot"), "containerboot");
        assertThat(tailscaled.isAlive()).isFalse();
    }

    private ProcessHandle tailscaled() {
        return culvert.descendant("tailscaled", "--statedir");
    }

    /** How long it takes is told, not asserted: that depends on the machine. */
    private void phonesGoOnAfterTheEndOf(ProcessHandle program, String name) {
        String node = tailnet.id();
        ProcessHandle tailscaled = tailscaled();
        culvert.fromNow();
        long killed = System.nanoTime();
        program.destroyForcibly();
        culvert.awaitLine("containerboot: exited unexpectedly", World.SOON);
        tailscaled.onExit().orTimeout(30, TimeUnit.SECONDS).join();
        ipv4.get(1).awaitAnswer(provider(Family.IPV4), World.SOON);
        System.out.printf(
                "%s killed: exit traffic again after %d ms%n", name, (System.nanoTime() - killed) / 1_000_000);
        culvert.awaitLine("mesh: .*offers exit node$", World.SOON);
        assertThat(tailnet.id()).isEqualTo(node);
    }
}
