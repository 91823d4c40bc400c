// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.linux.Zombies;
import java.util.OptionalInt;
import sun.misc.Signal;

/**
 * Reaps zombies as process 1 of a container: all orphaned processes become its children and stay zombies until it waits
 * for them. The JDK waits only for processes that it has started itself. Driven by {@code SIGCHLD}, without polling.
 */
public final class Reaper {

    private final Children children;

    private Reaper(Children children) {
        this.children = children;
    }

    /**
     * Installs the reaper where this is process 1; otherwise another process reaps orphans.
     *
     * @param children the processes whose exit status must be left to the JDK
     * @return whether it was installed
     */
    public static boolean installAsInit(Children children) {
        if (ProcessHandle.current().pid() != 1) {
            return false;
        }
        Reaper reaper = new Reaper(children);
        children.onChange(reaper::installHandlerAndReap);
        reaper.installHandlerAndReap();
        return true;
    }

    /** Installs the signal handler again each time, as the JDK resets SIGCHLD when it starts its first process. */
    private void installHandlerAndReap() {
        Signal.handle(new Signal("CHLD"), _ -> reapOrphans());
        reapOrphans();
    }

    /**
     * Reaps zombies until none is left or the next one is a child of the JDK. Only the first zombie is visible, so such
     * a child hides those behind it until the JDK has waited for it: then {@link Children#await} calls this method
     * again.
     */
    private void reapOrphans() {
        synchronized (children) {
            OptionalInt pid = Zombies.first();
            while (pid.isPresent() && !children.contains(pid.getAsInt())) {
                Zombies.reap(pid.getAsInt());
                pid = Zombies.first();
            }
        }
    }
}
