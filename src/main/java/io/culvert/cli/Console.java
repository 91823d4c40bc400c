package io.culvert.cli;

import io.culvert.run.Journal;
import io.culvert.run.Surroundings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/**
 * The environment variables and file system of commands.
 *
 * @param root {@code /} except in tests
 */
record Console(Map<String, String> environment, Path root) {

    static Console real() {
        return new Console(System.getenv(), Path.of("/"));
    }

    Surroundings surroundings(PrintWriter err) {
        return new Surroundings(environment, root, Clock.systemUTC(), new Journal(err));
    }
}
