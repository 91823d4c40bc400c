// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.diagnostics.ProblemException;
import io.culvert.timing.BackOff;
import io.culvert.timing.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Supervises programs: one that exits unexpectedly is restarted with exponential back-off, without a limit. (It never
 * gives up: the kill switch stays active meanwhile, and a node that recovers automatically is better than one that
 * waits for an administrator.) All events are reported to a listener.
 *
 * <p>Children survive a SIGKILL of this process, unless it is process 1, whose exit ends its PID namespace: the
 * parent-death signal can only be set by the child itself between fork and execve, which is not possible in Java. A
 * userspace WireGuard that is left behind is adopted by the next run.
 */
public final class Supervisor {

    /**
     * Short enough that a single crash is hardly noticed, long enough that a broken program costs almost no CPU time.
     */
    public static final BackOff RESTARTS = new BackOff(Duration.ofMillis(100), Duration.ofSeconds(30));

    private final Supervision supervision;
    private final List<Child> started = new ArrayList<>();

    /**
     * @param backOff the delays between restarts of a child
     * @param redactor redacts secrets in the output of children
     * @param listener called on the children's own threads; has to be thread-safe and fast
     */
    public Supervisor(
            Children children,
            BackOff backOff,
            Threads threads,
            UnaryOperator<String> redactor,
            Consumer<ChildEvent> listener) {
        this.supervision = new Supervision(children, backOff, threads, redactor, listener);
    }

    /**
     * Starts a program in the network namespace of the calling thread, where it is also restarted.
     *
     * @throws ProblemException where the first start fails
     */
    public Child start(ChildSpec spec) {
        return start(() -> spec);
    }

    /**
     * Starts a program that needs cleanup before each start, or that is started differently each time.
     *
     * @param specs called before each start, on the child's own thread except for the first; the name must not change
     * @throws ProblemException where the first start fails
     */
    public synchronized Child start(Supplier<ChildSpec> specs) {
        Child child = new Child(specs, supervision);
        started.removeIf(Child::isStopping);
        started.add(child);
        return child;
    }

    /** Stops all children one after the other, the most recently started first. */
    public synchronized void stopAll() {
        started.reversed().forEach(Child::stop);
        started.clear();
    }
}
