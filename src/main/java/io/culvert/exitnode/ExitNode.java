package io.culvert.exitnode;

import io.culvert.linux.NamespaceClaim;
import io.culvert.network.Machine;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.StopSignals;

/**
 * An exit node, from start to stop: the guard stands before anything can send, and goes last. One thread does all of it;
 * whatever happens meanwhile waits in a queue, so that no two changes ever cross.
 */
public final class ExitNode {

    private final Surroundings around;
    private final Journal journal;
    private final Undo undo = new Undo();
    private final Wakeups wakeups = new Wakeups();

    public ExitNode(Surroundings around) {
        this.around = around;
        this.journal = around.journal();
    }

    /**
     * Runs until somebody asks it to stop.
     *
     * @throws ProblemException before anything was changed, or after all of it was undone
     */
    public void run() throws InterruptedException {
        Reading reading = read();
        try (Kernel kernel = Kernel.open(around);
                NamespaceClaim _ = claim();
                StopSignals _ = StopSignals.deliverTo(signal -> wakeups.add(new Event.Stop(signal)))) {
            Machine machine = look(kernel, reading);
            Chain chain = new Chain(Parts.assemble(around, reading, kernel, machine, wakeups));
            try {
                chain.guard(undo);
                chain.answerForItself(undo);
                chain.resolveNames(undo);
                chain.raiseTunnel(undo);
                chain.chainMesh(undo);
                chain.openProxy(undo);
                chain.watch();
            } finally {
                stop();
            }
        }
    }

    private Reading read() {
        Reading reading = Reading.of(around);
        journal.tellUpTo(Journal.Level.valueOf(reading.settings().log().name()));
        journal.info(reading.tree());
        journal.problems(reading.remarks());
        return reading;
    }

    private Machine look(Kernel kernel, Reading reading) {
        Machine machine = kernel.machine();
        journal.problems(Requirements.of(kernel, machine, reading, Parts.tailscale(around, reading.settings())));
        return machine;
    }

    /** Two of us would put right each other's work for ever. */
    private static NamespaceClaim claim() {
        return NamespaceClaim.take("culvert")
                .orElseThrow(() -> new ProblemException(Problem.machine(
                        Place.machine("network namespace"),
                        "another Culvert runs in it already",
                        "stop that one first, or give this container a network of its own")));
    }

    private void stop() {
        undo.run().forEach(journal::warn);
        journal.info("stopped");
    }
}
