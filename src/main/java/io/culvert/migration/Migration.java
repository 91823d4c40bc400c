package io.culvert.migration;

import io.culvert.device.DeviceState.PeerState;
import io.culvert.device.KeptDevice;
import io.culvert.ip.Endpoint;
import io.culvert.migration.Course.Answer;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.network.Neighbours;
import io.culvert.network.Neighbours.Neighbour;
import io.culvert.network.Paths;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.problem.ProblemException;
import io.culvert.wireguard.PublicKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Selects the endpoints of one device's peers. Its thread waits for the kernel's events about links, routes and
 * neighbours, and polls the device for what no event reports, such as a peer that roamed: soon after an event, rarely
 * otherwise.
 */
public final class Migration implements AutoCloseable {

    /** Exists for the duration of a probe; a process that is killed meanwhile may leave it behind. */
    public static final Table.Id TABLE = ClosedPlace.TABLE;

    private static final Duration FIRST_LOOK = Duration.ofMillis(250);
    private static final Duration LAST_LOOK = Duration.ofSeconds(4);

    /** The minimum time between two polls. */
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(50);

    /** The interval of neighbour solicitations where no event causes one. */
    private static final Duration ASKING = Duration.ofSeconds(20);

    private static final Duration FOREVER = Duration.ofDays(1);

    /** Longer than any probe. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final KeptDevice device;
    private final long mark;
    private final Clock clock;
    private final Consumer<String> tell;
    private final Instant started;
    private final long nanosAtStart = System.nanoTime();
    private final NetlinkSocket events;
    private final BlockingQueue<Runnable> errands = new LinkedBlockingQueue<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final Thread thread;
    private final Map<PublicKey, MovingPeer> peers = new LinkedHashMap<>();
    private final Map<PublicKey, Course> courses = new LinkedHashMap<>();
    private volatile Set<InetAddress> addresses = Set.of();
    private volatile Map<String, Standing> standings = Map.of();
    private Duration pace = FIRST_LOOK;
    private boolean ask = true;

    private Migration(KeptDevice device, long mark, Clock clock, Consumer<String> tell) {
        this.device = device;
        this.mark = mark;
        this.clock = clock;
        this.tell = tell;
        this.started = clock.instant();
        this.events = Neighbours.events();
        this.thread = Thread.ofPlatform().daemon().name("migration").unstarted(this::run);
    }

    /**
     * Starts endpoint selection in the calling thread's network namespace, without peers.
     *
     * @param mark of the device's packets; 0 for none
     * @param tell takes log lines about endpoint changes and failed probes, on another thread
     */
    public static Migration start(KeptDevice device, long mark, Clock clock, Consumer<String> tell) {
        Migration migration = new Migration(device, mark, clock, tell);
        Thread.ofPlatform().daemon().name("neighbours").start(migration::listen);
        migration.thread.start();
        return migration;
    }

    /** Returns the initial endpoint: a candidate on a connected network, else the first one behind a router. */
    public static Optional<InetSocketAddress> first(List<InetSocketAddress> places, Ways ways) {
        return Course.first(places, ways);
    }

    /** Replaces the peers whose endpoints are selected. */
    public void follow(List<MovingPeer> wanted) {
        errands.add(() -> take(wanted));
    }

    /** Returns the status of each peer by its name, as of the last poll. */
    public Map<String, Standing> standings() {
        return standings;
    }

    private void take(List<MovingPeer> wanted) {
        Map<PublicKey, MovingPeer> now = wanted.stream()
                .collect(Collectors.toMap(MovingPeer::key, Function.identity(), (a, _) -> a, LinkedHashMap::new));
        if (now.equals(peers)) {
            return;
        }
        peers.clear();
        peers.putAll(now);
        courses.keySet().retainAll(peers.keySet());
        peers.values()
                .forEach(peer ->
                        courses.computeIfAbsent(peer.key(), _ -> new Course()).follow(peer.places()));
        addresses = peers.values().stream()
                .flatMap(peer -> peer.places().stream())
                .map(InetSocketAddress::getAddress)
                .collect(Collectors.toUnmodifiableSet());
        ask = true;
        pace = FIRST_LOOK;
    }

    /** Polls after each change of links and routes, and after those changes of neighbours that concern candidates. */
    private void listen() {
        while (end.getCount() > 0) {
            events.receive(FOREVER).stream()
                    .map(event -> Neighbours.isAbout(event)
                            ? Neighbours.decode(event).filter(this::matters).<Runnable>map(_ -> () -> pace = FIRST_LOOK)
                            : Optional.<Runnable>of(() -> {
                                pace = FIRST_LOOK;
                                ask = true;
                            }))
                    .flatMap(Optional::stream)
                    .forEach(errands::add);
        }
        events.close();
    }

    private boolean matters(Neighbour neighbour) {
        return addresses.contains(neighbour.address()) && (neighbour.answers() || neighbour.failed());
    }

