package io.culvert.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * One of our programs, natively compiled or on the JVM.
 *
 * @param command what its arguments are put behind
 */
record Program(String name, List<String> command) {

    /** The programs that it starts, as they were built for the lab. */
    static final Path CHILDREN = Path.of(".cache/bin").toAbsolutePath();

    /** Only where it was built; the property {@code culvert.program} names another. */
    private static final Path RUNNER = Path.of(
                    System.getProperty("culvert.program", "target/culvert-app/culvert-runner"))
            .toAbsolutePath();

    /** Those that are there: the native one first. */
    static List<Program> built() {
        Program jvm = new Program(
                Figure.JVM,
                List.of(
                        "env",
                        "CULVERT_PROGRAM=jvm",
                        Path.of("culvert").toAbsolutePath().toString()));
        Program compiled = new Program(Figure.NATIVE, List.of(RUNNER.toString(), "-Dculvert.programs=" + CHILDREN));
        return Files.isExecutable(RUNNER) ? List.of(compiled, jvm) : List.of(jvm);
    }

    List<String> with(String... arguments) {
        return Stream.concat(command.stream(), Stream.of(arguments)).toList();
    }
}
