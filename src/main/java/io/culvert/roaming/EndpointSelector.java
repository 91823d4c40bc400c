// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.ProblemException;
import io.culvert.net.Endpoint;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.reconcile.EventQueue;
import io.culvert.reconcile.Reconciler;
import io.culvert.roaming.EndpointPolicy.ProbeResult;
import io.culvert.rtnl.Neighbours;
import io.culvert.rtnl.Neighbours.Neighbour;
import io.culvert.rtnl.RouteLookup;
import io.culvert.timing.BackOff;
import io.culvert.timing.MonotonicClock;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.ManagedDevice;
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
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Selects the endpoints of one device's peers. Its thread waits for the kernel's events about links, routes and
 * neighbours, and polls the device for what no event reports, such as a peer that roamed: soon after an event, rarely
 * otherwise.
 */
public final class EndpointSelector implements AutoCloseable {

    /** Exists for the duration of a probe; a process that is killed meanwhile may leave it behind. */
    public static final Table.Id TABLE = BlockedEndpoint.TABLE;

    /** The delays of polls after an event. */
    private static final BackOff POLLS = new BackOff(Duration.ofMillis(250), Duration.ofSeconds(4));

    /** The minimum time between two polls. */
    private static final Duration MIN_POLL_GAP = Duration.ofMillis(50);

    /** The interval of neighbour solicitations where no event causes one. */
    private static final Duration SOLICITATION_INTERVAL = Duration.ofSeconds(20);

    /** Longer than any probe. */
    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(10);

    private final ManagedDevice device;
    private final long mark;
    private final Clock clock;
    private final Log log;
    private final MonotonicClock monotonicClock = MonotonicClock.system();
    private final NetlinkSocket events;
    private final EventQueue<Runnable> tasks = new EventQueue<>();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread thread;
    private final Map<PublicKey, RoamingPeer> peers = new LinkedHashMap<>();
    private final Map<PublicKey, EndpointPolicy> policies = new LinkedHashMap<>();
    private volatile Set<InetAddress> addresses = Set.of();
    private volatile Map<String, PeerStatus> statuses = Map.of();
    private Duration pollDelay = POLLS.first();
    private boolean solicitationDue = true;
    private Instant solicitedAt = Instant.MIN;

    private EndpointSelector(ManagedDevice device, long mark, Clock clock, Log log) {
        this.device = device;
        this.mark = mark;
        this.clock = clock;
        this.log = log;
        this.events = Neighbours.events();
        this.thread = Thread.ofPlatform().daemon().name("endpoints").unstarted(this::run);
    }

    /**
     * Starts endpoint selection in the calling thread's network namespace, without peers.
     *
     * @param mark of the device's packets; 0 for none
     * @param log for endpoint changes and failed probes
     */
    public static EndpointSelector start(ManagedDevice device, long mark, Clock clock, Log log) {
        EndpointSelector selector = new EndpointSelector(device, mark, clock, log);
        Thread.ofPlatform().daemon().name("neighbours").start(selector::listen);
        selector.thread.start();
        return selector;
    }

    /** Returns the initial endpoint: a candidate on a connected network, else the first one behind a router. */
    public static Optional<InetSocketAddress> initialEndpoint(List<InetSocketAddress> candidates, PathLookup paths) {
        return EndpointPolicy.initialEndpoint(candidates, paths);
    }

    /** Replaces the peers whose endpoints are selected. */
    public void setPeers(List<RoamingPeer> newPeers) {
        tasks.add(() -> replacePeers(newPeers));
    }

    /** Returns the status of each peer by its name, as of the last poll. */
    public Map<String, PeerStatus> statuses() {
        return statuses;
    }

    private void replacePeers(List<RoamingPeer> newPeers) {
        Map<PublicKey, RoamingPeer> peersByKey = newPeers.stream()
                .collect(Collectors.toMap(RoamingPeer::key, Function.identity(), (a, _) -> a, LinkedHashMap::new));
        if (peersByKey.equals(peers)) {
            return;
        }
        peers.clear();
        peers.putAll(peersByKey);
        policies.keySet().retainAll(peers.keySet());
        peers.values()
                .forEach(peer -> policies.computeIfAbsent(peer.key(), _ -> new EndpointPolicy())
                        .setCandidates(peer.candidates()));
        addresses = peers.values().stream()
                .flatMap(peer -> peer.candidates().stream())
                .map(InetSocketAddress::getAddress)
                .collect(Collectors.toUnmodifiableSet());
        solicitationDue = true;
        pollDelay = POLLS.first();
    }

    /** Polls after each change of links and routes, and after those changes of neighbours that concern candidates. */
    private void listen() {
        while (stopped.getCount() > 0) {
            events.receive(Reconciler.NO_DEADLINE).stream()
                    .map(event -> Neighbours.isNeighbour(event)
                            ? Neighbours.decode(event)
                                    .filter(this::isCandidate)
                                    .<Runnable>map(_ -> () -> pollDelay = POLLS.first())
                            : Optional.<Runnable>of(() -> {
                                pollDelay = POLLS.first();
                                solicitationDue = true;
                            }))
                    .flatMap(Optional::stream)
                    .forEach(tasks::add);
        }
        events.close();
    }

    private boolean isCandidate(Neighbour neighbour) {
        return addresses.contains(neighbour.address()) && (neighbour.isReachable() || neighbour.hasFailed());
    }

