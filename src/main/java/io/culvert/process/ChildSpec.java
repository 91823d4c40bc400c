package io.culvert.process;

import io.culvert.linux.Privileges;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A program to be kept running.
 *
 * @param name for people, such as {@code wireguard-go}
 * @param program an absolute path: nothing is ever looked up in a {@code PATH} that someone else may have set
 * @param environment all of it: nothing is inherited, so that no setting of ours (they hold secrets) reaches a child that
 *     does not need it
 * @param privileges all that it may do
 * @param grace how long it may take to end after SIGTERM before SIGKILL
 */
public record ChildSpec(
        String name,
        Path program,
        List<String> arguments,
        Map<String, String> environment,
        Privileges privileges,
        Duration grace) {

    public ChildSpec {
        if (!program.isAbsolute()) {
            throw new IllegalArgumentException("the path of " + name + " is not absolute: " + program);
        }
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
    }

    /** Arguments and environment may hold secrets. */
    @Override
    public String toString() {
        return name + " (" + program + ")";
    }
}
