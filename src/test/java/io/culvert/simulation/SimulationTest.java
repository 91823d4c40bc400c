// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Runs the whole of {@code culvert up} in simulated time, an hour for each seed, while things go wrong around it. The
 * seeds are other ones each time: {@code -Dculvert.simulation.seed} sets the first one, {@code
 * -Dculvert.simulation.seeds} their number, and {@code -Dculvert.simulation.seconds} for how long new ones are begun.
 */
class SimulationTest {

    private static final Duration TIME = Duration.ofHours(1);

    private static final int SEEDS = 1000;

    /** So that a slow machine runs fewer seeds. */
    private static final Duration LIMIT = Duration.ofSeconds(Integer.getInteger("culvert.simulation.seconds", 90));

    @Test
    void nothing_leaves_and_the_exit_node_recovers_whatever_goes_wrong() throws Exception {
        Optional<Long> given = Optional.ofNullable(Long.getLong("culvert.simulation.seed"));
        long first = given.orElseGet(() -> new Random().nextLong() & 0xffff_ffffL);
        int count = Integer.getInteger("culvert.simulation.seeds", given.isPresent() ? 1 : SEEDS);
        long end = System.nanoTime() + LIMIT.toNanos();
        AtomicLong next = new AtomicLong(first);
        List<Future<Integer>> workers = new ArrayList<>();
        int run = 0;
        try (ExecutorService executor = Executors.newFixedThreadPool(2)) {
            for (int i = 0; i < 2; i++) {
                workers.add(executor.submit(() -> {
                    int ended = 0;
                    for (long seed = next.getAndIncrement();
                            seed < first + count && System.nanoTime() < end;
                            seed = next.getAndIncrement()) {
                        run(seed);
                        ended++;
                    }
                    return ended;
                }));
            }
            for (Future<Integer> worker : workers) {
                run += worker.get();
            }
        }
        System.out.println("simulation: " + run + " seeds from " + first + " (again: " + command(first)
                + " -Dculvert.simulation.seeds="
                + run + "), " + World.judgedStates()
                + " states judged, " + RememberedAudits.count() + " of them for all packets");
        assertThat(run).isPositive();
    }

    private static void run(long seed) throws Exception {
        try (World world = new World(seed)) {
            Optional<Throwable> failure = world.run(TIME, Faults.all());
            if (failure.isPresent()) {
                throw new AssertionError("seed " + seed + ", repeated by: " + command(seed), failure.get());
            }
        }
    }

    private static String command(long seed) {
        return "./mvnw surefire:test@default-test -Dtest=SimulationTest -Dculvert.simulation.seed=" + seed;
    }

    @Test
    void a_seed_decides_everything() throws Exception {
        assertThat(fingerprint()).isEqualTo(fingerprint());
    }

    private static long fingerprint() throws Exception {
        try (World world = new World(4)) {
            assertThat(world.run(TIME, Faults.all())).isEmpty();
            return world.fingerprint();
        }
    }

    /** The positive control: the same deletion, of which nobody knows that it is a fault. */
    @Test
    void a_deleted_kill_switch_is_noticed() throws Exception {
        try (World world = new World(2)) {
            world.threads.schedule(Duration.ofMinutes(2), () -> {
                world.kernel.network.rules.removeIf(rule -> rule.preference() > 5000 && rule.preference() < 6000);
                world.kernel.ruleset.remove("culvert");
                world.judge();
            });

            assertThat(world.run(Duration.ofMinutes(5), Faults.none()))
                    .hasValueSatisfying(failure -> assertThat(failure).hasMessageStartingWith("may leave: [TCP to"));
        }
    }

    /** The positive control of the other condition. */
    @Test
    void an_exit_node_that_does_not_connect_is_noticed() throws Exception {
        try (World world = new World(1)) {
            world.servers.forEach(server -> server.behaviour = World.Behaviour.DEAD);

            assertThat(world.run(Duration.ofMinutes(5), Faults.none()))
                    .hasValueSatisfying(failure -> assertThat(failure).hasMessageStartingWith("not healthy"));
        }
    }
}
