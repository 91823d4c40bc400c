// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.Log;
import io.culvert.runtime.Environment;
import io.culvert.timing.MonotonicClock;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/**
 * The environment variables and file system of commands.
 *
 * @param root {@code /} except in tests
 */
record CommandEnvironment(Map<String, String> environment, Path root) {

    static CommandEnvironment real() {
        return new CommandEnvironment(System.getenv(), Path.of("/"));
    }

    Environment environment(PrintWriter err) {
        return new Environment(environment, root, Clock.systemUTC(), MonotonicClock.system(), new Log(err));
    }
}
