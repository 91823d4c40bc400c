package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How many descriptors a process may have open ({@code RLIMIT_NOFILE}, getrlimit(2)).
 *
 * @param soft what is enforced
 * @param hard up to where the process may raise that itself
 */
public record OpenFiles(long soft, long hard) {

    /** {@code RLIMIT_NOFILE} (include/uapi/asm-generic/resource.h). */
    private static final int RESOURCE = 7;

    /** Of a process, from its {@code limits} file below {@code /proc}; empty where that cannot be read. */
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

    /** Lowers the limits of this process, and so of all that it starts from now on; lower ones stay as they are. */
    public static void limit(long most) {
        read(Path.of("/proc/self/limits"))
                .filter(now -> now.soft() > most || now.hard() > most)
                .ifPresent(now -> new OpenFiles(Math.min(now.soft(), most), Math.min(now.hard(), most)).set());
    }

    /**
     * Raises the soft limit to what is enough, as far as the hard one allows. A JVM takes all that it may before {@code main}; a
     * native program has what it was given, often 1024.
     */
    public static void raise(long enough) {
        read(Path.of("/proc/self/limits"))
                .map(now -> new OpenFiles(Math.max(now.soft(), Math.min(enough, now.hard())), now.hard()))
                .ifPresent(OpenFiles::set);
    }

    /** Makes these the limits of this process, where it may; else those that it has stay. */
    void set() {
        try {
            Libc.setrlimit(RESOURCE, new long[] {soft, hard});
        } catch (LastErrorException _) {
            // The hard limit is lower than this.
        }
    }
}
