package io.culvert.linux;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Ends the waits of the {@linkplain MarkedSocket sockets} that a piece of work opens, from any thread: a blocked call of the C
 * library does not notice an interrupt.
 */
public final class Cancellation {

    private static final ScopedValue<Cancellation> CURRENT = ScopedValue.newInstance();

    private boolean cancelled;
    private final Set<MarkedSocket> open = new HashSet<>();
    private Optional<Runnable> otherwise = Optional.empty();

    /** Runs the work, on this thread; what it opens can be ended by {@link #cancel}. */
    public void run(Runnable work) {
        ScopedValue.where(CURRENT, this).run(work);
    }

    /** Fails every call of its sockets, those under way and those to come. Safe to repeat. */
    public synchronized void cancel() {
        cancelled = true;
        open.forEach(MarkedSocket::wake);
        otherwise.ifPresent(Runnable::run);
    }

    /** Ends a wait of another kind too, of the work that this thread does. */
    public static void alsoEnd(Runnable wait) {
        current().ifPresent(it -> it.end(wait));
    }

    private synchronized void end(Runnable wait) {
        otherwise = Optional.of(wait);
        if (cancelled) {
            wait.run();
        }
    }

    /** Whether the work that this thread does is no longer wanted. */
    public static boolean isCancelledHere() {
        return current().filter(Cancellation::isCancelled).isPresent();
    }

    public synchronized boolean isCancelled() {
        return cancelled;
    }

    /** Of the work that this thread does. */
    static Optional<Cancellation> current() {
        return CURRENT.isBound() ? Optional.of(CURRENT.get()) : Optional.empty();
    }

    synchronized void opened(MarkedSocket socket) {
        open.add(socket);
    }

    /** Before its descriptor is closed, which may be another socket's right after that. */
    synchronized void closing(MarkedSocket socket) {
        open.remove(socket);
    }
}
