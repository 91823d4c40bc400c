package io.culvert.process;

import io.culvert.problem.ProblemException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Keeps programs running: one that ends without being told to is started again, after a wait that grows, for ever. (There is
 * no giving up: the guard holds meanwhile, and a node that comes back by itself when its cause is gone is worth more than one
 * that waits for a person.) All it knows it tells its listener.
 *
 * <p>Children do not die with us when we are killed by SIGKILL, except as process 1, whose end is the end of its process
 * namespace: the parent-death signal can only be set by the child itself before it becomes the program, which Java offers no
 * way to do. A userspace WireGuard that is left behind is found and adopted by the next run.
 */
public final class Supervisor {

    private final Supervision supervision;
    private final List<Child> started = new ArrayList<>();

    /**
     * @param redactor takes secrets out of what children print
     * @param listener is called on the children's own threads: safe for that, and quick
     */
    public Supervisor(
            Children children,
            BackOff backOff,
            Timing timing,
            UnaryOperator<String> redactor,
            Consumer<ChildEvent> listener) {
        this.supervision = new Supervision(children, backOff, timing, redactor, listener);
    }

    /**
     * Starts a program, in the network namespace of the calling thread, where it will also be started again.
     *
     * @throws ProblemException when it cannot be started at all
     */
    public Child start(ChildSpec spec) {
        return start(() -> spec);
    }

    /**
     * The same, for a program of which something has to be cleared away before each start, or that is not started twice in
     * the same way.
     *
     * @param specs is asked before each start, on the child's own thread but for the first; always of one name
     * @throws ProblemException when it cannot be started at all
     */
    public synchronized Child start(Supplier<ChildSpec> specs) {
        Child child = new Child(specs, supervision);
        started.removeIf(Child::isStopping);
        started.add(child);
        return child;
    }

    /** Ends all that run, the youngest first, each before the next. */
    public synchronized void stopAll() {
        started.reversed().forEach(Child::stop);
        started.clear();
    }
}
