// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The privileges of a program that this process starts. If they are less than those of this process, it cannot regain
 * any: {@code no_new_privs} is set, so that neither a set-user-ID file nor being root restores them (prctl(2)).
 *
 * @param identity the user that it runs as; empty for the user of this process
 * @param capabilities the only ones that it keeps, if this process has them (capabilities(7)); empty for all
 */
public record Privileges(Optional<Identity> identity, Optional<Set<Integer>> capabilities) {

    /** The same user, and all capabilities of this process. */
    public static final Privileges ALL = new Privileges(Optional.empty(), Optional.empty());

    /** The same user, and no capabilities. */
    public static final Privileges NONE = withCapabilities(Set.of());

    /** {@code PR_SET_KEEPCAPS} and so on (include/uapi/linux/prctl.h). */
    private static final int GET_DUMPABLE = 3;

    private static final int SET_DUMPABLE = 4;
    private static final int KEEP_CAPABILITIES = 8;
    private static final int DROP_FROM_BOUNDING_SET = 24;
    private static final int NO_NEW_PRIVILEGES = 38;
    private static final int AMBIENT = 47;
    private static final int AMBIENT_RAISE = 2;
    private static final int AMBIENT_CLEAR_ALL = 4;

    /** Capability sets have 64 bits (include/uapi/linux/capability.h). */
    private static final int CAPABILITIES = 64;

    /** {@code _LINUX_CAPABILITY_VERSION_3} (include/uapi/linux/capability.h). */
    private static final byte[] CAPABILITY_HEADER = {0x22, 0x05, 0x08, 0x20, 0, 0, 0, 0};

    private static final Path PROC = Path.of("/proc");

    /**
     * A user by number, which need not have a name on this machine.
     *
     * @param groups the supplementary groups
     */
    public record Identity(int user, int group, Set<Integer> groups) {

        public Identity {
            groups = Set.copyOf(groups);
        }

        /**
         * Returns whether this process can start and end programs of this user: it needs capabilities for that, and in
         * a user namespace the ids have to be mapped (user_namespaces(7)).
         */
        public boolean isUsable() {
            try {
                Capabilities capabilities = Capabilities.read(PROC);
                return Stream.of(Capabilities.SETUID, Capabilities.SETGID, Capabilities.KILL, Capabilities.CHOWN)
                                .allMatch(capabilities::has)
                        && isMapped("uid_map", user)
                        && isMapped("gid_map", group)
                        && !Files.readString(PROC.resolve("self/setgroups"))
                                .strip()
                                .equals("deny");
            } catch (IOException _) {
                return false;
            }
        }

        private static boolean isMapped(String map, int number) throws IOException {
            return Files.readString(PROC.resolve("self").resolve(map))
                    .lines()
                    .map(line -> line.strip().split("\\s+", -1))
                    .anyMatch(words -> {
                        long first = Long.parseLong(words[0]);
                        return number >= first && number - first < Long.parseLong(words[2]);
                    });
        }
    }

    /** System call numbers (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
    private record Calls(int setgroups, int setresgid, int setresuid) {

        static Calls ofMachine() {
            return switch (System.getProperty("os.arch").toLowerCase(Locale.ROOT)) {
                case "amd64", "x86_64" -> new Calls(116, 119, 117);
                case "aarch64" -> new Calls(159, 149, 147);
                default ->
                    throw new UnsupportedOperationException("the system call numbers of this processor are not known");
            };
        }
    }

    public Privileges {
        capabilities = capabilities.map(Set::copyOf);
        if (identity.isPresent() && capabilities.isEmpty()) {
            throw new IllegalArgumentException("another user cannot have all capabilities");
        }
    }

    /** Returns the same user with these capabilities only. */
    public static Privileges withCapabilities(Set<Integer> capabilities) {
        return new Privileges(Optional.empty(), Optional.of(capabilities));
    }

