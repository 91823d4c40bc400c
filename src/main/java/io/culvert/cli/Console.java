package io.culvert.cli;

import io.culvert.exitnode.Journal;
import io.culvert.exitnode.Surroundings;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The world as commands see it.
 *
 * @param root {@code /} but in tests
 */
record Console(Map<String, String> environment, Path root) {

    static Console real() {
        return new Console(System.getenv(), Path.of("/"));
    }

    static Surroundings surroundings(CommandSpec spec) {
        Culvert top = (Culvert) spec.root().userObject();
        return new Surroundings(
                top.console().environment(),
                top.console().root(),
                Clock.systemUTC(),
                new Journal(spec.commandLine().getErr()));
    }
}
