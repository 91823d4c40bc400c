package io.culvert.confinement;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.run.Journal;
import io.culvert.run.Surroundings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The reasons why a user other than root cannot create user namespaces. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class UserNamespacesTest {

    @TempDir
    Path root;

    private Surroundings around(Map<String, String> environment) {
        return new Surroundings(
                environment, root, Clock.systemUTC(), new Journal(new PrintWriter(Writer.nullWriter())));
    }

    @ParameterizedTest
    @CsvSource({
        "kernel/unprivileged_userns_clone,0,kernel.unprivileged_userns_clone=1",
        "kernel/apparmor_restrict_unprivileged_userns,1,kernel.apparmor_restrict_unprivileged_userns=0",
        "user/max_user_namespaces,0,user.max_user_namespaces=15000"
    })
    void each_of_the_kernels_refusals_is_named_with_its_cure(String name, String value, String cure)
            throws IOException {
        Path file = root.resolve("proc/sys").resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, value + "\n");

        List<Problem> problems = Rootless.missing(around(Map.of()));

        assertThat(problems).hasSize(1);
        assertThat(problems.getFirst().cure()).endsWith("sysctl -w " + cure);
    }

    @Test
    void a_kernel_that_refuses_nothing_is_no_problem() {
        assertThat(Rootless.missing(around(Map.of()))).isEmpty();
    }

    @Test
    void a_directory_of_ones_own_is_needed() {
        Assertions.assertThatExceptionOfType(ProblemException.class)
                .isThrownBy(() -> Rootless.directory(around(Map.of())))
                .withMessageContaining("XDG_RUNTIME_DIR");
        assertThat(Rootless.directory(around(Map.of("XDG_RUNTIME_DIR", root.toString()))))
                .isEqualTo(root.resolve("culvert/netns"));
    }
}
