package io.culvert.process;

import io.culvert.linux.Privileges;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/**
 * The processes that we started and that have not been waited for yet. Whoever starts a process in the same JVM as a
 * {@link Reaper} does it here: the lock that is held from the fork to the entry in the list is what keeps a child that ends
 * at once from being taken for an orphan, its exit status lost.
 */
public final class Children {

    private final Set<Long> pids = new HashSet<>();
    private Runnable afterChange = () -> {};

    /** Starts a process and remembers it until {@link #await} has returned for it. */
    Process start(ProcessBuilder builder, Privileges privileges) throws IOException {
        Process process;
        synchronized (this) {
            process = Launch.start(builder, privileges);
            pids.add(process.pid());
        }
        changed();
        return process;
    }

    /** Waits for a process of ours; the exit status is 128 and the signal's number when a signal ended it. */
    public int await(Process process) throws InterruptedException {
        int status = process.waitFor();
        synchronized (this) {
            pids.remove(process.pid());
        }
        changed();
        return status;
    }

    synchronized boolean contains(long pid) {
        return pids.contains(pid);
    }

    /** @param action to be run after every start and every end */
    synchronized void afterEveryChange(Runnable action) {
        afterChange = action;
    }

    private void changed() {
        Runnable action;
        synchronized (this) {
            action = afterChange;
        }
        action.run();
    }
}
