package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class KinTest {

    private static final Duration GRACE = Duration.ofSeconds(10);

    private final Kin kin = new Kin("kin-test-" + ProcessHandle.current().pid());

    @Test
    void what_outlives_its_parent_is_found_and_ended() throws Exception {
        Process parent = start(kin.environment(), "setsid sleep 600 & exit 0");
        parent.waitFor();
        assertThat(kin.find()).hasSize(1);

        assertThat(kin.end(GRACE)).isEqualTo(1);
        assertThat(kin.find()).isEmpty();
    }

    @Test
    void what_does_not_listen_is_ended_by_force() throws Exception {
        Process parent = start(kin.environment(), "trap '' TERM; echo ready; while :; do sleep 600; done");
        parent.inputReader().readLine();

        kin.end(Duration.ofMillis(100));
        assertThat(parent.waitFor(GRACE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    /** While a process becomes another program, the kernel shows no environment of it. */
    @Test
    void what_becomes_one_program_after_another_is_always_found() throws Exception {
        Process restless = start(kin.environment(), "again='exec sh -c \"$again\"'; export again; eval \"$again\"");
        try {
            for (int look = 0; look < 40; look++) {
                assertThat(kin.find()).hasSize(1);
            }
        } finally {
            restless.destroyForcibly().waitFor();
        }
    }

    @Test
    void a_stranger_is_left_alone() throws Exception {
        Process stranger = start(Map.of("CULVERT_CHILD", "another"), "exec sleep 600");
        try {
            assertThat(kin.end(GRACE)).isZero();
            assertThat(stranger.isAlive()).isTrue();
        } finally {
            stranger.destroyForcibly();
        }
    }

    private static Process start(Map<String, String> environment, String script) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", script);
        builder.environment().putAll(environment);
        return builder.start();
    }
}
