// SPDX-License-Identifier: Apache-2.0
package io.culvert.runtime;

import io.culvert.diagnostics.Log;
import io.culvert.timing.MonotonicClock;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/**
 * The program's environment, injected so that tests can replace it.
 *
 * @param variables the process's environment variables
 * @param root the directory that contains {@code /etc}, {@code /proc}, {@code /run} and {@code /dev}: {@code /}
 *     except in tests
 * @param clock the machine's time, which may be set at any moment: to show it, and for times that the kernel reports
 * @param monotonicClock for all deadlines and durations
 */
public record Environment(
        Map<String, String> variables,
        Path root,
        Clock clock,
        MonotonicClock monotonicClock,
        Log log,
        OperatingSystem system) {

    public Environment {
        variables = Map.copyOf(variables);
    }

    /** Returns the environment of a run on the operating system of this process. */
    public Environment(Map<String, String> variables, Path root, Clock clock, MonotonicClock monotonicClock, Log log) {
        this(variables, root, clock, monotonicClock, log, OperatingSystem.REAL);
    }

    public Path resolvConf() {
        return root.resolve("etc/resolv.conf");
    }

    /** Returns the directory for runtime files, which do not outlive the container. */
    public Path runDirectory() {
        return root.resolve("run/culvert");
    }

    public Path statusSocket() {
        return runDirectory().resolve("status.sock");
    }

    /** Returns the socket by which a running exit node is controlled. */
    public Path controlSocket() {
        return runDirectory().resolve("control.sock");
    }

    public Path leakTestSocket() {
        return runDirectory().resolve("leak-test.sock");
    }
}