    private void run() {
        Optional<Nftables> nftables = nftables();
        try (NetlinkSocket route = KernelNetlinkSocket.route()) {
            PathLookup paths = new PathLookup(new RouteLookup(route), new Neighbours(route), mark);
            EndpointProber prober = new EndpointProber(device, new BlockedEndpoint(nftables), clock, stopped);
            Reconciler.Target<Runnable> target = new Reconciler.Target<>() {

                @Override
                public Reconciler.Response handle(Runnable task) {
                    task.run();
                    return stopped.getCount() > 0 ? Reconciler.Response.NOTHING : Reconciler.Response.STOP;
                }

                @Override
                public Instant check() {
                    if (!peers.isEmpty()) {
                        update(paths, prober);
                    }
                    return nextPoll();
                }
            };
            try (Reconciler<Runnable> reconciler =
                    new Reconciler<>(log, monotonicClock, tasks, MIN_POLL_GAP, "", target)) {
                reconciler.run();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        } finally {
            nftables.ifPresent(Nftables::close);
        }
    }

    private void update(PathLookup paths, EndpointProber prober) {
        try {
            paths.refresh();
            if (solicitationDue || solicitedAt.plus(SOLICITATION_INTERVAL).isBefore(now())) {
                solicitationDue = false;
                solicitedAt = now();
                peers.values().forEach(peer -> paths.solicit(peer.candidates()));
            }
            poll(paths, prober);
        } catch (RuntimeException e) {
            // The next poll may succeed; ending here would leave the peers' endpoints unchanged for good.
            log.info("endpoint selection failed, retrying: " + e.getMessage());
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

    private Instant nextPoll() {
        Duration delay = peers.isEmpty() ? Reconciler.NO_DEADLINE : pollDelay;
        pollDelay = POLLS.next(pollDelay);
        return now().plus(delay);
    }

    private void poll(PathLookup paths, EndpointProber prober) {
        Map<PublicKey, PeerState> states = device.read().stream()
                .flatMap(state -> state.peers().stream())
                .collect(Collectors.toMap(PeerState::publicKey, Function.identity()));
        Map<String, PeerStatus> newStatuses = new LinkedHashMap<>();
        for (RoamingPeer peer : peers.values()) {
            EndpointPolicy policy = policies.get(peer.key());
            PeerState state = states.get(peer.key());
            if (policy == null || state == null) {
                continue; // The device is being recreated.
            }
            try {
                runStep(peer, policy, state, paths, prober);
            } catch (ProblemException e) {
                log.info(peer.name() + ": " + e.getMessage());
            }
            if (policy.isUnsettled() && pollDelay.compareTo(Duration.ofSeconds(1)) > 0) {
                pollDelay = Duration.ofSeconds(1);
            }
            newStatuses.put(peer.name(), policy.status());
        }
        statuses = newStatuses;
    }

    private void runStep(
            RoamingPeer peer, EndpointPolicy policy, PeerState state, PathLookup paths, EndpointProber prober) {
        Optional<SelectionStep> next = policy.nextStep(state, paths, now());
        if (next.isEmpty() || stopped.getCount() == 0) {
            return;
        }
        long startNanos = System.nanoTime();
        ProbeResult result = switch (next.get()) {
            case SelectionStep.ProbeCurrent() -> prober.probeCurrent(peer);
            case SelectionStep.ProbeCandidate(InetSocketAddress to) -> prober.probeCandidate(peer, to);
            case SelectionStep.SwitchTo(InetSocketAddress to) -> {
                prober.setEndpoint(peer, to);
                yield ProbeResult.NONE;
            }
        };
        boolean wasLost = policy.isLost();
        boolean hadNoEndpoint = state.endpoint().isEmpty();
        policy.recordResult(next.get(), result, paths, now());
        long millis = (System.nanoTime() - startNanos) / 1_000_000;
        switch (next.get()) {
            case SelectionStep.ProbeCurrent()
            when result == ProbeResult.NONE ->
                log.info(peer.name() + ": no response from its endpoint, probing the other candidates");
            case SelectionStep.ProbeCurrent() -> {}
            case SelectionStep.ProbeCandidate(InetSocketAddress to) when result == ProbeResult.NONE && wasLost -> {}
            case SelectionStep.ProbeCandidate(InetSocketAddress to)
            when result == ProbeResult.NONE ->
                log.info(peer.name() + ": no response from " + text(to) + " within " + millis
                        + " ms, endpoint unchanged");
            case SelectionStep.ProbeCandidate(InetSocketAddress to) ->
                log.info(peer.name() + ": endpoint changed to " + text(to));
            case SelectionStep.SwitchTo(InetSocketAddress to)
            when hadNoEndpoint -> log.info(peer.name() + ": endpoint set to " + text(to));
            case SelectionStep.SwitchTo(InetSocketAddress to) ->
                log.info(peer.name() + ": endpoint changed to " + text(to) + " (the previous one is unreachable)");
        }
        pollDelay = POLLS.first();
    }

    private static String text(InetSocketAddress endpoint) {
        return Endpoint.of(endpoint).toString();
    }

    private Instant now() {
        return monotonicClock.instant();
    }

    /** Stops. A running probe ends at once, and its peer's previous endpoint is restored. */
    @Override
    public void close() {
        stopped.countDown();
        tasks.add(() -> {});
        events.wake();
        try {
            thread.join(JOIN_TIMEOUT);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
