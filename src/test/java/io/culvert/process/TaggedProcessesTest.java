// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TaggedProcessesTest {

    private static final Duration GRACE = Duration.ofSeconds(10);

    private final TaggedProcesses tagged =
            new TaggedProcesses("culvert-test-" + ProcessHandle.current().pid());

    @Test
    void a_process_that_outlives_its_parent_is_found_and_stopped() throws Exception {
        Process parent = start(tagged.environment(), "setsid sleep 600 & exit 0");
        parent.waitFor();
        assertThat(tagged.find()).hasSize(1);

        assertThat(tagged.stopAll(GRACE)).isEqualTo(1);
        assertThat(tagged.find()).isEmpty();
    }

    @Test
    void a_process_that_ignores_sigterm_is_killed() throws Exception {
        Process parent = start(tagged.environment(), "trap '' TERM; echo ready; while :; do sleep 600; done");
        parent.inputReader().readLine();

        tagged.stopAll(Duration.ofMillis(100));
        assertThat(parent.waitFor(GRACE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    /** During execve, the environment of a process reads as empty. */
    @Test
    void a_process_that_calls_execve_repeatedly_is_always_found() throws Exception {
        Process execLoop = start(tagged.environment(), "again='exec sh -c \"$again\"'; export again; eval \"$again\"");
        try {
            for (int attempt = 0; attempt < 40; attempt++) {
                assertThat(tagged.find()).hasSize(1);
            }
        } finally {
            execLoop.destroyForcibly().waitFor();
        }
    }

    @Test
    void a_process_with_another_tag_is_not_stopped() throws Exception {
        Process other = start(Map.of("CULVERT_CHILD", "another"), "exec sleep 600");
        try {
            assertThat(tagged.stopAll(GRACE)).isZero();
            assertThat(other.isAlive()).isTrue();
        } finally {
            other.destroyForcibly();
        }
    }

    private static Process start(Map<String, String> environment, String script) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", script);
        builder.environment().putAll(environment);
        return builder.start();
    }
}
