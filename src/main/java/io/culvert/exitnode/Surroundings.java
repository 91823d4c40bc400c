package io.culvert.exitnode;

import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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

    /** Where a checkout or an image keeps the programs that belong to this one; told by whoever starts us, not by users. */
    public static List<Path> programDirectories() {
        return Optional.ofNullable(System.getProperty("culvert.programs")).stream()
                .map(Path::of)
                .toList();
    }

    /** Where what belongs to this run lives; gone with the container. */
    public Path runDirectory() {
        return root.resolve("run/culvert");
    }

    public Path statusSocket() {
        return runDirectory().resolve("status.sock");
    }
}
