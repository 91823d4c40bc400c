package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.linux.Privileges;
import io.culvert.problem.ProblemException;
import io.culvert.process.ChildEvent.Ended;
import io.culvert.process.ChildEvent.NotStarted;
import io.culvert.process.ChildEvent.Restarting;
import io.culvert.process.ChildEvent.Said;
import io.culvert.process.ChildEvent.Started;
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
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SupervisorTest {

    private static final Duration LONG_RUN = Duration.ofMinutes(2);

    @TempDir
    Path directory;

    private final Children children = new Children();
    private final BlockingQueue<ChildEvent> events = new LinkedBlockingQueue<>();
    private final List<Supervisor> supervisors = new ArrayList<>();

    @AfterEach
    void end_what_still_runs() {
        supervisors.forEach(Supervisor::stopAll);
    }

    @Test
    void a_child_that_fails_is_started_again_after_waits_that_double_up_to_the_longest() throws Exception {
        ScriptedTiming timing = new ScriptedTiming(5, Duration.ZERO);
        supervisor(timing).start(shell("exit 3"));

        for (int wait : List.of(100, 200, 400, 800, 1000, 1000)) {
            assertThat(next(Ended.class)).isEqualTo(new Ended("child", 3, false, List.of()));
            assertThat(next(Restarting.class).in()).isEqualTo(Duration.ofMillis(wait));
        }
    }

    @Test
    void a_child_that_had_run_steadily_is_started_again_at_once_every_time() throws Exception {
        ScriptedTiming timing = new ScriptedTiming(3, LONG_RUN);
        supervisor(timing).start(shell("exit 0"));

        for (int start = 1; start <= 3; start++) {
            assertThat(next(Started.class).start()).isEqualTo(start);
            assertThat(next(Restarting.class).in()).isEqualTo(Duration.ofMillis(100));
        }
    }

    @Test
    void a_child_killed_by_a_signal_is_told_as_such_and_comes_back() throws Exception {
        Child child = supervisor(new ScriptedTiming(1, LONG_RUN)).start(shell("exec sleep 600"));
        long first = next(Started.class).pid();
        ProcessHandle.of(first).orElseThrow().destroyForcibly();

        assertThat(next(Ended.class).status()).isEqualTo(137);
        assertThat(next(Started.class).pid()).isEqualTo(child.pid()).isNotEqualTo(first);
    }

    @Test
    void a_child_told_to_stop_ends_by_sigterm_and_never_comes_back() throws Exception {
        Child child = supervisor(new ScriptedTiming(9, LONG_RUN)).start(shell("exec sleep 600"));
        child.stop();
        child.stop();

        assertThat(next(Ended.class)).isEqualTo(new Ended("child", 143, true, List.of()));
        assertThat(events).isEmpty();
        assertThat(child.end()).isCompleted();
    }

    @Test
    void a_child_told_to_stop_while_it_waits_for_its_restart_stays_away() throws Exception {
        Child child = supervisor(new ScriptedTiming(0, Duration.ZERO)).start(shell("exit 1"));
        next(Restarting.class);
        child.stop();

        assertThat(events).isEmpty();
    }

    @Test
    void a_child_deaf_to_sigterm_is_killed_when_its_grace_is_over() throws Exception {
        Child child = supervisor(Timing.REAL).start(shell("trap '' TERM; echo ready; exec sleep 600"));
        assertThat(next(Said.class).line()).isEqualTo("ready");
        child.stop();

        assertThat(next(Ended.class).status()).isEqualTo(137);
    }

    @Test
    void what_a_child_has_started_itself_goes_with_it() throws Exception {
        Child child = supervisor(Timing.REAL).start(shell("sleep 600 & echo $!; wait"));
        ProcessHandle grandchild =
                ProcessHandle.of(Long.parseLong(next(Said.class).line())).orElseThrow();
        child.stop();

        grandchild.onExit().get(10, TimeUnit.SECONDS);
    }

    @Test
    void both_outputs_are_relayed_without_the_secrets_and_the_last_lines_are_kept() throws Exception {
        supervisor(new ScriptedTiming(0, Duration.ZERO))
                .start(shell("for i in 1 2 3 4 5; do echo line $i; done; echo bad key s3cret >&2; exit 1"));

        assertThat(next(Said.class).line()).isEqualTo("line 1");
        assertThat(next(Ended.class).lastWords())
                .containsExactly("line 2", "line 3", "line 4", "line 5", "bad key (hidden)");
    }

    @Test
    void a_child_gets_the_environment_it_was_given_and_nothing_of_ours() throws Exception {
        ChildSpec spec = new ChildSpec(
                "child",
                Path.of("/usr/bin/env"),
                List.of(),
                Map.of("ONLY", "this"),
                Privileges.NONE,
                Duration.ofSeconds(1));
        supervisor(new ScriptedTiming(0, Duration.ZERO)).start(spec);

        assertThat(next(Ended.class).lastWords()).containsExactly("ONLY=this");
    }

    @Test
    void it_has_no_capability_and_cannot_get_one() throws Exception {
        supervisor(new ScriptedTiming(0, Duration.ZERO))
                .start(shell("grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs):' /proc/self/status"));

        assertThat(next(Ended.class).lastWords())
                .containsExactlyInAnyOrder(
                        "CapInh:\t0000000000000000",
                        "CapPrm:\t0000000000000000",
                        "CapEff:\t0000000000000000",
                        "CapAmb:\t0000000000000000",
                        "NoNewPrivs:\t1");
    }

    @Test
    void it_has_a_limit_of_descriptors() throws Exception {
        supervisor(new ScriptedTiming(0, Duration.ZERO)).start(shell("ulimit -Sn; ulimit -Hn"));

        assertThat(next(Ended.class).lastWords())
                .hasSize(2)
                .allSatisfy(limit -> assertThat(Long.parseLong(limit)).isLessThanOrEqualTo(65536));
    }

    @Test
    void all_are_stopped_the_youngest_first() throws Exception {
        Supervisor supervisor = supervisor(Timing.REAL);
        for (String name : List.of("first", "second", "third")) {
            supervisor.start(new ChildSpec(
                    name, Path.of("/bin/sleep"), List.of("600"), Map.of(), Privileges.NONE, Duration.ofSeconds(5)));
        }
        supervisor.stopAll();

        assertThat(List.of(next(Ended.class), next(Ended.class), next(Ended.class)))
                .extracting(Ended::child)
                .containsExactly("third", "second", "first");
    }

    @Test
    void a_program_that_is_not_there_is_a_problem_at_the_first_start() {
        ChildSpec spec =
                new ChildSpec("child", directory.resolve("gone"), List.of(), Map.of(), Privileges.NONE, Duration.ZERO);

        assertThatThrownBy(() -> supervisor(Timing.REAL).start(spec))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("child cannot be started: No such file or directory");
    }

    @Test
    void a_program_that_vanishes_is_an_event_and_tried_again() throws Exception {
        Path program = Files.writeString(directory.resolve("program"), "#!/bin/sh\nrm \"$0\"\nexit 1\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        supervisor(new ScriptedTiming(2, Duration.ZERO))
                .start(new ChildSpec(
                        "child", program, List.of(), Map.of("PATH", "/bin"), Privileges.NONE, Duration.ZERO));

        assertThat(next(NotStarted.class).reason()).isEqualTo("No such file or directory");
        assertThat(next(Restarting.class).in()).isEqualTo(Duration.ofMillis(200));
        assertThat(next(NotStarted.class).child()).isEqualTo("child");
    }

    @Test
    void a_listener_that_fails_does_not_end_the_supervision() throws Exception {
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((_, _) -> {});
        try {
            Supervisor supervisor = supervisor(new ScriptedTiming(1, Duration.ZERO), event -> {
                events.add(event);
                if (event instanceof Ended) {
                    throw new IllegalStateException("a listener's own mistake");
                }
            });
            supervisor.start(shell("exit 1"));

            next(Ended.class);
            assertThat(next(Started.class).start()).isEqualTo(2);
            next(Ended.class);
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    private Supervisor supervisor(Timing timing) {
        return supervisor(timing, events::add);
    }

    private Supervisor supervisor(Timing timing, Consumer<ChildEvent> listener) {
        BackOff backOff = new BackOff(Duration.ofMillis(100), Duration.ofSeconds(1), Duration.ofMinutes(1));
        UnaryOperator<String> redactor = new Redactor(List.of("s3cret"));
        Supervisor supervisor = new Supervisor(children, backOff, timing, redactor, listener);
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

    /** The next event of a kind; others before it are passed over. */
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
