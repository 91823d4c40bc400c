package io.culvert.migration;

import io.culvert.device.DeviceState.PeerState;
import io.culvert.migration.Standing.State;
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
 * Selects the endpoint of one peer among its candidates. Only decides; {@link Excursion} carries out the steps. The
 * time is passed with each call.
 *
 * <p>A candidate on a connected network is probed as soon as a host there answers for its address (ARP, neighbour
 * discovery). A candidate behind a router is probed only if the current endpoint is lost, or occasionally while there
 * is little traffic. A peer that roams to an endpoint that is not in the file keeps it while it responds, unless a
 * candidate on a connected network responds too.
 */
final class Course {

    /** The result of a step. */
    enum Answer {
        /** The peer's tunnel address answered an echo request through the endpoint in question. */
        ECHO,
        /** The peer sent a packet from the endpoint in question. */
        PACKET,
        NONE
    }

    /** An endpoint in use for longer than this is stable, so its earlier failures no longer count. */
    private static final Duration STEADY = Duration.ofMinutes(5);

    /**
     * The minimum time between probes of candidates behind routers, each of which may interrupt traffic for a second.
     */
    private static final Duration BEFORE_A_FAR_VISIT = Duration.ofMinutes(5);

    private static final Duration BETWEEN_ROUNDS = Duration.ofSeconds(5);
    private static final int MOST_DOUBLINGS = 4;

    private List<InetSocketAddress> places = List.of();
    private final Map<InetSocketAddress, Trial> trials = new HashMap<>();
    private final Silence silence = new Silence();
    private Optional<InetSocketAddress> here = Optional.empty();
    private Optional<Instant> since = Optional.empty();
    private boolean wasNear;
    private boolean chosen;
    private boolean unsure;
    private boolean lost;
    private int tried;
    private int rounds;
    private Instant nextRound = Instant.MIN;
    private int moves;
    private int refused;

    /**
     * Sets the endpoint candidates.
     *
     * @param others in order of preference; they may change, as when a name resolves to another address
     */
    Course follow(List<InetSocketAddress> others) {
        places = List.copyOf(others);
        trials.keySet().retainAll(others);
        return this;
    }

    /** Returns the initial endpoint: a candidate on a connected network, else the first one behind a router. */
    static Optional<InetSocketAddress> first(List<InetSocketAddress> places, Function<InetSocketAddress, Way> ways) {
        return places.stream()
                .filter(place -> ways.apply(place).isNear())
                .findFirst()
                .or(() -> far(places, ways).findFirst())
                .or(() -> places.stream().findFirst());
    }

    /** Returns the next step; its result must be passed to {@link #done} before the next call. */
    Optional<Step> next(PeerState peer, Function<InetSocketAddress, Way> ways, Instant now) {
        settle(peer, ways, now);
        if (here.isEmpty()) {
            return first(places, ways).map(Step.Leave::new);
        }
        if (places.isEmpty()) {
            return Optional.empty();
        }
        Way way = ways.apply(here.get());
        if (wasNear ? !way.isOnLink() : way.reach() == Way.Reach.NONE) {
            Optional<InetSocketAddress> refuge = refuge(ways, now);
            if (refuge.isPresent()) {
                return refuge.map(Step.Leave::new);
            }
        }
        if (lost) {
            return rescue(ways, now);
        }
        if (unsure || silence.isSuspicious(now)) {
            return Optional.of(new Step.Check());
        }
        return better(way, ways, now).map(Step.Visit::new);
    }

    /** Records the result of a step. */
    void done(Step step, Answer answer, Function<InetSocketAddress, Way> ways, Instant now) {
        boolean answered = answer != Answer.NONE;
        if (answered) {
            silence.answered(answer == Answer.ECHO);
            found();
        }
        switch (step) {
            case Step.Check() -> {
                unsure = false;
                if (!answered) {
                    lost = true;
                    tried = 0;
                    nextRound = now;
                }
            }
            case Step.Visit(InetSocketAddress to)
            when answered -> {
                moves++;
                if (lost) {
                    abandon(now);
                }
                arrive(to, ways, now);
                chosen = true;
            }
            case Step.Visit(InetSocketAddress to) -> {
                refused++;
                refuse(to, ways, now);
            }
            case Step.Leave(InetSocketAddress to) -> {
                moves += here.isPresent() ? 1 : 0;
                boolean doubtful = here.isPresent() && !lost;
                abandon(now);
                arrive(to, ways, now);
                unsure = doubtful;
            }
        }
    }

    Standing standing() {
        int rank = here.map(it -> places.indexOf(it) + 1).orElse(0);
        State state = here.isEmpty()
                ? State.AWAITED
                : lost ? State.LOST : rank == 0 ? State.ROAMED : rank == 1 ? State.PREFERRED : State.FALLBACK;
        return new Standing(state, here, rank, places.size(), since, moves, refused);
    }

    boolean isLost() {
        return lost;
    }

    /** Returns whether a step may be due soon without an event. */
    boolean isUnsettled() {
        return unsure || silence.isUnderSuspicion();
    }

