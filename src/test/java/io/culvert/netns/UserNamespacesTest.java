// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.runtime.Environment;
import io.culvert.timing.MonotonicClock;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The reasons why a user other than root cannot create user namespaces. */
class UserNamespacesTest {

    @TempDir
    Path root;

    private Environment environment(Map<String, String> environment) {
        return new Environment(
                environment,
                root,
                Clock.systemUTC(),
                MonotonicClock.system(),
                new Log(new PrintWriter(Writer.nullWriter())));
    }

    @ParameterizedTest
    @CsvSource({
        "kernel/unprivileged_userns_clone,0,kernel.unprivileged_userns_clone=1",
        "kernel/apparmor_restrict_unprivileged_userns,1,kernel.apparmor_restrict_unprivileged_userns=0",
        "user/max_user_namespaces,0,user.max_user_namespaces=15000"
    })
    void each_sysctl_that_forbids_user_namespaces_is_reported_with_a_hint(String name, String value, String hint)
            throws IOException {
        Path file = root.resolve("proc/sys").resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, value + "\n");

        List<Problem> problems = Rootless.missingRequirements(environment(Map.of()));

        assertThat(problems).hasSize(1);
        assertThat(problems.getFirst().hint()).endsWith("sysctl -w " + hint);
    }

    @Test
    void a_kernel_without_restrictions_causes_no_problem() {
        assertThat(Rootless.missingRequirements(environment(Map.of()))).isEmpty();
    }

    @Test
    void a_runtime_directory_is_required() {
        Assertions.assertThatExceptionOfType(ProblemException.class)
                .isThrownBy(() -> Rootless.runtimeDirectory(environment(Map.of())))
                .withMessageContaining("XDG_RUNTIME_DIR");
        assertThat(Rootless.runtimeDirectory(environment(Map.of("XDG_RUNTIME_DIR", root.toString()))))
                .isEqualTo(root.resolve("culvert/netns"));
    }
}
