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
 * Runs an exit node from start to stop. The kill switch is activated first and removed last. A single thread makes all
 * changes; events wait in a queue meanwhile, so that no two changes overlap.
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
     * Runs until a stop is requested.
     *
     * @throws ProblemException before anything but the kill switch was changed, or after all changes were undone
     */
    public void run() throws InterruptedException {
        try (StopSignals _ = StopSignals.deliverTo(signal -> wakeups.add(new Event.Stop(signal)));
                Kernel kernel = inTheirTurn(() -> Kernel.open(around))) {
            // Before the claim: a process that holds the claim must not be able to keep the network open.
            FirstGuard guard =
                    FirstGuard.close(kernel.nftables(), Container.beforeSettings(around.environment(), around.root()));
            try (NetworkClaim _ = inTheirTurn(ExitNode::claim)) {
                guard.takeOver();
                run(behind(guard, kernel));
            }
        }
    }

    /**
     * Handles a start with an invalid command line: like any refused start, it leaves the kill switch of a container
     * active.
     */
    public static void refuse(Surroundings around) {
        Container container = Container.beforeSettings(around.environment(), around.root());
        if (container.present()) {
            try (Kernel kernel = Kernel.open(around)) {
                FirstGuard.close(kernel.nftables(), container).refused(Reading.container(around), around.journal());
            } catch (RuntimeException _) {
                // The kill switch cannot be activated here; the error in the command line is reported anyway.
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

    /** Reads the configuration and the machine, and plans, while the kill switch blocks all traffic. */
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

    /**
     * Reports errors in the settings before those of the machine, although the kill switch is activated before both.
     */
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
        // Only a warning: the route may appear later, with a network that is connected or with a router advertisement.
        journal.problems(Requirements.unreachable(machine, reading).stream()
                .map(problem -> Problem.warning(problem.place(), problem.what(), problem.cure()))
                .toList());
        return machine;
    }

    /** Claims the network namespace: two exit nodes in it would revert each other's changes endlessly. */
    private static NetworkClaim claim() {
        return NetworkClaim.take(NetworkClaim.RUNS)
                .orElseThrow(() -> new ProblemException(Problem.machine(
                        Place.machine("network namespace"),
                        "another Culvert is running in it",
                        "stop that one first, or " + Hints.here().ownNetwork())));
    }

    private void stop() {
        undo.run().forEach(journal::warn);
        journal.info("stopped");
    }
}