    /**
     * Reduces the calling thread and what it starts to these privileges, irreversibly. Other threads keep
     * theirs, as credentials are per thread in the kernel (credentials(7)): use a dedicated thread.
     */
    public void applyToThread() {
        if (capabilities.isEmpty()) {
            return;
        }
        Set<Integer> keptCapabilities = capabilities.get();
        try {
            forbidNewPrivileges();
            dropFromBoundingSet(keptCapabilities);
            if (identity.isPresent()) {
                become(identity.get());
            }
            keepOnly(permittedOf(keptCapabilities));
        } catch (LastErrorException e) {
            throw SystemCallException.of("dropping privileges", e);
        } catch (IOException e) {
            throw new IllegalStateException("the capabilities of this process cannot be read", e);
        }
    }

    private static void forbidNewPrivileges() {
        Libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0);
        ambient(AMBIENT_CLEAR_ALL, 0);
    }

    /**
     * What cannot be dropped, for lack of {@code CAP_SETPCAP}, cannot be regained either, due to {@code no_new_privs}.
     */
    private static void dropFromBoundingSet(Set<Integer> keptCapabilities) {
        for (int capability = 0; capability < CAPABILITIES; capability++) {
            if (!keptCapabilities.contains(capability)) {
                try {
                    Libc.prctl(DROP_FROM_BOUNDING_SET, capability, 0, 0, 0);
                } catch (LastErrorException e) {
                    if (e.getErrorCode() != Errno.EPERM && e.getErrorCode() != Errno.EINVAL) {
                        throw e;
                    }
                    return;
                }
            }
        }
    }

    /** Uses system calls directly: the C library's functions of these names change all threads of a process. */
    private static void become(Identity identity) {
        Calls calls = Calls.ofMachine();
        boolean dumpable = Libc.prctl(GET_DUMPABLE, 0, 0, 0, 0) == 1;
        Libc.prctl(KEEP_CAPABILITIES, 1, 0, 0, 0);
        int[] groups = identity.groups().stream().mapToInt(Integer::intValue).toArray();
        Libc.syscall(calls.setgroups(), groups.length, groups.length == 0 ? new int[1] : groups);
        Libc.syscall(calls.setresgid(), identity.group(), identity.group(), identity.group());
        Libc.syscall(calls.setresuid(), identity.user(), identity.user(), identity.user());
        if (dumpable) {
            // The kernel cleared the flag for the whole process, as it belongs to the address space: its files in /proc
            // would belong to root.
            Libc.prctl(SET_DUMPABLE, 1, 0, 0, 0);
        }
    }

    private static Set<Integer> permittedOf(Set<Integer> capabilities) throws IOException {
        long permitted = permitted(Files.readString(PROC.resolve("thread-self/status")));
        return Set.copyOf(capabilities.stream()
                .filter(capability -> (permitted >>> capability & 1) == 1)
                .toList());
    }

    /** A user other than root loses them at the next execve unless they are ambient. */
    private static void keepOnly(Set<Integer> keptCapabilities) {
        long bits = keptCapabilities.stream()
                .mapToLong(capability -> 1L << capability)
                .reduce(0, (a, b) -> a | b);
        ByteBuffer sets = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
        for (int half : List.of((int) bits, (int) (bits >>> 32))) {
            sets.putInt(half).putInt(half).putInt(half);
        }
        Libc.capset(CAPABILITY_HEADER, sets.array());
        keptCapabilities.forEach(capability -> ambient(AMBIENT_RAISE, capability));
    }

    /**
     * Does nothing if the kernel has no ambient set, like gVisor, or the thread forbids it
     * (SECBIT_NO_CAP_AMBIENT_RAISE).
     */
    private static void ambient(int operation, int capability) {
        try {
            Libc.prctl(AMBIENT, operation, capability, 0, 0);
        } catch (LastErrorException e) {
            if (e.getErrorCode() != Errno.EINVAL && e.getErrorCode() != Errno.EPERM) {
                throw e;
            }
        }
    }

    private static long permitted(String status) {
        return status.lines()
                .filter(line -> line.startsWith("CapPrm:"))
                .map(line -> Long.parseUnsignedLong(
                        line.substring("CapPrm:".length()).strip(), 16))
                .findFirst()
                .orElse(0L);
    }
}
