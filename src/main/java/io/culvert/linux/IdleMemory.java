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

    private IdleMemory() {}

    /**
     * Collects garbage, and unmaps the read-only pages of the program file; they are mapped again when they are used. On a JVM it
     * does nothing.
     */
    public static void release() {
        if (!NativeImage.isRunning()) {
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
