// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The limit of open file descriptors ({@code RLIMIT_NOFILE}, getrlimit(2)).
 *
 * @param soft the limit that is enforced
 * @param hard up to which the process may raise the soft limit
 */
public record OpenFiles(long soft, long hard) {

    /** {@code RLIMIT_NOFILE} (include/uapi/asm-generic/resource.h). */
    private static final int RESOURCE = 7;

    /** Reads the limits of a process from its {@code limits} file in {@code /proc}; empty if that cannot be read. */
    static Optional<OpenFiles> read(Path limits) {
        try (Stream<String> lines = Files.lines(limits)) {
            return lines.filter(line -> line.startsWith("Max open files"))
                    .map(line -> line.split("\\s+", -1))
                    .filter(words -> words.length > 4 && words[3].matches("[0-9]+") && words[4].matches("[0-9]+"))
                    .map(words -> new OpenFiles(Long.parseLong(words[3]), Long.parseLong(words[4])))
                    .findFirst();
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    /** Lowers the limits of this process and of programs that it starts from now on; never raises them. */
    public static void lowerLimit(long maximum) {
        read(Path.of("/proc/self/limits"))
                .filter(current -> current.soft() > maximum || current.hard() > maximum)
                .ifPresent(
                        current -> new OpenFiles(Math.min(current.soft(), maximum), Math.min(current.hard(), maximum))
                                .applyToThisProcess());
    }

    /**
     * Raises the soft limit to a value, as far as the hard limit allows. A JVM raises it to the maximum before
     * {@code main}; a native program keeps what it inherited, often 1024.
     */
    public static void raiseSoftLimit(long desired) {
        read(Path.of("/proc/self/limits"))
                .map(current ->
                        new OpenFiles(Math.max(current.soft(), Math.min(desired, current.hard())), current.hard()))
                .ifPresent(OpenFiles::applyToThisProcess);
    }

    /** Sets the limits of this process, if permitted. */
    void applyToThisProcess() {
        try {
            Libc.setrlimit(RESOURCE, new long[] {soft, hard});
        } catch (LastErrorException _) {
            // The hard limit is lower.
        }
    }
}
