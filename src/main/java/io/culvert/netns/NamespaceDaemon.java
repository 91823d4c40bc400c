// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.NetworkNamespace;
import io.culvert.plan.NamespacePlan;
import io.culvert.plan.ResolvedNames;
import io.culvert.process.ProgramSignals;
import io.culvert.reconcile.ChangeWatcher;
import io.culvert.reconcile.EventQueue;
import io.culvert.reconcile.Reconciler;
import io.culvert.reconcile.Reconciler.Response;
import io.culvert.requirements.ResolverWait;
import io.culvert.requirements.TunnelFile;
import io.culvert.rtnl.Ownership;
import io.culvert.runtime.Environment;
import io.culvert.runtime.MachineLock;
import io.culvert.status.ControlSocket;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.LastReceived;
import io.culvert.wireguard.device.WireGuardDevices;
import io.culvert.wireguard.device.WireGuardTimers;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;

/**
 * The namespace daemon. Creates a namespace, monitors its tunnel, admits programs, and deletes the namespace when the
 * last one has exited, or on request. One thread handles all events.
 */
public final class NamespaceDaemon {

    private sealed interface Event {
        record Requested(ControlSocket.PendingRequest pendingRequest) implements Event {}

        record ProgramExited(long pid) implements Event {}

        record NetworkChanged() implements Event {}

        record NamesResolved(ResolvedNames names) implements Event {}

        record StopSignal(String signal) implements Event {}
    }

    private final Environment environment;
    private final Log log;
    private final ConfinedNamespace namespace;
    private final NamespaceRequest request;
    private final EventQueue<Event> events = new EventQueue<>();
    private final Optional<OuterSockets> outerSockets;
    private final boolean persistent;

    /**
     * Creates the daemon; {@link #run} creates the namespace.
     *
     * @param persistent whether the namespace persists without programs in it
     * @param outerSockets the sockets outside of the user namespace in which the daemon runs; empty if it runs in none
     */
    public NamespaceDaemon(
            Environment environment,
            String name,
            NamespaceRequest request,
            boolean persistent,
            Optional<OuterSockets> outerSockets) {
        this.environment = environment;
        this.log = environment.log();
        this.namespace = outerSockets
                .map(it -> ConfinedNamespace.of(environment, name, it.directory()))
                .orElseGet(() -> ConfinedNamespace.of(environment, name))
                .prepare();
        this.request = request;
        this.persistent = persistent;
        this.outerSockets = outerSockets;
    }

    /**
     * Creates the namespace and manages it until it is deleted.
     *
     * @param firstProgram the process id of the program that it is created for
     * @param wait for the names of the servers; a signal ends it
     * @param onReady is called when programs can enter
     * @throws ProblemException if the namespace cannot be created, in which case nothing is left of it
     */
    public void run(OptionalLong firstProgram, ResolverWait wait, Runnable onReady) throws InterruptedException {
        try (MachineLock _ = MachineLock.await(namespace.daemonLock());
                ProgramSignals _ = ProgramSignals.onStop(signal -> {
                    wait.stop();
                    events.add(new Event.StopSignal(signal));
                })) {
            WireGuardConfig config = TunnelFile.of(request.config().toString(), environment.root())
                    .read(log, true);
            Optional<Relays> relays = outerSockets.isPresent()
                    ? Optional.of(Relays.open(environment, outerSockets.get()))
                    : Optional.empty();
            ServerAddresses servers =
                    new ServerAddresses(environment, config, names -> events.add(new Event.NamesResolved(names)));
            ResolvedNames names = outerSockets.isPresent() ? ResolvedNames.NONE : servers.resolve(wait);
            NetworkNamespace networkNamespace = namespace.claim();
            ConfinedTunnel tunnel = new ConfinedTunnel(
                    environment,
                    namespace.outerLinkName(),
                    networkNamespace,
                    config,
                    request,
                    plan -> relays.map(it -> it.applyTo(plan)).orElse(plan),
                    outerSockets.map(it -> OptionalInt.of(it.mtu())).orElse(OptionalInt.empty()),
                    names);
            try {
                NamespacePlan plan = tunnel.start();
                logRemarks(plan);
                ResolverFiles files = new ResolverFiles(plan.resolvers(), plan.searchDomains());
                PrivateDirectory.write(namespace.resolvConf(), files.resolvConf());
                PrivateDirectory.write(namespace.nsswitchConf(), ResolverFiles.nsswitchConf());
                try (servers;
                        ControlSocket controlSocket = ControlSocket.listen(
                                namespace.controlSocket(),
                                pendingRequest -> events.add(new Event.Requested(pendingRequest)))) {
                    ProcessTracker processes = new ProcessTracker(
                            environment.root().resolve("proc"),
                            networkNamespace.identity(),
                            pid -> events.add(new Event.ProgramExited(pid)));
                    firstProgram.ifPresent(processes::track);
                    onReady.run();
                    log.info("netns: " + namespace.name() + " is up");
                    ControlRequestHandler requests = new ControlRequestHandler(
                            namespace, request, outerSockets.isPresent(), plan, tunnel, processes, persistent);
                    manage(new ManagedNamespace(tunnel, servers, requests));
                    controlSocket.close();
                }
            } finally {
                tunnel.stop();
                networkNamespace.unmount();
                namespace.deleteFiles();
            }
            log.info("netns: " + namespace.name() + " is down");
        } catch (CancellationException e) {
            log.info("netns: " + namespace.name() + " is not created: " + e.getMessage());
        } catch (IOException e) {
            throw new ProblemException(Problem.failure(
                    Location.machine(namespace.name()), "namespace daemon failed: " + e.getMessage(), ""));
        }
    }

