// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problem.Kind;
import io.culvert.process.ChildSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserspaceProgramTest {

    @TempDir
    Path directory;

    @Test
    void the_program_in_the_given_directory_takes_precedence() throws Exception {
        Path own = executable("wireguard-go");

        assertThat(UserspaceProgram.withDefaults(Optional.empty(), List.of(directory))
                        .find())
                .contains(own);
    }

    @Test
    void only_the_chosen_program_is_used() throws Exception {
        executable("wireguard-go");
        Path chosen = executable("other");

        assertThat(UserspaceProgram.withDefaults(Optional.of(chosen), List.of(directory))
                        .find())
                .contains(chosen);
        assertThat(UserspaceProgram.withDefaults(Optional.of(directory.resolve("gone")), List.of(directory))
                        .find())
                .isEmpty();
        assertThat(UserspaceProgram.withDefaults(Optional.of(Path.of("wireguard-go")), List.of(directory))
                        .find())
                .isEmpty();
    }

    @Test
    void a_file_that_is_not_executable_is_ignored() throws Exception {
        Files.createFile(directory.resolve("chosen"));

        assertThat(UserspaceProgram.withDefaults(Optional.of(directory.resolve("chosen")), List.of())
                        .find())
                .isEmpty();
    }

    @Test
    void all_missing_requirements_are_reported_with_hints() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        UserspaceProgram program = new UserspaceProgram(
                Optional.of(directory.resolve("gone")),
                List.of(),
                file.resolve("sockets"),
                directory.resolve("tun"),
                "96MiB",
                Duration.ofSeconds(1));

        assertThat(program.missingRequirements()).allMatch(problem -> problem.kind() == Kind.MACHINE);
        assertThat(program.missingRequirements())
                .extracting(Problem::toString)
                .satisfiesExactly(
                        problem -> assertThat(problem).contains("gone: userspace WireGuard not found at this"),
                        problem -> assertThat(problem)
                                .contains(
                                        "tun: the device does not exist",
                                        Hints.here().missingTunDevice()),
                        problem -> assertThat(problem)
                                .contains("cannot be created: ", Hints.here().makeWritable("/run")));
    }

    @Test
    void a_supervised_program_has_a_memory_limit_and_runs_in_the_foreground() {
        UserspaceProgram program = UserspaceProgram.withDefaults(Optional.empty(), List.of());
        ChildSpec spec = program.childSpec(Path.of("/usr/bin/wireguard-go"), "wg0", 0);

        assertThat(spec.arguments()).containsExactly("-f", "wg0");
        assertThat(spec.environment())
                .containsEntry("GOMEMLIMIT", "96MiB")
                .containsOnlyKeys("GOMEMLIMIT", "LOG_LEVEL", "WG_PROCESS_FOREGROUND");
    }

    private Path executable(String name) throws Exception {
        Path file = Files.createFile(directory.resolve(name));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        return file;
    }
}