    /** Updates from the current state of the peer, which may have roamed. */
    private void settle(PeerState peer, Function<InetSocketAddress, Way> ways, Instant now) {
        if (silence.heardSince(peer)) {
            found();
        }
        silence.look(peer, now);
        if (!peer.endpoint().equals(here)) {
            if (peer.endpoint().isPresent()) {
                giveWay(peer.endpoint().get(), ways, now);
                arrive(peer.endpoint().get(), ways, now);
            } else {
                here = Optional.empty();
            }
        } else if (here.isPresent() && ways.apply(here.get()).isNear()) {
            wasNear = true;
        }
    }

    /**
     * Yields where both sides prefer different connected networks: the one that moved first accepts the other's choice.
     */
    private void giveWay(InetSocketAddress place, Function<InetSocketAddress, Way> ways, Instant now) {
        if (chosen && ways.apply(place).isNear()) {
            here.ifPresent(left -> refuse(left, ways, now));
        }
        chosen = false;
    }

    private void refuse(InetSocketAddress place, Function<InetSocketAddress, Way> ways, Instant now) {
        trials.put(place, trials.getOrDefault(place, Trial.NONE).refused(ways.apply(place), now));
    }

    private void found() {
        lost = false;
        unsure = false;
        rounds = 0;
    }

    private void arrive(InetSocketAddress place, Function<InetSocketAddress, Way> ways, Instant now) {
        here = Optional.of(place);
        since = Optional.of(now);
        unsure = false;
        wasNear = ways.apply(place).isNear();
    }

    private void abandon(Instant now) {
        boolean steady = since.filter(it -> now.isAfter(it.plus(STEADY))).isPresent();
        here.filter(places::contains)
                .ifPresent(place ->
                        trials.put(place, (steady ? Trial.NONE : trials.getOrDefault(place, Trial.NONE)).lost(now)));
    }

    /** Returns a candidate to use at once, without a probe. */
    private Optional<InetSocketAddress> refuge(Function<InetSocketAddress, Way> ways, Instant now) {
        return others().filter(place -> ways.apply(place).isNear() && allows(place, ways, now))
                .findFirst()
                .or(() -> far(others().toList(), ways).findFirst());
    }

    /** Probes all other candidates in turn, then uses one reachable from anywhere, and repeats after a while. */
    private Optional<Step> rescue(Function<InetSocketAddress, Way> ways, Instant now) {
        if (now.isBefore(nextRound)) {
            return Optional.empty();
        }
        List<InetSocketAddress> reachable = others().filter(
                        place -> ways.apply(place).isNear() || ways.apply(place).reach() == Way.Reach.FAR)
                .toList();
        if (tried < reachable.size()) {
            return Optional.of(new Step.Visit(reachable.get(tried++)));
        }
        tried = 0;
        nextRound = now.plus(BETWEEN_ROUNDS.multipliedBy(1L << Math.min(rounds++, MOST_DOUBLINGS)));
        Optional<InetSocketAddress> home = far(places, ways).findFirst();
        return here.filter(it -> far(List.of(it), ways).findAny().isEmpty())
                .flatMap(_ -> home)
                .map(Step.Leave::new);
    }

    private Optional<InetSocketAddress> better(Way way, Function<InetSocketAddress, Way> ways, Instant now) {
        int rank = here.map(places::indexOf).orElse(-1);
        List<InetSocketAddress> preferred = rank < 0 ? places : places.subList(0, rank);
        Optional<InetSocketAddress> near = preferred.stream()
                .filter(place -> ways.apply(place).isNear() && allows(place, ways, now))
                .findFirst();
        boolean mayGoFar = rank > 0
                && !way.isNear()
                && silence.isQuiet()
                && since.filter(it -> now.isAfter(it.plus(BEFORE_A_FAR_VISIT))).isPresent();
        return near.or(() -> mayGoFar
                ? far(preferred, ways).filter(place -> allows(place, ways, now)).findFirst()
                : Optional.empty());
    }

    private boolean allows(InetSocketAddress place, Function<InetSocketAddress, Way> ways, Instant now) {
        return trials.getOrDefault(place, Trial.NONE).allows(ways.apply(place), now);
    }

    private Stream<InetSocketAddress> others() {
        return places.stream().filter(place -> !here.equals(Optional.of(place)));
    }

    /** Returns candidates behind a router, without private addresses, which another network's router would misroute. */
    private static Stream<InetSocketAddress> far(
            List<InetSocketAddress> places, Function<InetSocketAddress, Way> ways) {
        return places.stream()
                .filter(place -> ways.apply(place).reach() == Way.Reach.FAR && !isPrivate(place.getAddress()));
    }

    /** Returns whether it is a private (RFC 1918, RFC 4193) or link-local address. */
    private static boolean isPrivate(InetAddress address) {
        return address.isSiteLocalAddress()
                || address.isLinkLocalAddress()
                || (address instanceof Inet6Address && (address.getAddress()[0] & 0xfe) == 0xfc);
    }
}
