// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalInt;

/** Reaps child processes that have exited (zombies). */
public final class Zombies {

    /** {@code P_ALL}, {@code WNOHANG}, {@code WEXITED}, {@code WNOWAIT} (include/uapi/linux/wait.h). */
    private static final int P_ALL = 0;

    private static final int WNOHANG = 0x1;
    private static final int WEXITED = 0x4;
    private static final int WNOWAIT = 0x01000000;

    /** {@code sizeof(siginfo_t)} (include/uapi/asm-generic/siginfo.h). */
    private static final int SIGINFO_SIZE = 128;

    /** The offset of {@code si_pid}: after three ints and, with 64-bit pointers, four bytes of padding. */
    private static final int SI_PID = 16;

    /** {@code ECHILD}: there are no children at all. */
    private static final int ECHILD = 10;

    private Zombies() {}

    /** Returns the process id of the first zombie without reaping it. */
    public static OptionalInt first() {
        byte[] info = new byte[SIGINFO_SIZE];
        try {
            retrying(() -> Libc.waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT));
        } catch (LastErrorException e) {
            if (e.getErrorCode() == ECHILD) {
                return OptionalInt.empty();
            }
            throw e;
        }
        int pid = ByteBuffer.wrap(info).order(ByteOrder.nativeOrder()).getInt(SI_PID);
        return pid == 0 ? OptionalInt.empty() : OptionalInt.of(pid);
    }

    /** Reaps a child that {@link #first} returned and discards its exit status. */
    public static void reap(int pid) {
        int[] status = new int[1];
        try {
            retrying(() -> Libc.waitpid(pid, status, WNOHANG));
        } catch (LastErrorException e) {
            if (e.getErrorCode() != ECHILD) { // Another thread has reaped it already.
                throw e;
            }
        }
    }

    private interface Call {
        int run();
    }

    private static void retrying(Call call) {
        while (true) {
            try {
                call.run();
                return;
            } catch (LastErrorException e) {
                if (e.getErrorCode() != Errno.EINTR) {
                    throw e;
                }
            }
        }
    }
}
