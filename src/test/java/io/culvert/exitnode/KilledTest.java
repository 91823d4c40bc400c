package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The program is killed, at any moment, and started again; or it is asked to stop. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class KilledTest {

    /** What it says as it goes from step to step. */
    private static final List<String> STEPS =
            List.of("Settings", "kill switch: active", "tunnel: wg0 is up", "mesh: ", "tunnel: connected to");

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    /**
     * Before the guard has ever stood, what runs beside us leaves as it always did; from then on nothing may.
     *
     * @param closed what it says when the guard stands
     */
    private Child killedAtEveryStep(Map<String, String> settings, String closed) {
        world.observerIsNotBlind(Family.values());
        try (Child first = world.start(settings)) {
            first.awaitLine(closed, World.SOON);
            first.kill();
        }
        world.observer.forget();
        Child last;
        try (Pulse ipv4 = Pulse.of(world.space(), Family.IPV4);
                Pulse ipv6 = Pulse.of(world.space(), Family.IPV6)) {
            for (String step : STEPS) {
                try (Child culvert = world.start(settings)) {
                    culvert.awaitLine(step, World.SOON);
                    culvert.kill();
                }
            }
            last = world.connect(settings);
            ipv4.awaitAnswer(world.provider(Family.IPV4), World.SOON);
            ipv6.awaitAnswer(world.provider(Family.IPV6), World.SOON);
            assertThat(ipv4.seen()).containsExactly(world.provider(Family.IPV4));
            assertThat(ipv6.seen()).containsExactly(world.provider(Family.IPV6));
        }
        assertThat(world.observer.leaks()).isEmpty();
        return last;
    }

    @Test
    void a_container_that_is_killed_at_every_step_never_opens_its_guard_and_comes_back() {
        // Closed before its first word.
        killedAtEveryStep(world.settings(Map.of()), "Settings");
    }

    @Test
    void on_a_machine_what_a_killed_run_left_is_taken_over_and_a_stop_leaves_nothing() {
        world.in(Box.MACHINE);
        String before = world.footprint();
        Map<String, String> settings = world.settings(Map.of());
        Child culvert = killedAtEveryStep(settings, "kill switch: active");
        String running = world.footprint();
        culvert.kill();
        Child again = world.connect(settings);
        assertThat(world.footprint()).isEqualTo(running);

        again.signal("TERM");

        assertThat(again.awaitExit(World.SOON)).isZero();
        assertThat(again.output()).endsWith("stopped");
        assertThat(world.footprint()).isEqualTo(before);
    }

    @Test
    void a_container_that_is_stopped_stays_closed() {
        world.observerIsNotBlind(Family.values());
        String resolvConf = world.lab.node().resolvConf();
        Child culvert = world.connect(world.settings(Map.of()));
        assertThat(world.lab.node().resolvConf()).isNotEqualTo(resolvConf);

        culvert.signal("TERM");

        assertThat(culvert.awaitExit(World.SOON)).isZero();
        assertThat(world.space().run("ip", "-o", "link")).doesNotContain("wg0").doesNotContain("mesh0");
        assertThat(world.lab.node().resolvConf()).isEqualTo(resolvConf);
        world.localTrafficIsClosed(Family.values());
    }

    @Test
    void whoever_waits_for_health_is_told_when_it_comes() {
        world.in(Box.MACHINE);
        try (Child waiting = world.lab.node().start(Map.of(), "health", "--wait", "120")) {
            Child culvert = world.start(World.alone(Map.of()));
            assertThat(waiting.awaitExit(World.SOON)).isZero();
            assertThat(waiting.output()).isEqualTo("healthy");
            culvert.awaitLine("connected to", World.SOON);
        }
        assertThat(world.run(Map.of(), "health", "--wait", "120").status()).isZero();
    }

    @Test
    void a_stop_is_quick_while_the_server_does_not_answer() {
        world.in(Box.MACHINE);
        String before = world.footprint();
        world.lab.provider().die();
        Child culvert = world.start(World.alone(Map.of()));
        culvert.awaitLine("waiting for", World.SOON);
        assertThat(world.status().state()).hasToString("connecting");

        culvert.signal("TERM");

        assertThat(culvert.awaitExit(World.SOON)).isZero();
        assertThat(world.footprint()).isEqualTo(before);
        assertThat(world.status().state()).hasToString("stopped");
    }
}
