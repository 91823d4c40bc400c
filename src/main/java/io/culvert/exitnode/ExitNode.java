package io.culvert.exitnode;

import io.culvert.linux.Container;
import io.culvert.network.Machine;
import io.culvert.nft.NetworkClaim;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.StopSignals;
import io.culvert.run.Journal;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.run.Undo;
import java.util.function.Supplier;

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
     * @throws ProblemException before anything was changed but the kill switch, or after it was undone
     */
    public void run() throws InterruptedException {
        try (StopSignals _ = StopSignals.deliverTo(signal -> wakeups.add(new Event.Stop(signal)));
                Kernel kernel = inTheirTurn(() -> Kernel.open(around))) {
            // Before the claim: whoever has that must not keep everything open.
            FirstGuard guard =
                    FirstGuard.close(kernel.nftables(), Container.beforeSettings(around.environment(), around.root()));
            try (NetworkClaim _ = inTheirTurn(ExitNode::claim)) {
                guard.takeOver();
                run(behind(guard, kernel));
            }
        }
    }

    /** A start whose command line is wrong: like any other that is refused, it leaves a container closed. */
    public static void refuse(Surroundings around) {
        Container container = Container.beforeSettings(around.environment(), around.root());
        if (container.present()) {
            try (Kernel kernel = Kernel.open(around)) {
                FirstGuard.close(kernel.nftables(), container).refused(Reading.container(around), around.journal());
            } catch (RuntimeException _) {
                // Nothing can be closed here, and what is wrong with the command line is told.
            }
        }
    }

    private void run(Chain chain) throws InterruptedException {
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

    /** Reads, looks and plans while nothing can leave. */
    private Chain behind(FirstGuard guard, Kernel kernel) {
        try {
            Reading reading = read();
            Machine machine = look(kernel, reading);
            return new Chain(Parts.assemble(around, reading, kernel, machine, wakeups));
        } catch (RuntimeException e) {
            guard.refused(Reading.container(around), journal);
            throw e;
        }
    }

    /** What is wrong with the settings is told before what is wrong with the machine, though the guard comes before both. */
    private <T> T inTheirTurn(Supplier<T> step) {
        try {
            return step.get();
        } catch (ProblemException e) {
            read();
            throw e;
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
        journal.problems(Requirements.of(kernel, machine, reading, around));
        // The route may come later, with a network that is connected or a router that advertises itself: it is waited
        // for.
        journal.problems(Requirements.unreachable(machine, reading).stream()
                .map(problem -> Problem.warning(problem.place(), problem.what(), problem.cure()))
                .toList());
        return machine;
    }

    /** Two of us would put right each other's work for ever. */
    private static NetworkClaim claim() {
        return NetworkClaim.take(NetworkClaim.RUNS)
                .orElseThrow(() -> new ProblemException(Problem.machine(
                        Place.machine("network namespace"),
                        "another Culvert runs in it already",
                        "stop that one first, or " + Hints.here().ownNetwork())));
    }

    private void stop() {
        undo.run().forEach(journal::warn);
        journal.info("stopped");
    }
}
