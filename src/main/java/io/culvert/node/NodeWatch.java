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
 * Keeps a node as its file says. One thread does all of it, whatever happens; only the peers' places are each device's own
 * affair ({@link Migration}).
 */
final class NodeWatch {

    private static final Duration FOREVER = Duration.ofDays(1);

    /** When something could not be put right, and nothing happens that would be a reason to try again. */
    private static final Duration RETRY = Duration.ofSeconds(2);

    /** A change of a file, or of a network, is seldom one alone. */
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

    /** Reads the file. */
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
            places.lookUp(interfaces()).forEach(name -> journal.warn(name + " does not resolve yet"));
            NodeChange change = NodeState.change(kernel, around, node, devices);
            Turn.take(around, () -> state.raise(kernel, change, now(), Optional.of(journal), direct));
            main = Optional.of(kernel.machine().main());
            try (FileWatch _ = FileWatch.start(file, () -> events.add(Event.FILE));
                    AutoCloseable _ = answer()) {
                follow();
                journal.info(node + " is up, and kept so");
                loop(kernel, change, watch);
            } catch (IOException e) {
                journal.warn("the status socket cannot be made: " + e.getMessage());
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

    /** All that has come within a moment of the first. */
    private Set<Event> await(Duration atMost) throws InterruptedException {
        Set<Event> come = EnumSet.noneOf(Event.class);
        Event first = events.poll(Math.max(0, atMost.toMillis()), TimeUnit.MILLISECONDS);
        while (first != null) {
            come.add(first);
            first = first == Event.STOP ? null : events.poll(MORE_TO_COME.toMillis(), TimeUnit.MILLISECONDS);
        }
        return come;
    }

    /** A file that is wrong changes nothing; what is wrong with it is told once. */
    private void reload() {
        try {
            NodeState now = read();
            if (!now.file().equals(state.file())) {
                state = now;
                places.lookUp(interfaces());
                journal.info(file + " has changed");
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
                            .forEach(line -> journal.info("put right: " + line)));
            follow();
            announce(kernel);
            trouble.ifPresent(_ -> journal.info("all is as the file says again"));
            trouble = Optional.empty();
        } catch (RuntimeException e) {
            complain(e);
        }
    }

    /** Peers are to learn of the machine's other addresses. */
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

    /** Lets each device's peers be kept where they are best found. */
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
        return Migration.start(devices.of(link), mark, around.clock(), line -> journal.info(link + ": " + line));
    }

    private void stop(Kernel kernel, NodeChange change) {
        migrations.values().forEach(Migration::close);
        migrations.clear();
        Turn.take(around, () -> change.lower(kernel.network().observe()));
        journal.info(node + " is down");
    }

    private Instant now() {
        return around.clock().instant();
    }
}
