// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The program is killed at any moment and started again, or asked to stop. */
@NamespaceTest
class CrashRecoveryTest {

    /** The log line of each step. */
    private static final List<String> STEPS =
            List.of("Settings", "kill switch: active", "tunnel: wg0 is up", "mesh: ", "tunnel: connected to");

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    /**
     * Before the kill switch is active, other processes may send as before; from then on nothing may leave.
     *
     * @param killSwitchActiveLine the log line after which the kill switch is active
     */
    private RunningProgram killAtEveryStep(Map<String, String> settings, String killSwitchActiveLine) {
        fixture.verifyObserverDetectsLeaks(Family.values());
        try (RunningProgram first = fixture.start(settings)) {
            first.awaitLine(killSwitchActiveLine, ExitNodeFixture.TIMEOUT);
            first.kill();
        }
        fixture.observer.reset();
        RunningProgram last;
        try (ContinuousProbe ipv4 = ContinuousProbe.of(fixture.namespace(), Family.IPV4);
                ContinuousProbe ipv6 = ContinuousProbe.of(fixture.namespace(), Family.IPV6)) {
            for (String step : STEPS) {
                try (RunningProgram culvert = fixture.start(settings)) {
                    culvert.awaitLine(step, ExitNodeFixture.TIMEOUT);
                    culvert.kill();
                }
            }
            last = fixture.connect(settings);
            ipv4.awaitReply(fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
            ipv6.awaitReply(fixture.provider(Family.IPV6), ExitNodeFixture.TIMEOUT);
            assertThat(ipv4.seenAddresses()).containsExactly(fixture.provider(Family.IPV4));
            assertThat(ipv6.seenAddresses()).containsExactly(fixture.provider(Family.IPV6));
        }
        assertThat(fixture.observer.leaks()).isEmpty();
        return last;
    }

    @Test
    void a_container_killed_at_any_step_keeps_its_kill_switch_and_recovers() {
        // The kill switch is active before the first log line.
        killAtEveryStep(fixture.settings(Map.of()), "Settings");
    }

    @Test
    void on_a_machine_leftovers_of_a_killed_run_are_taken_over_and_removed_by_a_stop() {
        fixture.in(Sandbox.MACHINE);
        String before = fixture.footprint();
        Map<String, String> settings = fixture.settings(Map.of());
        RunningProgram culvert = killAtEveryStep(settings, "kill switch: active");
        String running = fixture.footprint();
        culvert.kill();
        RunningProgram again = fixture.connect(settings);
        assertThat(fixture.footprint()).isEqualTo(running);

        again.signal("TERM");

        assertThat(again.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        assertThat(again.output()).endsWith("stopped");
        assertThat(fixture.footprint()).isEqualTo(before);
    }

    @Test
    void the_kill_switch_of_a_stopped_container_stays_active() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        String resolvConf = fixture.lab.node().resolvConf();
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        assertThat(fixture.lab.node().resolvConf()).isNotEqualTo(resolvConf);

        culvert.signal("TERM");

        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        assertThat(fixture.namespace().run("ip", "-o", "link"))
                .doesNotContain("wg0")
                .doesNotContain("mesh0");
        assertThat(fixture.lab.node().resolvConf()).isEqualTo(resolvConf);
        fixture.assertLocalTrafficBlocked(Family.values());
    }

    @Test
    void health_wait_returns_when_the_exit_node_becomes_healthy() {
        fixture.in(Sandbox.MACHINE);
        try (RunningProgram waiting = fixture.lab.node().start(Map.of(), "health", "--wait", "120")) {
            RunningProgram culvert = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));
            assertThat(waiting.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
            assertThat(waiting.output()).isEqualTo("healthy");
            culvert.awaitLine("connected to", ExitNodeFixture.TIMEOUT);
        }
        assertThat(fixture.run(Map.of(), "health", "--wait", "120").status()).isZero();
    }

    @Test
    void a_stop_is_quick_while_the_server_does_not_respond() {
        fixture.in(Sandbox.MACHINE);
        String before = fixture.footprint();
        fixture.lab.provider().stop();
        RunningProgram culvert = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("waiting for", ExitNodeFixture.TIMEOUT);
        assertThat(fixture.status().state()).hasToString("connecting");

        culvert.signal("TERM");

        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        assertThat(fixture.footprint()).isEqualTo(before);
        assertThat(fixture.status().state()).hasToString("stopped");
    }
}