    private void manage(ManagedNamespace managed) throws InterruptedException {
        try (Reconciler<Event> reconciler = new Reconciler<>(
                log, environment.monotonicClock(), events, Duration.ZERO, "netns: recovered", managed)) {
            reconciler.watch(
                    List.of(() -> ChangeWatcher.Source.of(managed.tunnel.watchNetwork())), new Event.NetworkChanged());
            reconciler.run();
        }
    }

    /** The running namespace. There is no leak while it differs from its plan, as nothing else leads out of it. */
    private final class ManagedNamespace implements Reconciler.Target<Event> {

        private final ConfinedTunnel tunnel;
        private final ServerAddresses servers;
        private final ControlRequestHandler requests;
        private LastReceived lastReceived;
        private Instant nextServerCheck;

        ManagedNamespace(ConfinedTunnel tunnel, ServerAddresses servers, ControlRequestHandler requests) {
            this.tunnel = tunnel;
            this.servers = servers;
            this.requests = requests;
            this.lastReceived = LastReceived.initial(now());
            this.nextServerCheck = now().plus(WireGuardTimers.RESPONSE_TIMEOUT);
        }

        @Override
        public Response handle(Event event) {
            return switch (event) {
                case Event.NetworkChanged() -> Response.RECONCILE;
                case Event.NamesResolved(ResolvedNames names) -> {
                    tunnel.updateEndpoints(names);
                    yield Response.NOTHING;
                }
                case Event.StopSignal(String signal) -> {
                    log.info("netns: received " + signal + ", deleting " + namespace.name());
                    yield Response.STOP;
                }
                case Event.ProgramExited(long pid) -> requests.programExited(pid) ? Response.STOP : Response.NOTHING;
                case Event.Requested(ControlSocket.PendingRequest pendingRequest) ->
                    requests.handle(pendingRequest) ? Response.STOP : Response.NOTHING;
            };
        }

        @Override
        public void reconcile() {
            if (tunnel.restore()) {
                log.warn("netns: reverted external changes in " + namespace.name());
            }
        }

        @Override
        public Instant check() {
            if (outerSockets.isPresent()) {
                return now().plus(Reconciler.NO_DEADLINE);
            }
            if (!now().isBefore(nextServerCheck)) {
                nextServerCheck = now().plus(WireGuardTimers.RESPONSE_TIMEOUT);
                tunnel.readDevice().ifPresent(this::checkServers);
            }
            return nextServerCheck;
        }

        /** Servers that do not respond may have new addresses, or may respond at their configured endpoints again. */
        private void checkServers(DeviceState state) {
            lastReceived = lastReceived.updated(state, now());
            if (lastReceived.isOverdue(state, now())) {
                servers.checkNow();
                tunnel.resetEndpoints();
            }
        }

        private Instant now() {
            return environment.monotonicClock().instant();
        }
    }

    private void logRemarks(NamespacePlan plan) {
        log.problems(plan.remarks());
        if (plan.resolvers().isEmpty()) {
            log.problems(List.of(Problem.warning(
                    Location.file(request.config()),
                    "no DNS server is reachable through the tunnel, so programs cannot resolve names",
                    "add DNS = with an address that AllowedIPs covers")));
        }
        if (plan.device().peers().stream().noneMatch(peer -> peer.endpoint().isPresent())) {
            log.problems(List.of(Problem.note(
                    Location.file(request.config()),
                    "no peer has an Endpoint: the tunnel works only once a peer has connected")));
        }
    }

    /** Deletes what a killed daemon left behind, if no programs are in the namespace. */
    static void cleanUp(ConfinedNamespace namespace) throws IOException {
        try (MachineLock _ = MachineLock.await(namespace.daemonLock())) {
            WireGuardDevices.withDefaults(Ownership.ALIAS).removeMoved(namespace.outerLinkName());
            namespace.namespace().unmount();
            namespace.deleteFiles();
        }
    }
}
