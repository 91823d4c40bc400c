package io.culvert.run;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/**
 * The program's environment, injected so that tests can replace it.
 *
 * @param environment the process's environment variables
 * @param root the directory that contains {@code /etc}, {@code /proc}, {@code /run} and {@code /dev}: {@code /}
 *     except in tests
 */
public record Surroundings(Map<String, String> environment, Path root, Clock clock, Journal journal) {

    public Surroundings {
        environment = Map.copyOf(environment);
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
}
