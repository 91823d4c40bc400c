// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Cancels blocking calls on the {@linkplain MarkedSocket sockets} that a task opens, from any thread: a blocked call of
 * the C library does not notice an interrupt.
 */
public final class Cancellation {

    private static final ScopedValue<Cancellation> CURRENT = ScopedValue.newInstance();

    private boolean cancelled;
    private final Set<MarkedSocket> sockets = new HashSet<>();
    private Optional<Runnable> additionalAction = Optional.empty();

    /** Runs the task on this thread; {@link #cancel} ends calls on the sockets that it opens. */
    public void run(Runnable task) {
        ScopedValue.where(CURRENT, this).run(task);
    }

    /** Makes every current and future call on its sockets fail. Idempotent. */
    public synchronized void cancel() {
        cancelled = true;
        sockets.forEach(MarkedSocket::shutDown);
        additionalAction.ifPresent(Runnable::run);
    }

    /** Registers an action that {@link #cancel} also runs, to end another kind of wait of this thread's task. */
    public static void addAction(Runnable action) {
        current().ifPresent(it -> it.setAction(action));
    }

    private synchronized void setAction(Runnable action) {
        additionalAction = Optional.of(action);
        if (cancelled) {
            action.run();
        }
    }

    /** Returns whether this thread's task was cancelled. */
    public static boolean isCurrentTaskCancelled() {
        return current().filter(Cancellation::isCancelled).isPresent();
    }

    public synchronized boolean isCancelled() {
        return cancelled;
    }

    /** Returns the cancellation of this thread's task. */
    static Optional<Cancellation> current() {
        return CURRENT.isBound() ? Optional.of(CURRENT.get()) : Optional.empty();
    }

    synchronized void register(MarkedSocket socket) {
        sockets.add(socket);
    }

    /** To be called before the descriptor is closed, as its number may be reused by another socket at once. */
    synchronized void unregister(MarkedSocket socket) {
        sockets.remove(socket);
    }
}
