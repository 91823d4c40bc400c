package io.culvert.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * What this process may do.
 *
 * @param effective bits as in {@code CapEff} of {@code /proc/PID/status} (proc(5))
 */
public record Capabilities(long effective) {

    /** {@code CAP_FOWNER} (include/uapi/linux/capability.h). */
    public static final int FOWNER = 3;

    /** {@code CAP_NET_ADMIN} (include/uapi/linux/capability.h). */
    public static final int NET_ADMIN = 12;

    /** {@code CAP_NET_RAW} (include/uapi/linux/capability.h). */
    public static final int NET_RAW = 13;

    /** {@code CAP_SYS_ADMIN} (include/uapi/linux/capability.h). */
    public static final int SYS_ADMIN = 21;

    /**
     * Reads those of this process.
     *
     * @param proc usually {@code /proc}; where it is not mounted, nothing is known and so nothing is granted
     */
    public static Capabilities read(Path proc) throws IOException {
        try {
            return parse(Files.readString(proc.resolve("self/status")));
        } catch (NoSuchFileException _) {
            return new Capabilities(0);
        }
    }

    static Capabilities parse(String status) {
        return status.lines()
                .filter(line -> line.startsWith("CapEff:"))
                .map(line -> line.substring("CapEff:".length()).strip())
                .filter(bits -> bits.matches("[0-9a-f]{1,16}"))
                .findFirst()
                .map(bits -> new Capabilities(Long.parseUnsignedLong(bits, 16)))
                .orElse(new Capabilities(0));
    }

    public boolean has(int capability) {
        return (effective >>> capability & 1) == 1;
    }
}
