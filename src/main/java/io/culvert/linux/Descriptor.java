package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.nio.file.Path;

/** An open file descriptor, closed once. */
public final class Descriptor implements AutoCloseable {

    /** {@code O_CLOEXEC} (include/uapi/asm-generic/fcntl.h): children get none of our descriptors. */
    private static final int CLOSE_ON_EXEC = 0x80000;

    private static final int CLOSED = -1;

    private int number;

    Descriptor(int number) {
        this.number = number;
    }

    /** What an open file is for; the numbers are {@code O_RDONLY}, {@code O_WRONLY} and {@code O_RDWR}. */
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
     * Opens a file that exists, without changing it. Unlike Java's own files it tells the errno, so that read-only can
     * be told from forbidden.
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

    /** Writes all of it in one call, as files of {@code /proc/sys} want it. */
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

    /** As system calls and netlink messages name it, while it is open. */
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
            // The descriptor is gone whatever close says (close(2), "Dealing with error returns").
        }
    }
}
