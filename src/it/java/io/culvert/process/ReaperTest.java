// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Tests the reaper with twenty children that each leave an orphan, in a JVM that is process 1. */
@NamespaceTest
class ReaperTest {

    @Test
    void as_process_1_orphans_are_reaped_and_no_exit_status_of_a_child_is_lost() throws Exception {
        assertThat(runAsInit("reap")).isEqualTo("lost 0, zombies 0");
    }

    @Test
    void without_the_reaper_all_orphans_stay_zombies() throws Exception {
        assertThat(runAsInit("leave")).isEqualTo("lost 0, zombies 20");
    }

    private static String runAsInit(String mode) throws Exception {
        Process process = new ProcessBuilder(
                        "unshare",
                        "--pid",
                        "--fork",
                        "--mount-proc",
                        "--kill-child",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        // All of them are process 1, and would use the same file in /tmp.
                        "-XX:-UsePerfData",
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-Djna.platform.library.path=" + System.getProperty("jna.platform.library.path", ""),
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        InitProcess.class.getName(),
                        mode)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return output.strip();
    }
}