    private void run() {
        Optional<Nftables> nftables = nftables();
        try (NetlinkSocket route = KernelNetlinkSocket.route()) {
            Ways ways = new Ways(new Paths(route), new Neighbours(route), mark);
            Excursion excursion = new Excursion(device, new ClosedPlace(nftables), clock, end);
            Instant asked = Instant.MIN;
            while (await()) {
                try {
                    ways.refresh();
                    if (ask || asked.plus(ASKING).isBefore(now())) {
                        ask = false;
                        asked = now();
                        peers.values().forEach(peer -> ways.ask(peer.places()));
                    }
                    look(ways, excursion);
                } catch (RuntimeException e) {
                    // The next poll may succeed; ending here would leave the peers' endpoints unchanged for good.
                    tell.accept("endpoint selection failed, retrying: " + e.getMessage());
                }
            }
        } finally {
            nftables.ifPresent(Nftables::close);
        }
    }

    /** Returns nftables, without which endpoints are changed without dropping packets from previous ones. */
    private static Optional<Nftables> nftables() {
        try {
            return Optional.of(Nftables.open());
        } catch (ProblemException _) {
            return Optional.empty();
        }
    }

    /** Runs queued tasks until the next poll is due; returns false at the end. */
    private boolean await() {
        long now = System.nanoTime();
        long earliest = now + BETWEEN_LOOKS.toNanos();
        long deadline = now + (peers.isEmpty() ? FOREVER : pace).toNanos();
        pace = pace.multipliedBy(2).compareTo(LAST_LOOK) < 0 ? pace.multipliedBy(2) : LAST_LOOK;
        try {
            while (end.getCount() > 0) {
                Runnable errand = errands.poll(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                if (errand == null) {
                    return true;
                }
                errand.run();
                deadline = Math.min(deadline, earliest);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private void look(Ways ways, Excursion excursion) {
        Map<PublicKey, PeerState> states = device.read().stream()
                .flatMap(state -> state.peers().stream())
                .collect(Collectors.toMap(PeerState::publicKey, Function.identity()));
        Map<String, Standing> now = new LinkedHashMap<>();
        for (MovingPeer peer : peers.values()) {
            Course course = courses.get(peer.key());
            PeerState state = states.get(peer.key());
            if (course == null || state == null) {
                continue; // The device is being recreated.
            }
            try {
                go(peer, course, state, ways, excursion);
            } catch (ProblemException e) {
                tell.accept(peer.name() + ": " + e.getMessage());
            }
            if (course.isUnsettled() && pace.compareTo(Duration.ofSeconds(1)) > 0) {
                pace = Duration.ofSeconds(1);
            }
            now.put(peer.name(), course.standing());
        }
        standings = now;
    }

    private void go(MovingPeer peer, Course course, PeerState state, Ways ways, Excursion excursion) {
        Optional<Step> next = course.next(state, ways, now());
        if (next.isEmpty() || end.getCount() == 0) {
            return;
        }
        long begin = System.nanoTime();
        Answer answer = switch (next.get()) {
            case Step.Check() -> excursion.check(peer);
            case Step.Visit(InetSocketAddress to) -> excursion.visit(peer, to);
            case Step.Leave(InetSocketAddress to) -> {
                excursion.move(peer, to);
                yield Answer.NONE;
            }
        };
        boolean wasLost = course.isLost();
        boolean wasNowhere = state.endpoint().isEmpty();
        course.done(next.get(), answer, ways, now());
        long millis = (System.nanoTime() - begin) / 1_000_000;
        switch (next.get()) {
            case Step.Check()
            when answer == Answer.NONE ->
                tell.accept(peer.name() + ": no response from its endpoint, probing the other candidates");
            case Step.Check() -> {}
            case Step.Visit(InetSocketAddress to) when answer == Answer.NONE && wasLost -> {}
            case Step.Visit(InetSocketAddress to)
            when answer == Answer.NONE ->
                tell.accept(peer.name() + ": no response from " + text(to) + " within " + millis
                        + " ms, endpoint unchanged");
            case Step.Visit(InetSocketAddress to) -> tell.accept(peer.name() + ": endpoint changed to " + text(to));
            case Step.Leave(InetSocketAddress to)
            when wasNowhere -> tell.accept(peer.name() + ": endpoint set to " + text(to));
            case Step.Leave(InetSocketAddress to) ->
                tell.accept(peer.name() + ": endpoint changed to " + text(to) + " (the previous one is unreachable)");
        }
        pace = FIRST_LOOK;
    }

    private static String text(InetSocketAddress place) {
        return Endpoint.of(place).toString();
    }

    /** Returns a time that advances steadily even if the clock is set. */
    private Instant now() {
        return started.plusNanos(System.nanoTime() - nanosAtStart);
    }

    /** Stops. A running probe ends at once, and its peer's previous endpoint is restored. */
    @Override
    public void close() {
        end.countDown();
        errands.add(() -> {});
        events.wake();
        try {
            thread.join(PATIENCE);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
