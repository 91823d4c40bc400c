// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A build of Culvert, native or for the JVM.
 *
 * @param command the command, to which arguments are appended
 */
record CulvertBuild(String name, List<String> command) {

    /** The directory of the programs that it starts, as built for the lab. */
    static final Path CHILDREN = Path.of(".cache/bin").toAbsolutePath();

    /** Exists only after a native build; the property {@code culvert.program} names another file. */
    private static final Path RUNNER = Path.of(
                    System.getProperty("culvert.program", "target/culvert-app/culvert-runner"))
            .toAbsolutePath();

    /** Returns the existing builds, the native one first. */
    static List<CulvertBuild> built() {
        CulvertBuild jvm = new CulvertBuild(
                Measurement.JVM,
                List.of(
                        "env",
                        "CULVERT_PROGRAM=jvm",
                        Path.of("culvert").toAbsolutePath().toString()));
        CulvertBuild compiled =
                new CulvertBuild(Measurement.NATIVE, List.of(RUNNER.toString(), "-Dculvert.programs=" + CHILDREN));
        return Files.isExecutable(RUNNER) ? List.of(compiled, jvm) : List.of(jvm);
    }

    List<String> command(String... arguments) {
        return Stream.concat(command.stream(), Stream.of(arguments)).toList();
    }
}
