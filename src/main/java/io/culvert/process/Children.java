// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.linux.Privileges;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/**
 * The child processes that have not been waited for yet. In a JVM with a {@link Reaper}, every process has to be
 * started here: the lock that is held from the fork to the entry in the list prevents a child that exits at once from
 * being reaped as an orphan, which would lose its exit status.
 */
public final class Children {

    private final ProcessStarter starter;
    private final Set<Long> pids = new HashSet<>();
    private Runnable changeListener = () -> {};

    public Children() {
        this(ProcessLauncher::start);
    }

    public Children(ProcessStarter starter) {
        this.starter = starter;
    }

    /** Starts a process and keeps it in the list until {@link #await} has returned for it. */
    Process start(ProcessBuilder builder, Privileges privileges) throws IOException {
        Process process;
        synchronized (this) {
            process = starter.start(builder, privileges);
            pids.add(process.pid());
        }
        notifyListener();
        return process;
    }

    /** Waits for a child and returns its exit status; 128 plus the signal number where a signal terminated it. */
    public int await(Process process) throws InterruptedException {
        int status = process.waitFor();
        synchronized (this) {
            pids.remove(process.pid());
        }
        notifyListener();
        return status;
    }

    synchronized boolean contains(long pid) {
        return pids.contains(pid);
    }

    /** @param action run after every start and every exit */
    synchronized void onChange(Runnable action) {
        changeListener = action;
    }

    private void notifyListener() {
        Runnable action;
        synchronized (this) {
            action = changeListener;
        }
        action.run();
    }
}
