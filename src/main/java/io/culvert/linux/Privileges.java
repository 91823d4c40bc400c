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
 * What a program may do that this process starts. Where it has less than this process it can never have more:
 * {@code no_new_privs} is set, so that neither a set-user-ID file nor being root gives anything back (prctl(2)).
 *
 * @param identity the user that it runs as; empty for the one of this process
 * @param capabilities the only ones that it keeps, as far as this process has them (capabilities(7)); empty for all
 */
public record Privileges(Optional<Identity> identity, Optional<Set<Integer>> capabilities) {

    /** Whatever this process may do. */
    public static final Privileges ALL = new Privileges(Optional.empty(), Optional.empty());

    /** The same user, and not a single capability. */
    public static final Privileges NONE = keeping(Set.of());

    /** {@code PR_SET_KEEPCAPS} and so on (include/uapi/linux/prctl.h). */
    private static final int GET_DUMPABLE = 3;

    private static final int SET_DUMPABLE = 4;
    private static final int KEEP_CAPABILITIES = 8;
    private static final int DROP_FROM_BOUNDING_SET = 24;
    private static final int NO_NEW_PRIVILEGES = 38;
    private static final int AMBIENT = 47;
    private static final int AMBIENT_RAISE = 2;
    private static final int AMBIENT_CLEAR_ALL = 4;

    /** Capabilities are bits of 64 (include/uapi/linux/capability.h). */
    private static final int CAPABILITIES = 64;

    /** {@code _LINUX_CAPABILITY_VERSION_3} (include/uapi/linux/capability.h). */
    private static final byte[] CAPABILITY_HEADER = {0x22, 0x05, 0x08, 0x20, 0, 0, 0, 0};

    private static final Path PROC = Path.of("/proc");

    /**
     * A user by number: it need not be one that the machine has a name for.
     *
     * @param groups others than its own
     */
    public record Identity(int user, int group, Set<Integer> groups) {

        public Identity {
            groups = Set.copyOf(groups);
        }

        /**
         * Whether this process can start programs as this user, and end them again: it needs the capabilities for that, and in
         * a user namespace the numbers have to be mapped (user_namespaces(7)).
         */
        public boolean isPossible() {
            try {
                Capabilities own = Capabilities.read(PROC);
                return Stream.of(Capabilities.SETUID, Capabilities.SETGID, Capabilities.KILL, Capabilities.CHOWN)
                                .allMatch(own::has)
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

    /** The numbers of system calls (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
    private record Calls(int setgroups, int setresgid, int setresuid) {

        static Calls ofMachine() {
            return switch (System.getProperty("os.arch").toLowerCase(Locale.ROOT)) {
                case "amd64", "x86_64" -> new Calls(116, 119, 117);
                case "aarch64" -> new Calls(159, 149, 147);
                default -> throw new UnsupportedOperationException("this processor's system calls are not known");
            };
        }
    }

    public Privileges {
        capabilities = capabilities.map(Set::copyOf);
        if (identity.isPresent() && capabilities.isEmpty()) {
            throw new IllegalArgumentException("another user has not all capabilities");
        }
    }

    /** The same user, and these capabilities. */
    public static Privileges keeping(Set<Integer> capabilities) {
        return new Privileges(Optional.empty(), Optional.of(capabilities));
    }

    /**
     * The calling thread has no more than these from now on, and cannot go back; so has what it starts. The other threads keep
     * theirs, as the kernel has credentials for each thread (credentials(7)): a thread that takes them has nothing else to do.
     */
    public void take() {
        if (capabilities.isEmpty()) {
            return;
        }
        Set<Integer> kept = capabilities.get();
        try {
            forbidNewPrivileges();
            dropFromBoundingSet(kept);
            if (identity.isPresent()) {
                become(identity.get());
            }
            keepOnly(ownedOf(kept));
        } catch (LastErrorException e) {
            throw SystemCallException.of("giving up privileges", e);
        } catch (IOException e) {
            throw new IllegalStateException("what this process may do cannot be read", e);
        }
    }

    private static void forbidNewPrivileges() {
        Libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0);
        ambient(AMBIENT_CLEAR_ALL, 0);
    }

    /** What may not be dropped, since {@code CAP_SETPCAP} is missing, cannot be got back either: no new privileges. */
    private static void dropFromBoundingSet(Set<Integer> kept) {
        for (int capability = 0; capability < CAPABILITIES; capability++) {
            if (!kept.contains(capability)) {
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

    /** By system calls: the C library's functions of these names change all threads of a process. */
    private static void become(Identity who) {
        Calls calls = Calls.ofMachine();
        boolean dumpable = Libc.prctl(GET_DUMPABLE, 0, 0, 0, 0) == 1;
        Libc.prctl(KEEP_CAPABILITIES, 1, 0, 0, 0);
        int[] groups = who.groups().stream().mapToInt(Integer::intValue).toArray();
        Libc.syscall(calls.setgroups(), groups.length, groups.length == 0 ? new int[1] : groups);
        Libc.syscall(calls.setresgid(), who.group(), who.group(), who.group());
        Libc.syscall(calls.setresuid(), who.user(), who.user(), who.user());
        if (dumpable) {
            // The kernel turned that off for the memory, which is the whole process's: its files below /proc would be
            // closed.
            Libc.prctl(SET_DUMPABLE, 1, 0, 0, 0);
        }
    }

    private static Set<Integer> ownedOf(Set<Integer> wanted) throws IOException {
        long permitted = permitted(Files.readString(PROC.resolve("thread-self/status")));
        return Set.copyOf(wanted.stream()
                .filter(capability -> (permitted >>> capability & 1) == 1)
                .toList());
    }

    /** Whoever is not root needs them as ambient ones, or they end with the next program. */
    private static void keepOnly(Set<Integer> kept) {
        long bits = kept.stream().mapToLong(capability -> 1L << capability).reduce(0, (a, b) -> a | b);
        ByteBuffer sets = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
        for (int half : List.of((int) bits, (int) (bits >>> 32))) {
            sets.putInt(half).putInt(half).putInt(half);
        }
        Libc.capset(CAPABILITY_HEADER, sets.array());
        kept.forEach(capability -> ambient(AMBIENT_RAISE, capability));
    }

    /** Where the kernel has none, as gVisor's, or a bit of the thread forbids them (SECBIT_NO_CAP_AMBIENT_RAISE), there are none. */
    private static void ambient(int what, int capability) {
        try {
            Libc.prctl(AMBIENT, what, capability, 0, 0);
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
