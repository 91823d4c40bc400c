// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Watches files and directories for changes (inotify(7)). Java's own watch service watches directories only, and so does not
 * notice a change of a file that is mounted alone: it is not a change of the directory that the file is mounted in. One thread
 * waits; any thread adds, removes and closes.
 */
public final class Inotify implements AutoCloseable {

    /** {@code IN_CLOEXEC|IN_NONBLOCK} (include/uapi/linux/inotify.h). */
    private static final int FLAGS = 0x80000 | 0x800;

    /** {@code IN_MODIFY|IN_ATTRIB|IN_MOVED_FROM|IN_MOVED_TO|IN_CREATE|IN_DELETE}. */
    private static final int CHANGES = 0x2 | 0x4 | 0x40 | 0x80 | 0x100 | 0x200;

    /** {@code struct inotify_event} without its name: four numbers of four bytes. */
    private static final int HEADER = 16;

    /** Room for many events; one has at most {@code HEADER + NAME_MAX + 1} bytes. */
    private static final int BUFFER = 4096;

    private static final Duration FOREVER = Duration.ofDays(365);

    private final Descriptor descriptor;
    private final WakeUp wakeUp = new WakeUp();
    private final ReentrantLock waiting = new ReentrantLock();
    private volatile boolean closed;

    /**
     * A change.
     *
     * @param watch the number of the watch; -1 if events were lost
     * @param name of the entry of the directory; empty for the watched file or directory itself, which may be gone
     */
    public record Event(int watch, String name) {}

    private Inotify(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** Opens one; empty if this user has too many of them (fs.inotify.max_user_instances). */
    public static Optional<Inotify> open() {
        try {
            return Optional.of(new Inotify(new Descriptor(Libc.inotify_init1(FLAGS))));
        } catch (LastErrorException _) {
            return Optional.empty();
        }
    }

    /**
     * Watches a file or directory, which is followed where it is moved.
     *
     * @return the number of the watch: that of an earlier one, if it is the same file or directory
     * @throws SystemCallException if it does not exist or is not readable, or too many are watched
     */
    public int add(Path path) {
        try {
            return Libc.inotify_add_watch(descriptor.number(), path.toString(), CHANGES);
        } catch (LastErrorException e) {
            throw SystemCallException.of("inotify_add_watch", e);
        }
    }

    /** Ends a watch, which may have ended already. */
    public void remove(int watch) {
        try {
            Libc.inotify_rm_watch(descriptor.number(), watch);
        } catch (LastErrorException | IllegalStateException _) {
            // The kernel has ended it with the file (EINVAL), or this is closed.
        }
    }

    /** Waits for changes; uses no CPU time meanwhile. Empty once it is closed. */
    public List<Event> await() {
        waiting.lock();
        try {
            List<Event> events = List.of();
            while (!closed && events.isEmpty()) {
                if (Readiness.await(descriptor, wakeUp, FOREVER)) {
                    events = read();
                }
            }
            return events;
        } finally {
            waiting.unlock();
        }
    }

    private List<Event> read() {
        byte[] bytes = new byte[BUFFER];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        try {
            buffer.limit(Math.toIntExact(Libc.read(descriptor.number(), bytes, bytes.length)));
        } catch (LastErrorException e) {
            if (e.getErrorCode() == Errno.EINTR || e.getErrorCode() == Errno.EAGAIN) {
                return List.of();
            }
            throw SystemCallException.of("read", e);
        }
        List<Event> events = new ArrayList<>();
        while (buffer.remaining() >= HEADER) {
            int watch = buffer.getInt();
            buffer.position(buffer.position() + 2 * Integer.BYTES);
            byte[] name = new byte[buffer.getInt()];
            buffer.get(name);
            // Padded with zeros.
            events.add(new Event(watch, new String(name, StandardCharsets.UTF_8).replace("\0", "")));
        }
        return events;
    }

    /** Ends the wait and all watches, from any thread. */
    @Override
    public void close() {
        closed = true;
        wakeUp.signal();
        waiting.lock();
        try {
            descriptor.close();
            wakeUp.close();
        } finally {
            waiting.unlock();
        }
    }
}
