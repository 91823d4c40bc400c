// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.mesh.MeshNodeFile;
import io.culvert.networkfile.NodeInterface;
import io.culvert.process.StopSignals;
import io.culvert.roaming.EndpointSelection;
import io.culvert.rtnl.MainTable;
import io.culvert.runtime.ChangeWatcher;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.runtime.MachineLock;
import io.culvert.status.StatusSocket;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.WireGuardDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Manages a node according to its network file. One thread handles all events; only endpoint selection has a thread for
 * each device ({@link EndpointSelection}).
 */
final class NodeWatch {

    private static final Duration NO_REFRESH = Duration.ofDays(1);

    /** The interval of retries after an error, when no event causes one. */
    private static final Duration RETRY_INTERVAL = Duration.ofSeconds(2);

    /** Changes of a file or of the network usually come in groups; this collects them. */
    private static final Duration COALESCE_TIME = Duration.ofMillis(100);

    private enum Event {
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
    private final EndpointResolver resolver = new EndpointResolver();
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Map<String, EndpointSelection> endpointSelections = new ConcurrentSkipListMap<>();
    private final DirectNetworks direct;
    private Optional<String> knownError = Optional.empty();
    private Optional<MainTable> mainTable = Optional.empty();
    private volatile NodeState state;

    /** Reads the network file. */
    NodeWatch(Environment environment, String node, Path file, NodeDevices devices) {
        this.environment = environment;
        this.log = environment.log();
        this.node = node;
        this.file = file;
        this.devices = devices;
        this.direct = new DirectNetworks(log);
        this.state = read();
    }

    void run() throws InterruptedException {
        try (StopSignals _ = StopSignals.deliverTo(_ -> events.add(Event.STOP));
                KernelConnections kernel = KernelConnections.open(environment);
                ChangeWatcher watch = ChangeWatcher.start(log, kernel, () -> events.add(Event.MACHINE))) {
            resolver.resolve(interfaces())
                    .forEach(name -> log.warn("mesh: " + name + " does not resolve yet, retrying"));
            NodeChange change = NodeState.change(kernel, environment, node, devices);
            MachineLock.runLocked(environment, () -> state.apply(kernel, change, now(), Optional.of(log), direct));
            mainTable = Optional.of(kernel.machine().main());
            try (FileWatch _ = FileWatch.start(file, () -> events.add(Event.FILE));
                    AutoCloseable _ = serveStatus()) {
                updateEndpointSelections();
                log.info("mesh: " + node + " is up (managed)");
                loop(kernel, change, watch);
            } catch (IOException e) {
                log.warn("mesh: cannot create the status socket: " + e.getMessage());
            } finally {
                stop(kernel, change);
            }
        } catch (InterruptedException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private NodeState read() {
        List<Problem> warnings = new ArrayList<>();
        MeshNodeFile networkFile = MeshNodeFile.read(file, node, warnings);
        log.problems(warnings);
        return new NodeState(networkFile, resolver, devices);
    }

    private List<NodeInterface> interfaces() {
        return state.file().view().interfaces();
    }

    private AutoCloseable serveStatus() throws IOException {
        return StatusSocket.serveJson(
                MeshNodeStatus.socket(environment, node),
                () -> MeshNodeStatus.report(state.names(), endpointSelections));
    }

    private void loop(KernelConnections kernel, NodeChange change, ChangeWatcher watch) throws InterruptedException {
        Instant resolveAt = nextResolution();
        while (true) {
            Duration wait =
                    knownError.isPresent() || watch.hasFailed() ? RETRY_INTERVAL : Duration.between(now(), resolveAt);
            Set<Event> received = await(wait);
            if (received.contains(Event.STOP)) {
                return;
            }
            if (received.isEmpty()) {
                watch.reopenFailed();
            }
            if (received.contains(Event.FILE)) {
                reload();
            }
            if (!now().isBefore(resolveAt)) {
                resolveNames();
                resolveAt = nextResolution();
            }
            apply(kernel, change);
        }
    }

    /** Waits for an event, and collects the events that follow within a moment. */
    private Set<Event> await(Duration atMost) throws InterruptedException {
        Set<Event> received = EnumSet.noneOf(Event.class);
        Event first = events.poll(Math.max(0, atMost.toMillis()), TimeUnit.MILLISECONDS);
        while (first != null) {
            received.add(first);
            first = first == Event.STOP ? null : events.poll(COALESCE_TIME.toMillis(), TimeUnit.MILLISECONDS);
        }
        return received;
    }

    /** Reads the changed file. An invalid file changes nothing; its errors are logged once. */
    private void reload() {
        try {
            NodeState newState = read();
            if (!newState.file().equals(state.file())) {
                state = newState;
                resolver.resolve(interfaces());
                log.info("mesh: " + file + " has changed");
            }
            knownError = Optional.empty();
        } catch (ProblemException e) {
            logOnce(e);
        }
    }

    private void resolveNames() {
        Thread.ofPlatform().daemon().name("names").start(() -> {
            resolver.resolve(interfaces());
            events.add(Event.NAMES);
        });
    }

    private Instant nextResolution() {
        return now().plus(resolver.refreshInterval(interfaces()).orElse(NO_REFRESH));
    }

    private void apply(KernelConnections kernel, NodeChange change) {
        try {
            MachineLock.runLocked(
                    environment,
                    () -> state.apply(kernel, change, now(), Optional.empty(), direct)
                            .forEach(line -> log.info("mesh: applied: " + line)));
            updateEndpointSelections();
            announceNewAddresses(kernel);
            knownError.ifPresent(_ -> log.info("mesh: recovered"));
            knownError = Optional.empty();
        } catch (RuntimeException e) {
            logOnce(e);
        }
    }

    /** Announces changed addresses of this machine to the peers. */
    private void announceNewAddresses(KernelConnections kernel) {
        Optional<MainTable> now = Optional.of(kernel.machine().main());
        if (!mainTable.equals(now)) {
            interfaces()
                    .forEach(mesh -> devices.device(mesh.device())
                            .announceNewAddresses(now().minus(WireGuardDevice.SESSION_LIFETIME)));
        }
        mainTable = now;
    }

    private void logOnce(RuntimeException e) {
        Optional<String> message = Optional.of(String.valueOf(e.getMessage()));
        if (!knownError.equals(message)) {
            log.failure(e);
        }
        knownError = message;
    }

    /** Starts and stops endpoint selection for the devices of the current file. */
    private void updateEndpointSelections() {
        List<String> links = interfaces().stream().map(NodeInterface::device).toList();
        endpointSelections.entrySet().removeIf(entry -> {
            boolean isGone = !links.contains(entry.getKey());
            if (isGone) {
                entry.getValue().close();
            }
            return isGone;
        });
        for (String link : links) {
            endpointSelections
                    .computeIfAbsent(link, this::startEndpointSelection)
                    .setPeers(state.roamingPeers(link));
        }
    }

    private EndpointSelection startEndpointSelection(String link) {
        long mark = devices.read(link).map(DeviceState::mark).orElse(0L);
        return EndpointSelection.start(
                devices.device(link), mark, environment.clock(), line -> log.info("mesh: " + link + ": " + line));
    }

    private void stop(KernelConnections kernel, NodeChange change) {
        endpointSelections.values().forEach(EndpointSelection::close);
        endpointSelections.clear();
        MachineLock.runLocked(environment, () -> change.remove(kernel.network().observe()));
        log.info("mesh: " + node + " is down");
    }

    private Instant now() {
        return environment.clock().instant();
    }
}
