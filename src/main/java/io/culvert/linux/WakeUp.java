// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;

/**
 * Ends another thread's wait on a {@link KernelSocket}, by an {@code eventfd}. A signal before the wait ends it too.
 */
public final class WakeUp implements AutoCloseable {

    /** {@code EFD_CLOEXEC|EFD_NONBLOCK} (include/linux/eventfd.h). */
    private static final int FLAGS = 0x80000 | 0x800;

    private final Descriptor descriptor;
    private boolean closed;

    public WakeUp() {
        try {
            descriptor = new Descriptor(Libc.eventfd(0, FLAGS));
        } catch (LastErrorException e) {
            throw SystemCallException.of("eventfd", e);
        }
    }

    /** Ends the wait; may be called from any thread, and does nothing once closed. */
    public synchronized void signal() {
        if (!closed) {
            // A valid increment (not 0, not all ones) in either byte order.
            descriptor.write(new byte[] {1, 0, 0, 0, 0, 0, 0, 1});
        }
    }

    int number() {
        return descriptor.number();
    }

    /** Consumes the signals received so far. */
    void drain() {
        try {
            Libc.read(number(), new byte[Long.BYTES], Long.BYTES);
        } catch (LastErrorException e) {
            if (e.getErrorCode() != Errno.EAGAIN) {
                throw SystemCallException.of("read", e);
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        descriptor.close();
    }
}
