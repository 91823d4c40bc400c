// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import io.culvert.roaming.PeerStatus.State;
import io.culvert.timing.BackOff;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Selects the endpoint of one peer among its candidates. It only decides; {@link EndpointProber} runs the steps. The
 * time is passed with each call.
 *
 * <p>A candidate on a connected network is probed as soon as a host there responds for its address (ARP, neighbour
 * discovery). A candidate behind a router is probed only if the current endpoint is lost, or occasionally while there
 * is little traffic. A peer that roams to an endpoint that is not in the file keeps it while it responds, unless a
 * candidate on a connected network responds too.
 */
final class EndpointPolicy {

    /** The result of a step. */
    enum ProbeResult {
        /** The peer's tunnel address answered an echo request through the endpoint in question. */
        ECHO,
        /** The peer sent a packet from the endpoint in question. */
        PACKET,
        NONE
    }

    /** An endpoint in use for longer than this is stable, so its earlier failures no longer count. */
    private static final Duration STABLE_AFTER = Duration.ofMinutes(5);

    /**
     * The minimum time between probes of candidates behind routers, each of which may interrupt traffic for a second.
     */
    private static final Duration ROUTED_PROBE_INTERVAL = Duration.ofMinutes(5);

    /** The delays between rounds of probes of all candidates while the endpoint is lost. */
    private static final BackOff ROUNDS = new BackOff(Duration.ofSeconds(5), Duration.ofSeconds(80));

    private List<InetSocketAddress> candidates = List.of();
    private final Map<InetSocketAddress, ProbeHistory> histories = new HashMap<>();
    private final ReceiveTimeout timeout = new ReceiveTimeout();
    private Optional<InetSocketAddress> current = Optional.empty();
    private Optional<Instant> currentSince = Optional.empty();
    private boolean wasOnLink;
    private boolean selectedLocally;
    private boolean checkPending;
    private boolean lost;
    private int probedInRound;
    private int failedRounds;
    private Instant nextRound = Instant.MIN;
    private int changes;
    private int failedProbes;

    /**
     * Sets the endpoint candidates.
     *
     * @param newCandidates in order of preference; they may change, as when a name resolves to another address
     */
    EndpointPolicy setCandidates(List<InetSocketAddress> newCandidates) {
        candidates = List.copyOf(newCandidates);
        histories.keySet().retainAll(newCandidates);
        return this;
    }

    /** Returns the initial endpoint: a candidate on a connected network, else the first one behind a router. */
    static Optional<InetSocketAddress> initialEndpoint(
            List<InetSocketAddress> candidates, Function<InetSocketAddress, Path> paths) {
        return candidates.stream()
                .filter(candidate -> paths.apply(candidate).isOnLink())
                .findFirst()
                .or(() -> routedCandidates(candidates, paths).findFirst())
                .or(() -> candidates.stream().findFirst());
    }

    /** Returns the next step; its result must be passed to {@link #recordResult} before the next call. */
    Optional<SelectionStep> nextStep(PeerState peer, Function<InetSocketAddress, Path> paths, Instant now) {
        update(peer, paths, now);
        if (current.isEmpty()) {
            return initialEndpoint(candidates, paths).map(SelectionStep.SwitchTo::new);
        }
        if (candidates.isEmpty()) {
            return Optional.empty();
        }
        Path currentPath = paths.apply(current.get());
        if (wasOnLink ? !currentPath.isOnConnectedNetwork() : currentPath.reach() == Path.Reach.NONE) {
            Optional<InetSocketAddress> replacement = replacement(paths, now);
            if (replacement.isPresent()) {
                return replacement.map(SelectionStep.SwitchTo::new);
            }
        }
        if (lost) {
            return probeWhileLost(paths, now);
        }
        if (checkPending || timeout.isExpired(now)) {
            return Optional.of(new SelectionStep.ProbeCurrent());
        }
        return preferredCandidate(currentPath, paths, now).map(SelectionStep.ProbeCandidate::new);
    }

    /** Records the result of a step. */
    void recordResult(SelectionStep step, ProbeResult result, Function<InetSocketAddress, Path> paths, Instant now) {
        boolean responded = result != ProbeResult.NONE;
        if (responded) {
            timeout.recordResponse(result == ProbeResult.ECHO);
            markResponsive();
        }
        switch (step) {
            case SelectionStep.ProbeCurrent() -> {
                checkPending = false;
                if (!responded) {
                    lost = true;
                    probedInRound = 0;
                    nextRound = now;
                }
            }
            case SelectionStep.ProbeCandidate(InetSocketAddress to)
            when responded -> {
                changes++;
                if (lost) {
                    recordLoss(now);
                }
                setCurrent(to, paths, now);
                selectedLocally = true;
            }
            case SelectionStep.ProbeCandidate(InetSocketAddress to) -> {
                failedProbes++;
                recordFailure(to, paths, now);
            }
            case SelectionStep.SwitchTo(InetSocketAddress to) -> {
                changes += current.isPresent() ? 1 : 0;
                boolean needsCheck = current.isPresent() && !lost;
                recordLoss(now);
                setCurrent(to, paths, now);
                checkPending = needsCheck;
            }
        }
    }

    PeerStatus status() {
        int rank = current.map(it -> candidates.indexOf(it) + 1).orElse(0);
        State state = current.isEmpty()
                ? State.AWAITED
                : lost ? State.LOST : rank == 0 ? State.ROAMED : rank == 1 ? State.PREFERRED : State.FALLBACK;
        return new PeerStatus(state, current, rank, candidates.size(), currentSince, changes, failedProbes);
    }

    boolean isLost() {
        return lost;
    }

    /** Returns whether a step may be due soon without an event. */
    boolean isUnsettled() {
        return checkPending || timeout.isRunning();
    }

