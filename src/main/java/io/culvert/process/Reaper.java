package io.culvert.process;

import io.culvert.linux.Zombies;
import java.util.OptionalInt;
import sun.misc.Signal;

/**
 * The duty of process 1: orphans of the whole container become its children and stay zombies until it collects them. The JDK
 * collects only what it started itself. Works by {@code SIGCHLD}, never by polling.
 */
public final class Reaper {

    private final Children children;

    private Reaper(Children children) {
        this.children = children;
    }

    /**
     * Takes up the duty, when this is process 1; otherwise orphans are someone else's.
     *
     * @param children those whose exit status must be left to the JDK
     * @return whether it was taken up
     */
    public static boolean installAsInit(Children children) {
        if (ProcessHandle.current().pid() != 1) {
            return false;
        }
        Reaper reaper = new Reaper(children);
        children.afterEveryChange(reaper::listenAndCollect);
        reaper.listenAndCollect();
        return true;
    }

    /** Listens anew each time, for the JDK resets SIGCHLD when it starts its first process. */
    private void listenAndCollect() {
        Signal.handle(new Signal("CHLD"), _ -> collectOrphans());
        collectOrphans();
    }

    /**
     * Collects until none is left or the next one is ours. Only the first zombie can be seen, so one of ours hides those
     * behind it until the JDK has collected it: then {@link Children#await} calls here again.
     */
    private void collectOrphans() {
        synchronized (children) {
            OptionalInt pid = Zombies.first();
            while (pid.isPresent() && !children.contains(pid.getAsInt())) {
                Zombies.collect(pid.getAsInt());
                pid = Zombies.first();
            }
        }
    }
}
