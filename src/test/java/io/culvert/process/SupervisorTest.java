// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Privileges;
import io.culvert.process.ChildEvent.Exited;
import io.culvert.process.ChildEvent.OutputLine;
import io.culvert.process.ChildEvent.RestartFailed;
import io.culvert.process.ChildEvent.Restarting;
import io.culvert.process.ChildEvent.Started;
import io.culvert.timing.BackOff;
import io.culvert.timing.Threads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SupervisorTest {

    private static final Duration LONG_RUN = Duration.ofMinutes(2);

    @TempDir
    Path directory;

    private final Children children = new Children();
    private final BlockingQueue<ChildEvent> events = new LinkedBlockingQueue<>();
    private final List<Supervisor> supervisors = new ArrayList<>();

    @AfterEach
    void stopAll() {
        supervisors.forEach(Supervisor::stopAll);
    }

    @Test
    void a_failing_child_is_restarted_with_exponential_back_off() throws Exception {
        ScriptedClock clock = new ScriptedClock(5, Duration.ZERO);
        supervisor(clock).start(shell("exit 3"));

        for (int wait : List.of(100, 200, 400, 800, 1000, 1000)) {
            assertThat(next(Exited.class)).isEqualTo(new Exited("child", 3, false, List.of()));
            assertThat(next(Restarting.class).delay()).isEqualTo(Duration.ofMillis(wait));
        }
    }

    @Test
    void a_child_that_was_stable_is_restarted_after_the_initial_delay() throws Exception {
        ScriptedClock clock = new ScriptedClock(3, LONG_RUN);
        supervisor(clock).start(shell("exit 0"));

        for (int start = 1; start <= 3; start++) {
            assertThat(next(Started.class).start()).isEqualTo(start);
            assertThat(next(Restarting.class).delay()).isEqualTo(Duration.ofMillis(100));
        }
    }

    @Test
    void a_child_killed_by_a_signal_is_reported_and_restarted() throws Exception {
        Child child = supervisor(new ScriptedClock(1, LONG_RUN)).start(shell("exec sleep 600"));
        long first = next(Started.class).pid();
        ProcessHandle.of(first).orElseThrow().destroyForcibly();

        assertThat(next(Exited.class).status()).isEqualTo(137);
        assertThat(next(Started.class).pid()).isEqualTo(child.pid()).isNotEqualTo(first);
    }

    @Test
    void a_stopped_child_receives_sigterm_and_is_not_restarted() throws Exception {
        Child child = supervisor(new ScriptedClock(9, LONG_RUN)).start(shell("exec sleep 600"));
        child.stop();
        child.stop();

        assertThat(next(Exited.class)).isEqualTo(new Exited("child", 143, true, List.of()));
        assertThat(events).isEmpty();
        assertThat(child.exit()).isCompleted();
    }

    @Test
    void a_child_stopped_during_the_restart_delay_is_not_restarted() throws Exception {
        Child child = supervisor(new ScriptedClock(0, Duration.ZERO)).start(shell("exit 1"));
        next(Restarting.class);
        child.stop();

        assertThat(events).isEmpty();
    }

    @Test
    void a_child_that_ignores_sigterm_is_killed_after_the_grace_period() throws Exception {
        Child child = supervisor(Threads.SYSTEM).start(shell("trap '' TERM; echo ready; exec sleep 600"));
        assertThat(next(OutputLine.class).line()).isEqualTo("ready");
        child.stop();

        assertThat(next(Exited.class).status()).isEqualTo(137);
    }

    @Test
    void descendants_of_a_stopped_child_are_killed() throws Exception {
        Child child = supervisor(Threads.SYSTEM).start(shell("sleep 600 & echo $!; wait"));
        ProcessHandle grandchild =
                ProcessHandle.of(Long.parseLong(next(OutputLine.class).line())).orElseThrow();
        child.stop();

        grandchild.onExit().get(10, TimeUnit.SECONDS);
    }

    @Test
    void standard_output_and_error_are_redacted_and_the_last_lines_are_kept() throws Exception {
        supervisor(new ScriptedClock(0, Duration.ZERO))
                .start(shell("for i in 1 2 3 4 5; do echo line $i; done; echo bad key s3cret >&2; exit 1"));

        assertThat(next(OutputLine.class).line()).isEqualTo("line 1");
        assertThat(next(Exited.class).lastOutput())
                .containsExactly("line 2", "line 3", "line 4", "line 5", "bad key (hidden)");
    }

    @Test
    void a_child_gets_only_the_environment_of_its_specification() throws Exception {
        ChildSpec spec = new ChildSpec(
                "child",
                Path.of("/usr/bin/env"),
                List.of(),
                Map.of("ONLY", "this"),
                Privileges.NONE,
                Duration.ofSeconds(1));
        supervisor(new ScriptedClock(0, Duration.ZERO)).start(spec);

        assertThat(next(Exited.class).lastOutput()).containsExactly("ONLY=this");
    }

    @Test
    void a_child_has_no_capabilities_and_cannot_gain_any() throws Exception {
        supervisor(new ScriptedClock(0, Duration.ZERO))
                .start(shell("grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs):' /proc/self/status"));

        assertThat(next(Exited.class).lastOutput())
                .containsExactlyInAnyOrder(
                        "CapInh:\t0000000000000000",
                        "CapPrm:\t0000000000000000",
                        "CapEff:\t0000000000000000",
                        "CapAmb:\t0000000000000000",
                        "NoNewPrivs:\t1");
    }

    @Test
    void a_child_has_a_limit_of_file_descriptors() throws Exception {
        supervisor(new ScriptedClock(0, Duration.ZERO)).start(shell("ulimit -Sn; ulimit -Hn"));

        assertThat(next(Exited.class).lastOutput())
                .hasSize(2)
                .allSatisfy(limit -> assertThat(Long.parseLong(limit)).isLessThanOrEqualTo(65536));
    }

    @Test
    void children_are_stopped_in_reverse_order_of_their_start() throws Exception {
        Supervisor supervisor = supervisor(Threads.SYSTEM);
        for (String name : List.of("first", "second", "third")) {
            supervisor.start(new ChildSpec(
                    name, Path.of("/bin/sleep"), List.of("600"), Map.of(), Privileges.NONE, Duration.ofSeconds(5)));
        }
        supervisor.stopAll();

        assertThat(List.of(next(Exited.class), next(Exited.class), next(Exited.class)))
                .extracting(Exited::child)
                .containsExactly("third", "second", "first");
    }

    @Test
    void a_missing_program_is_a_problem_at_the_first_start() {
        ChildSpec spec =
                new ChildSpec("child", directory.resolve("gone"), List.of(), Map.of(), Privileges.NONE, Duration.ZERO);

        assertThatThrownBy(() -> supervisor(Threads.SYSTEM).start(spec))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("child cannot be started: No such file or directory");
    }

    @Test
    void a_failed_restart_is_reported_and_retried() throws Exception {
        Path program = Files.writeString(directory.resolve("program"), "#!/bin/sh\nrm \"$0\"\nexit 1\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        supervisor(new ScriptedClock(2, Duration.ZERO))
                .start(new ChildSpec(
                        "child", program, List.of(), Map.of("PATH", "/bin"), Privileges.NONE, Duration.ZERO));

        assertThat(next(RestartFailed.class).reason()).isEqualTo("No such file or directory");
        assertThat(next(Restarting.class).delay()).isEqualTo(Duration.ofMillis(200));
        assertThat(next(RestartFailed.class).child()).isEqualTo("child");
    }

    @Test
    void an_exception_of_the_listener_does_not_end_the_supervision() throws Exception {
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((_, _) -> {});
        try {
            Supervisor supervisor = supervisor(new ScriptedClock(1, Duration.ZERO), event -> {
                events.add(event);
                if (event instanceof Exited) {
                    throw new IllegalStateException("a listener's own mistake");
                }
            });
            supervisor.start(shell("exit 1"));

            next(Exited.class);
            assertThat(next(Started.class).start()).isEqualTo(2);
            next(Exited.class);
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    private Supervisor supervisor(Threads clock) {
        return supervisor(clock, events::add);
    }

    private Supervisor supervisor(Threads clock, Consumer<ChildEvent> listener) {
        BackOff backOff = new BackOff(Duration.ofMillis(100), Duration.ofSeconds(1));
        UnaryOperator<String> redactor = new Redactor(List.of("s3cret"));
        Supervisor supervisor = new Supervisor(children, backOff, clock, redactor, listener);
        supervisors.add(supervisor);
        return supervisor;
    }

    private static ChildSpec shell(String script) {
        return new ChildSpec(
                "child",
                Path.of("/bin/sh"),
                List.of("-c", script),
                Map.of("PATH", "/usr/bin:/bin"),
                Privileges.NONE,
                Duration.ofMillis(300));
    }

    /** Returns the next event of a kind, skipping others. */
    private <E extends ChildEvent> E next(Class<E> kind) throws InterruptedException {
        while (true) {
            ChildEvent event = events.poll(20, TimeUnit.SECONDS);
            assertThat(event).as("an event of kind " + kind.getSimpleName()).isNotNull();
            if (kind.isInstance(event)) {
                return kind.cast(event);
            }
        }
    }
}
