// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.mesh.MeshNodeFile;
import io.culvert.networkfile.NodeInterface;
import io.culvert.process.ProgramSignals;
import io.culvert.reconcile.ChangeWatcher;
import io.culvert.reconcile.ErrorState;
import io.culvert.reconcile.EventQueue;
import io.culvert.reconcile.FileWatch;
import io.culvert.reconcile.Reconciler;
import io.culvert.roaming.EndpointSelector;
import io.culvert.rtnl.MainTable;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.runtime.MachineLock;
import io.culvert.status.StatusSocket;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.WireGuardTimers;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Manages a node according to its network file. One thread handles all events; only endpoint selection has a thread for
 * each device ({@link EndpointSelector}).
 */
final class NodeWatch implements Reconciler.Target<NodeWatch.Event> {

    /** Changes of a file or of the network usually come in groups; this collects them. */
    private static final Duration COALESCE_TIME = Duration.ofMillis(100);

    enum Event {
        STOP,
        MACHINE,
        FILE,
        NAMES
    }

    private final Environment environment;
    private final Log log;
    private final String node;
    private final Path file;
    private final NodeDevices devices;
    private final EndpointResolver resolver;
    private final EventQueue<Event> events;
    private final KernelConnections kernel;
    private final NodeConfigurator change;
    private final ErrorState fileError;
    private final Map<String, EndpointSelector> endpointSelectors = new ConcurrentSkipListMap<>();
    private final DirectNetworks direct;
    private Optional<MainTable> mainTable = Optional.empty();
    private volatile DesiredNode state;

    private NodeWatch(
            Environment environment,
            String node,
            Path file,
            NodeDevices devices,
            EventQueue<Event> events,
            DesiredNode state,
            KernelConnections kernel) {
        this.environment = environment;
        this.log = environment.log();
        this.node = node;
        this.file = file;
        this.devices = devices;
        this.events = events;
        this.resolver = state.resolver();
        this.kernel = kernel;
        this.change = DesiredNode.change(kernel, environment, node, devices);
        this.direct = new DirectNetworks(log);
        this.fileError = new ErrorState(log, "");
        this.state = state;
    }

    /** Reads the network file, configures the node and manages it until a stop is requested. */
    static void run(Environment environment, String node, Path file, NodeDevices devices) throws InterruptedException {
        EventQueue<Event> events = new EventQueue<>();
        try (EndpointResolver resolver = new EndpointResolver(() -> events.add(Event.NAMES))) {
            DesiredNode state = read(environment.log(), node, file, devices, resolver);
            try (KernelConnections kernel = KernelConnections.open(environment)) {
                new NodeWatch(environment, node, file, devices, events, state, kernel).run();
            }
        }
    }

    private void run() throws InterruptedException {
        try (ProgramSignals _ = ProgramSignals.onStop(_ -> events.add(Event.STOP));
                Reconciler<Event> reconciler = new Reconciler<>(
                        log, environment.monotonicClock(), events, COALESCE_TIME, "mesh: recovered", this)) {
            reconciler.watch(
                    ChangeWatcher.kernelEvents(
                            environment.system().netlink(), kernel.route().portId()),
                    Event.MACHINE);
            resolver.resolve(interfaces())
                    .forEach(name -> log.warn("mesh: " + name + " does not resolve yet, retrying"));
            MachineLock.runLocked(environment, () -> state.apply(kernel, change, now(), Optional.of(log), direct));
            mainTable = Optional.of(kernel.machine().main());
            try (FileWatch _ = FileWatch.start(
                            environment.system().inotify().get(), List.of(file), () -> events.add(Event.FILE));
                    AutoCloseable _ = serveStatus()) {
                updateEndpointSelectors();
                log.info("mesh: " + node + " is up (managed)");
                reconciler.run();
            } catch (IOException e) {
                log.warn("mesh: cannot create the status socket: " + e.getMessage());
            } finally {
                stop();
            }
        } catch (InterruptedException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static DesiredNode read(Log log, String node, Path file, NodeDevices devices, EndpointResolver resolver) {
        List<Problem> warnings = new ArrayList<>();
        MeshNodeFile networkFile = MeshNodeFile.read(file, node, warnings);
        log.problems(warnings);
        return new DesiredNode(networkFile, resolver, devices);
    }

    private List<NodeInterface> interfaces() {
        return state.file().view().interfaces();
    }

    private AutoCloseable serveStatus() throws IOException {
        return StatusSocket.serveJson(
                MeshNodeStatus.socket(environment, node),
                () -> MeshNodeStatus.report(state.names(), endpointSelectors));
    }

    @Override
    public Reconciler.Response handle(Event event) {
        return switch (event) {
            case STOP -> Reconciler.Response.STOP;
            case FILE -> {
                reload();
                yield Reconciler.Response.RECONCILE;
            }
            case MACHINE, NAMES -> Reconciler.Response.RECONCILE;
        };
    }

    @Override
    public Instant check() {
        return environment.monotonicClock().instant().plus(Reconciler.NO_DEADLINE);
    }

    /** Reads the changed file. An invalid file changes nothing; its errors are logged once. */
    private void reload() {
        try {
            DesiredNode newState = read(log, node, file, devices, resolver);
            if (!newState.file().equals(state.file())) {
                state = newState;
                resolver.resolve(interfaces());
                log.info("mesh: " + file + " has changed");
            }
            fileError.succeeded();
        } catch (ProblemException e) {
            fileError.failed(e);
        }
    }

    @Override
    public void reconcile() {
        MachineLock.runLocked(
                environment,
                () -> state.apply(kernel, change, now(), Optional.empty(), direct)
                        .forEach(line -> log.info("mesh: applied: " + line)));
        updateEndpointSelectors();
        announceNewAddresses();
    }

    /** Announces changed addresses of this machine to the peers. */
    private void announceNewAddresses() {
        Optional<MainTable> now = Optional.of(kernel.machine().main());
        if (!mainTable.equals(now)) {
            interfaces()
                    .forEach(mesh -> devices.device(mesh.device())
                            .announceNewAddresses(now().minus(WireGuardTimers.REJECT_AFTER_TIME)));
        }
        mainTable = now;
    }

    /** Starts and stops endpoint selection for the devices of the current file. */
    private void updateEndpointSelectors() {
        List<String> links = interfaces().stream().map(NodeInterface::device).toList();
        endpointSelectors.entrySet().removeIf(entry -> {
            boolean isGone = !links.contains(entry.getKey());
            if (isGone) {
                entry.getValue().close();
            }
            return isGone;
        });
        for (String link : links) {
            endpointSelectors.computeIfAbsent(link, this::startEndpointSelector).setPeers(state.roamingPeers(link));
        }
    }

    private EndpointSelector startEndpointSelector(String link) {
        long mark = devices.read(link).map(DeviceState::mark).orElse(0L);
        return EndpointSelector.start(
                devices.device(link), mark, environment.clock(), log.prefixed("mesh: " + link + ": "));
    }

    private void stop() {
        endpointSelectors.values().forEach(EndpointSelector::close);
        endpointSelectors.clear();
        MachineLock.runLocked(environment, () -> change.remove(kernel.network().observe()));
        log.info("mesh: " + node + " is down");
    }

    /** Returns the machine's time, as handshakes have it. */
    private Instant now() {
        return environment.clock().instant();
    }
}
