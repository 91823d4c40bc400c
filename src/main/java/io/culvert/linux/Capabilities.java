// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;

/**
 * The effective capabilities of a process (capabilities(7)).
 *
 * @param effective bits as in {@code CapEff} of {@code /proc/PID/status} (proc(5))
 */
public record Capabilities(long effective) {

    /** {@code CAP_CHOWN} (include/uapi/linux/capability.h). */
    public static final int CHOWN = 0;

    /** {@code CAP_DAC_OVERRIDE} (include/uapi/linux/capability.h). */
    public static final int DAC_OVERRIDE = 1;

    /** {@code CAP_FOWNER} (include/uapi/linux/capability.h). */
    public static final int FOWNER = 3;

    /** {@code CAP_KILL} (include/uapi/linux/capability.h). */
    public static final int KILL = 5;

    /** {@code CAP_SETGID} (include/uapi/linux/capability.h). */
    public static final int SETGID = 6;

    /** {@code CAP_SETUID} (include/uapi/linux/capability.h). */
    public static final int SETUID = 7;

    /** {@code CAP_NET_BIND_SERVICE} (include/uapi/linux/capability.h). */
    public static final int NET_BIND_SERVICE = 10;

    /** {@code CAP_NET_ADMIN} (include/uapi/linux/capability.h). */
    public static final int NET_ADMIN = 12;

    /** {@code CAP_NET_RAW} (include/uapi/linux/capability.h). */
    public static final int NET_RAW = 13;

    /** {@code CAP_SYS_ADMIN} (include/uapi/linux/capability.h). */
    public static final int SYS_ADMIN = 21;

    /**
     * {@code PROT_SOCK} (include/net/sock.h): lower ports need a capability, unless net.ipv4.ip_unprivileged_port_start
     * differs.
     */
    private static final int FIRST_UNPRIVILEGED_PORT = 1024;

    /** Returns the capabilities that listening on a port needs; 0 means any port. */
    public static Set<Integer> requiredToListenOn(int port) {
        return port > 0 && port < FIRST_UNPRIVILEGED_PORT ? Set.of(NET_BIND_SERVICE) : Set.of();
    }

    /**
     * Reads the effective capabilities of this process.
     *
     * @param proc usually {@code /proc}; if it is not mounted, the result has no capabilities
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
