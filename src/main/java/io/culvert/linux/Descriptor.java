// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.nio.file.Path;

/** An open file descriptor; closing it again has no effect. */
public final class Descriptor implements AutoCloseable {

    /** {@code O_CLOEXEC} (include/uapi/asm-generic/fcntl.h): children do not inherit the descriptor. */
    private static final int CLOSE_ON_EXEC = 0x80000;

    private static final int CLOSED = -1;

    private int number;

    Descriptor(int number) {
        this.number = number;
    }

    /** The access mode of an open file: {@code O_RDONLY}, {@code O_WRONLY} and {@code O_RDWR}. */
    public enum Access {
        READ(0),
        WRITE(1),
        READ_WRITE(2);

        private final int flag;

        Access(int flag) {
            this.flag = flag;
        }
    }

    /**
     * Opens an existing file without changing it. Unlike Java's own classes it reports the errno, which distinguishes
     * a read-only file system from missing permission.
     *
     * @throws SystemCallException with the errno of {@code open}
     */
    public static Descriptor open(Path path, Access access) {
        try {
            return new Descriptor(Libc.open(path.toString(), access.flag | CLOSE_ON_EXEC));
        } catch (LastErrorException e) {
            throw SystemCallException.of("open " + path, e);
        }
    }

    /** Writes all bytes in one call, as files in {@code /proc/sys} require. */
    void write(byte[] bytes) {
        try {
            long written = Libc.write(number(), bytes, bytes.length);
            if (written != bytes.length) {
                throw new SystemCallException("write", Errno.EINVAL);
            }
        } catch (LastErrorException e) {
            throw SystemCallException.of("write", e);
        }
    }

    /** Returns the descriptor's number for system calls and netlink messages. */
    public synchronized int number() {
        if (number == CLOSED) {
            throw new IllegalStateException("closed");
        }
        return number;
    }

    @Override
    public synchronized void close() {
        if (number == CLOSED) {
            return;
        }
        int open = number;
        number = CLOSED;
        try {
            Libc.close(open);
        } catch (LastErrorException _) {
            // The descriptor is closed whatever close returns (close(2), "Dealing with error returns").
        }
    }
}
