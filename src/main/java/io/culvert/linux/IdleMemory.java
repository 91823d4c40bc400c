// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.graalvm.nativeimage.RuntimeOptions;

/**
 * Releases the memory that only the start of a native program needs. The program runs for months and does little; its start
 * allocates more objects than are ever alive at once, and touches most pages of the program file.
 */
public final class IdleMemory {

    /**
     * The size of the nursery for new objects while the program waits, in bytes. The start has a larger one (see
     * application.properties), as each collection copies what is alive.
     */
    private static final long NURSERY = 3 << 20;

    /** {@code MADV_DONTNEED} (include/uapi/asm-generic/mman-common.h). */
    private static final int MADV_DONTNEED = 4;

    private static final Pattern HEADER = Pattern.compile(
            "(?<begin>[0-9a-f]+)-(?<end>[0-9a-f]+) (?<permissions>\\S+) [0-9a-f]+ \\S+ [0-9]+ *(?<file>.*)");

    private static final Pattern NO_OWN_PAGES = Pattern.compile("Anonymous: +0 kB");

    /** The addresses from the first one to the one after the last one. */
    record AddressRange(long begin, long end) {}

    /** In bytes; several times what is alive in an exit node. */
    private static final long MUCH_GARBAGE = 64 << 20;

    /** The used memory from which on garbage is collected on a JVM, in bytes: more, where more is alive. */
    private static long garbageThreshold = MUCH_GARBAGE;

    private IdleMemory() {}

    /**
     * Collects garbage, and unmaps the read-only pages of the program file; they are mapped again when they are used. On a JVM it
     * only collects garbage, when there is much: its serial collector would rather let the heap grow up to the maximum, a quarter
     * of the machine's memory, as the large arrays of an audit are not among the objects that it counts as young.
     */
    public static void release() {
        if (!NativeImage.isRunning()) {
            collectMuchGarbage();
            return;
        }
        RuntimeOptions.set("MaxNewSize", NURSERY);
        System.gc();
        try {
            String program = Path.of("/proc/self/exe").toRealPath().toString();
            for (AddressRange range : unmodified(Files.readAllLines(Path.of("/proc/self/smaps")), program)) {
                Libc.madvise(range.begin(), range.end() - range.begin(), MADV_DONTNEED);
            }
        } catch (IOException | LastErrorException _) {
            // Nothing depends on it.
        }
    }

    private static synchronized void collectMuchGarbage() {
        if (used() > garbageThreshold) {
            System.gc();
            garbageThreshold = Math.max(MUCH_GARBAGE, 3 * used());
        }
    }

    private static long used() {
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /**
     * Returns the mappings of a file that cannot be written and have no page of their own: of others, such as those that the
     * dynamic linker has relocated, the content would be lost.
     *
     * @param smaps proc_pid_smaps(5)
     */
    static List<AddressRange> unmodified(List<String> smaps, String file) {
        List<AddressRange> ranges = new ArrayList<>();
        Optional<AddressRange> current = Optional.empty();
        for (String line : smaps) {
            Matcher header = HEADER.matcher(line);
            if (header.matches()) {
                current = header.group("file").equals(file)
                                && !header.group("permissions").contains("w")
                        ? Optional.of(new AddressRange(
                                Long.parseUnsignedLong(header.group("begin"), 16),
                                Long.parseUnsignedLong(header.group("end"), 16)))
                        : Optional.empty();
            } else if (NO_OWN_PAGES.matcher(line).matches()) {
                current.ifPresent(ranges::add);
            }
        }
        return ranges;
    }
}
