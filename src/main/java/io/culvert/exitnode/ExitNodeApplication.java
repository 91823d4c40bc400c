// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.audit.Audit;
import io.culvert.audit.Auditor;
import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.UndoStack;
import io.culvert.linux.Container;
import io.culvert.nft.NetworkNamespaceLock;
import io.culvert.process.ProgramSignals;
import io.culvert.reconcile.EventQueue;
import io.culvert.rtnl.Machine;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.status.ControlRequest;
import java.util.function.Supplier;

/**
 * Runs an exit node from start to stop. The kill switch is activated first and removed last. A single thread makes all
 * changes; events wait in a queue meanwhile, so that no two changes overlap.
 */
public final class ExitNodeApplication {

    private final Environment environment;
    private final Auditor auditor;
    private final Log log;
    private final UndoStack undo = new UndoStack();
    private final EventQueue<ExitNodeEvent> events;

    public ExitNodeApplication(Environment environment) {
        this(environment, Audit::violations);
    }

    /** @param auditor for the audit of itself */
    public ExitNodeApplication(Environment environment, Auditor auditor) {
        this.auditor = auditor;
        this.environment = environment;
        this.log = environment.log();
        this.events = new EventQueue<>(environment.system().threads());
    }

    /**
     * Runs until a stop is requested.
     *
     * @throws ProblemException before anything but the kill switch was changed, or after all changes were undone
     */
    public void run() throws InterruptedException {
        try (ProgramSignals _ = ProgramSignals.onStop(this::requestStop);
                ProgramSignals _ = ProgramSignals.onReload(this::requestReload)) {
            runWithoutSignals();
        }
    }

    /** Requests a stop; may be called on any thread. */
    public void requestStop(String why) {
        events.add(new ExitNodeEvent.Stop(why));
    }

    /** Requests that settings and files be read again; may be called on any thread. */
    public void requestReload(String why) {
        events.add(new ExitNodeEvent.ReloadRequested(why));
    }

    /** Requests what a command does, without its result; may be called on any thread. */
    public void request(ControlRequest request) {
        events.add(new ExitNodeEvent.ControlRequested(request, _ -> {}));
    }

    /**
     * Runs until {@link #requestStop} is called, and changes nothing of this process.
     *
     * @throws ProblemException before anything but the kill switch was changed, or after all changes were undone
     */
    public void runWithoutSignals() throws InterruptedException {
        try (KernelConnections kernel = reportSettingsErrorsFirst(() -> KernelConnections.open(environment))) {
            // Before the claim: a process that holds the claim must not be able to keep the network open.
            EarlyKillSwitch killSwitch = EarlyKillSwitch.activate(
                    kernel.nftables(), Container.beforeSettings(environment.variables(), environment.root()));
            try (NetworkNamespaceLock _ = reportSettingsErrorsFirst(this::lockNetworkNamespace)) {
                killSwitch.replaceLeftover();
                run(prepareExitNode(killSwitch, kernel));
            }
        }
    }

    /**
     * Handles a start with an invalid command line: like any refused start, it leaves the kill switch of a container
     * active.
     */
    public static void refuseStart(Environment environment) {
        Container container = Container.beforeSettings(environment.variables(), environment.root());
        if (container.present()) {
            try (KernelConnections kernel = KernelConnections.open(environment)) {
                EarlyKillSwitch.activate(kernel.nftables(), container)
                        .handleRefusedStart(LoadedConfiguration.containerSetting(environment), environment.log());
            } catch (RuntimeException _) {
                // The kill switch cannot be activated here; the error in the command line is reported anyway.
            }
        }
    }

    private void run(ExitNode exitNode) throws InterruptedException {
        try {
            exitNode.activateKillSwitch(undo);
            exitNode.openStatusSocket(undo);
            exitNode.watchFiles(undo);
            exitNode.startNameResolution(undo);
            exitNode.startTunnel(undo);
            exitNode.attachMesh(undo);
            exitNode.startProxies(undo);
            exitNode.startHttp(undo);
            exitNode.forwardPort(undo);
            exitNode.handleEvents();
        } finally {
            stop();
        }
    }

    /** Reads the configuration and the machine, and plans, while the kill switch blocks all traffic. */
    private ExitNode prepareExitNode(EarlyKillSwitch killSwitch, KernelConnections kernel) {
        try {
            LoadedConfiguration configuration = loadConfiguration();
            Machine machine = inspectMachine(kernel, configuration);
            return new ExitNode(Components.assemble(environment, configuration, kernel, machine, events), auditor);
        } catch (RuntimeException e) {
            killSwitch.handleRefusedStart(LoadedConfiguration.containerSetting(environment), log);
            throw e;
        }
    }

    /**
     * Reports errors in the settings before those of the machine, although the kill switch is activated before both.
     */
    private <T> T reportSettingsErrorsFirst(Supplier<T> step) {
        try {
            return step.get();
        } catch (ProblemException e) {
            loadConfiguration();
            throw e;
        }
    }

    private LoadedConfiguration loadConfiguration() {
        LoadedConfiguration configuration = LoadedConfiguration.load(environment);
        log.setLevel(configuration.settings().log());
        log.info(configuration.settingsTree());
        log.problems(configuration.remarks());
        return configuration;
    }

    private Machine inspectMachine(KernelConnections kernel, LoadedConfiguration configuration) {
        Machine machine = kernel.machine();
        log.problems(Requirements.check(kernel, machine, configuration, environment));
        // Only a warning: the route may appear later, with a network that is connected or with a router advertisement.
        log.problems(Requirements.unreachableServers(machine, configuration).stream()
                .map(problem -> Problem.warning(problem.location(), problem.message(), problem.hint()))
                .toList());
        return machine;
    }

    /** Claims the network namespace: two exit nodes in it would revert each other's changes endlessly. */
    private NetworkNamespaceLock lockNetworkNamespace() {
        return NetworkNamespaceLock.take(
                        NetworkNamespaceLock.EXIT_NODE_TABLE,
                        environment.system().netlink())
                .orElseThrow(() -> new ProblemException(Problem.machine(
                        Location.machine("network namespace"),
                        "another Culvert is running in it",
                        "stop that one first, or " + Hints.here().separateNamespace())));
    }

    private void stop() {
        undo.run().forEach(log::warn);
        log.info("stopped");
    }
}
