package io.culvert.node;

import io.culvert.device.DeviceState;
import io.culvert.device.WireGuardDevice;
import io.culvert.mesh.NodeFile;
import io.culvert.migration.Migration;
import io.culvert.network.MainTable;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.StopSignals;
import io.culvert.run.Journal;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.run.Turn;
import io.culvert.run.Watch;
import io.culvert.status.StatusSocket;
import io.culvert.topology.MeshInterface;
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
 * each device ({@link Migration}).
 */
final class NodeWatch {

    private static final Duration FOREVER = Duration.ofDays(1);

    /** The interval of retries after an error, when no event causes one. */
    private static final Duration RETRY = Duration.ofSeconds(2);

    /** Changes of a file or of the network usually come in groups; this collects them. */
    private static final Duration MORE_TO_COME = Duration.ofMillis(100);

    private enum Event {
        STOP,
        MACHINE,
        FILE,
        NAMES
    }

    private final Surroundings around;
    private final Journal journal;
    private final String node;
    private final Path file;
    private final Devices devices;
    private final Places places = new Places();
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Map<String, Migration> migrations = new ConcurrentSkipListMap<>();
    private final DirectNetworks direct;
    private Optional<String> trouble = Optional.empty();
    private Optional<MainTable> main = Optional.empty();
    private volatile NodeState state;

    /** Reads the network file. */
    NodeWatch(Surroundings around, String node, Path file, Devices devices) {
        this.around = around;
        this.journal = around.journal();
        this.node = node;
        this.file = file;
        this.devices = devices;
        this.direct = new DirectNetworks(journal);
        this.state = read();
    }

    void run() throws InterruptedException {
        try (StopSignals _ = StopSignals.deliverTo(_ -> events.add(Event.STOP));
                Kernel kernel = Kernel.open(around);
                Watch watch = Watch.start(journal, kernel, () -> events.add(Event.MACHINE))) {
            places.lookUp(interfaces())
                    .forEach(name -> journal.warn("mesh: " + name + " does not resolve yet, retrying"));
            NodeChange change = NodeState.change(kernel, around, node, devices);
            Turn.take(around, () -> state.raise(kernel, change, now(), Optional.of(journal), direct));
            main = Optional.of(kernel.machine().main());
            try (FileWatch _ = FileWatch.start(file, () -> events.add(Event.FILE));
                    AutoCloseable _ = answer()) {
                follow();
                journal.info("mesh: " + node + " is up (managed)");
                loop(kernel, change, watch);
            } catch (IOException e) {
                journal.warn("mesh: cannot create the status socket: " + e.getMessage());
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
        List<Problem> remarks = new ArrayList<>();
        NodeFile read = NodeFile.read(file, node, remarks);
        journal.problems(remarks);
        return new NodeState(read, places, devices);
    }

    private List<MeshInterface> interfaces() {
        return state.file().view().interfaces();
    }

    private AutoCloseable answer() throws IOException {
        return StatusSocket.serveJson(
                NodeStatus.socket(around, node), () -> NodeStatus.answer(state.names(), migrations));
    }

    private void loop(Kernel kernel, NodeChange change, Watch watch) throws InterruptedException {
        Instant names = nextLookUp();
        while (true) {
            Duration wait = trouble.isPresent() || watch.isDeaf() ? RETRY : Duration.between(now(), names);
            Set<Event> come = await(wait);
            if (come.contains(Event.STOP)) {
                return;
            }
            if (come.isEmpty()) {
                watch.mend();
            }
            if (come.contains(Event.FILE)) {
                reload();
            }
            if (!now().isBefore(names)) {
                lookUpNames();
                names = nextLookUp();
            }
            settle(kernel, change);
        }
    }

    /** Waits for an event, and collects the events that follow within a moment. */
    private Set<Event> await(Duration atMost) throws InterruptedException {
        Set<Event> come = EnumSet.noneOf(Event.class);
        Event first = events.poll(Math.max(0, atMost.toMillis()), TimeUnit.MILLISECONDS);
        while (first != null) {
            come.add(first);
            first = first == Event.STOP ? null : events.poll(MORE_TO_COME.toMillis(), TimeUnit.MILLISECONDS);
        }
        return come;
    }

    /** Reads the changed file. An invalid file changes nothing; its errors are logged once. */
    private void reload() {
        try {
            NodeState now = read();
            if (!now.file().equals(state.file())) {
                state = now;
                places.lookUp(interfaces());
                journal.info("mesh: " + file + " has changed");
            }
            trouble = Optional.empty();
        } catch (ProblemException e) {
            complain(e);
        }
    }

    private void lookUpNames() {
        Thread.ofPlatform().daemon().name("names").start(() -> {
            places.lookUp(interfaces());
            events.add(Event.NAMES);
        });
    }

    private Instant nextLookUp() {
        return now().plus(places.next(interfaces()).orElse(FOREVER));
    }

    private void settle(Kernel kernel, NodeChange change) {
        try {
            Turn.take(
                    around,
                    () -> state.raise(kernel, change, now(), Optional.empty(), direct)
                            .forEach(line -> journal.info("mesh: applied: " + line)));
            follow();
            announce(kernel);
            trouble.ifPresent(_ -> journal.info("mesh: recovered"));
            trouble = Optional.empty();
        } catch (RuntimeException e) {
            complain(e);
        }
    }

    /** Announces changed addresses of this machine to the peers. */
    private void announce(Kernel kernel) {
        Optional<MainTable> now = Optional.of(kernel.machine().main());
        if (!main.equals(now)) {
            interfaces().forEach(mesh -> devices.of(mesh.device()).announce(now().minus(WireGuardDevice.SESSION)));
        }
        main = now;
    }

    private void complain(RuntimeException e) {
        Optional<String> what = Optional.of(String.valueOf(e.getMessage()));
        if (!trouble.equals(what)) {
            journal.failure(e);
        }
        trouble = what;
    }

    /** Starts and stops endpoint selection for the devices of the current file. */
    private void follow() {
        List<String> now = interfaces().stream().map(MeshInterface::device).toList();
        migrations.entrySet().removeIf(entry -> {
            boolean gone = !now.contains(entry.getKey());
            if (gone) {
                entry.getValue().close();
            }
            return gone;
        });
        for (String link : now) {
            migrations.computeIfAbsent(link, this::migration).follow(state.moving(link));
        }
    }

    private Migration migration(String link) {
        long mark = devices.read(link).map(DeviceState::mark).orElse(0L);
        return Migration.start(
                devices.of(link), mark, around.clock(), line -> journal.info("mesh: " + link + ": " + line));
    }

    private void stop(Kernel kernel, NodeChange change) {
        migrations.values().forEach(Migration::close);
        migrations.clear();
        Turn.take(around, () -> change.lower(kernel.network().observe()));
        journal.info("mesh: " + node + " is down");
    }

    private Instant now() {
        return around.clock().instant();
    }
}