    /** Updates from the current state of the peer, which may have roamed. */
    private void update(PeerState peer, Function<InetSocketAddress, Path> paths, Instant now) {
        if (timeout.hasReceivedSince(peer)) {
            markResponsive();
        }
        timeout.update(peer, now);
        if (!peer.endpoint().equals(current)) {
            if (peer.endpoint().isPresent()) {
                yieldTo(peer.endpoint().get(), paths, now);
                setCurrent(peer.endpoint().get(), paths, now);
            } else {
                current = Optional.empty();
            }
        } else if (current.isPresent() && paths.apply(current.get()).isOnLink()) {
            wasOnLink = true;
        }
    }

    /**
     * Accepts the endpoint that the peer selected, where both sides prefer different connected networks: the side that
     * changed first yields.
     */
    private void yieldTo(InetSocketAddress candidate, Function<InetSocketAddress, Path> paths, Instant now) {
        if (selectedLocally && paths.apply(candidate).isOnLink()) {
            current.ifPresent(previous -> recordFailure(previous, paths, now));
        }
        selectedLocally = false;
    }

    private void recordFailure(InetSocketAddress candidate, Function<InetSocketAddress, Path> paths, Instant now) {
        histories.put(
                candidate,
                histories.getOrDefault(candidate, ProbeHistory.NONE).afterFailure(paths.apply(candidate), now));
    }

    private void markResponsive() {
        lost = false;
        checkPending = false;
        failedRounds = 0;
    }

    private void setCurrent(InetSocketAddress candidate, Function<InetSocketAddress, Path> paths, Instant now) {
        current = Optional.of(candidate);
        currentSince = Optional.of(now);
        checkPending = false;
        wasOnLink = paths.apply(candidate).isOnLink();
    }

    private void recordLoss(Instant now) {
        boolean wasStable =
                currentSince.filter(it -> now.isAfter(it.plus(STABLE_AFTER))).isPresent();
        current.filter(candidates::contains)
                .ifPresent(candidate -> histories.put(
                        candidate,
                        (wasStable ? ProbeHistory.NONE : histories.getOrDefault(candidate, ProbeHistory.NONE))
                                .afterLoss(now)));
    }

    /** Returns a candidate to use at once, without a probe. */
    private Optional<InetSocketAddress> replacement(Function<InetSocketAddress, Path> paths, Instant now) {
        return otherCandidates()
                .filter(candidate -> paths.apply(candidate).isOnLink() && mayProbe(candidate, paths, now))
                .findFirst()
                .or(() -> routedCandidates(otherCandidates().toList(), paths).findFirst());
    }

    /** Probes all other candidates in turn, then uses one reachable from anywhere, and repeats after a while. */
    private Optional<SelectionStep> probeWhileLost(Function<InetSocketAddress, Path> paths, Instant now) {
        if (now.isBefore(nextRound)) {
            return Optional.empty();
        }
        List<InetSocketAddress> reachable = otherCandidates()
                .filter(candidate -> paths.apply(candidate).isOnLink()
                        || paths.apply(candidate).reach() == Path.Reach.ROUTED)
                .toList();
        if (probedInRound < reachable.size()) {
            return Optional.of(new SelectionStep.ProbeCandidate(reachable.get(probedInRound++)));
        }
        probedInRound = 0;
        nextRound = now.plus(ROUNDS.afterFailures(++failedRounds));
        Optional<InetSocketAddress> routed = routedCandidates(candidates, paths).findFirst();
        return current.filter(
                        it -> routedCandidates(List.of(it), paths).findAny().isEmpty())
                .flatMap(_ -> routed)
                .map(SelectionStep.SwitchTo::new);
    }

    private Optional<InetSocketAddress> preferredCandidate(
            Path currentPath, Function<InetSocketAddress, Path> paths, Instant now) {
        int rank = current.map(candidates::indexOf).orElse(-1);
        List<InetSocketAddress> preferred = rank < 0 ? candidates : candidates.subList(0, rank);
        Optional<InetSocketAddress> onLink = preferred.stream()
                .filter(candidate -> paths.apply(candidate).isOnLink() && mayProbe(candidate, paths, now))
                .findFirst();
        boolean mayProbeRouted = rank > 0
                && !currentPath.isOnLink()
                && timeout.isQuiet()
                && currentSince
                        .filter(it -> now.isAfter(it.plus(ROUTED_PROBE_INTERVAL)))
                        .isPresent();
        return onLink.or(() -> mayProbeRouted
                ? routedCandidates(preferred, paths)
                        .filter(candidate -> mayProbe(candidate, paths, now))
                        .findFirst()
                : Optional.empty());
    }

    private boolean mayProbe(InetSocketAddress candidate, Function<InetSocketAddress, Path> paths, Instant now) {
        return histories.getOrDefault(candidate, ProbeHistory.NONE).mayProbe(paths.apply(candidate), now);
    }

    private Stream<InetSocketAddress> otherCandidates() {
        return candidates.stream().filter(candidate -> !current.equals(Optional.of(candidate)));
    }

    /** Returns candidates behind a router, without private addresses, which another network's router would misroute. */
    private static Stream<InetSocketAddress> routedCandidates(
            List<InetSocketAddress> candidates, Function<InetSocketAddress, Path> paths) {
        return candidates.stream()
                .filter(candidate ->
                        paths.apply(candidate).reach() == Path.Reach.ROUTED && !isPrivate(candidate.getAddress()));
    }

    /** Returns whether it is a private (RFC 1918, RFC 4193) or link-local address. */
    private static boolean isPrivate(InetAddress address) {
        return address.isSiteLocalAddress()
                || address.isLinkLocalAddress()
                || (address instanceof Inet6Address && (address.getAddress()[0] & 0xfe) == 0xfc);
    }
}
