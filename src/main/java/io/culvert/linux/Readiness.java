// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;

/** Waits until something can be read (poll(2)). */
final class Readiness {

    /** {@code POLLIN} (include/uapi/asm-generic/poll.h). */
    private static final short POLLIN = 0x1;

    /** {@code sizeof(struct pollfd)}: int, short, short. */
    private static final int POLLFD_SIZE = 8;

    private Readiness() {}

    /**
     * Waits until something can be read, the timeout expires, or the wait is ended; uses no CPU time meanwhile.
     *
     * @return whether something can be read
     */
    static boolean await(Descriptor descriptor, WakeUp wakeUp, Duration timeout) {
        long deadline = System.nanoTime() + nanos(timeout);
        while (true) {
            ByteBuffer descriptors = ByteBuffer.allocate(2 * POLLFD_SIZE).order(ByteOrder.nativeOrder());
            descriptors.putInt(descriptor.number()).putShort(POLLIN).putShort((short) 0);
            descriptors.putInt(wakeUp.number()).putShort(POLLIN).putShort((short) 0);
            try {
                Libc.poll(descriptors.array(), 2, milliseconds(deadline - System.nanoTime()));
                if (descriptors.getShort(POLLFD_SIZE + 6) != 0) {
                    wakeUp.drain();
                }
                // Errors count as readable: reading reports them.
                return descriptors.getShort(6) != 0;
            } catch (LastErrorException e) {
                if (e.getErrorCode() != Errno.EINTR) {
                    throw SystemCallException.of("poll", e);
                }
            }
        }
    }

    private static long nanos(Duration duration) {
        // Half of the range (146 years) keeps the deadline from overflowing.
        return duration.compareTo(Duration.ofNanos(Long.MAX_VALUE / 2)) > 0 ? Long.MAX_VALUE / 2 : duration.toNanos();
    }

    /** Rounded up, so that a wait does not spin through its last millisecond. */
    private static int milliseconds(long nanos) {
        return Math.clamp((nanos + 999_999) / 1_000_000, 0, Integer.MAX_VALUE);
    }
}
