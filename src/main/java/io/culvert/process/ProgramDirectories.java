package io.culvert.process;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where programs are looked for, which is no {@code PATH}: anybody can set that. A checkout or an image keeps those that belong
 * to this one in a directory that is told by whoever starts us, not by users.
 */
public final class ProgramDirectories {

    /** The system's own, where only root may write. */
    public static final List<Path> SYSTEM = Stream.of("/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin", "/sbin")
            .map(Path::of)
            .toList();

    private ProgramDirectories() {}

    /** In the order in which they are looked into, before the system's. */
    public static List<Path> told() {
        return Optional.ofNullable(System.getProperty("culvert.programs")).stream()
                .map(Path::of)
                .toList();
    }
}
