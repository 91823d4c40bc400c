package io.culvert.run;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/**
 * What the program finds around it, handed in so that a test can hand in something else.
 *
 * @param environment the process's variables
 * @param root where {@code /etc}, {@code /proc}, {@code /run} and {@code /dev} are found: {@code /} but in tests
 */
public record Surroundings(Map<String, String> environment, Path root, Clock clock, Journal journal) {

    public Surroundings {
        environment = Map.copyOf(environment);
    }

    public Path resolvConf() {
        return root.resolve("etc/resolv.conf");
    }

    /** Where what belongs to this run lives; gone with the container. */
    public Path runDirectory() {
        return root.resolve("run/culvert");
    }

    public Path statusSocket() {
        return runDirectory().resolve("status.sock");
    }
}
