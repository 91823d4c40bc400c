// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The directories in which programs are looked up. {@code PATH} is not used, as any user can set it. A checkout or an
 * image keeps its own programs in a directory that is passed as a system property by the launcher, not by users.
 */
public final class ProgramDirectories {

    /** The system's directories, which only root can write to. */
    public static final List<Path> SYSTEM = Stream.of("/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin", "/sbin")
            .map(Path::of)
            .toList();

    private ProgramDirectories() {}

    /** Returns the directories of the system property {@code culvert.programs}, to be searched before the system's. */
    public static List<Path> configured() {
        return Optional.ofNullable(System.getProperty("culvert.programs")).stream()
                .map(Path::of)
                .toList();
    }
}
