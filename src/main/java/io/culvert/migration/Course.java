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
 * What one peer does among the places where it may be found; decides and changes nothing. Time comes in with every call.
 *
 * <p>Places on our own links are visited as soon as somebody there answers for the address; places behind a router only where
 * the present one is lost, or now and then while hardly anything is exchanged. A peer that roams to a place outside of the
 * file is left there while it answers, unless it is found on a link of ours.
 */
final class Course {

    /** What has come of a step. */
    enum Answer {
        /** The inner address answered by the place in question. */
        ECHO,
        /** The peer sent something by the place in question. */
        PACKET,
        NONE
    }

    /** A place that was kept as long as this is no doubtful one. */
    private static final Duration STEADY = Duration.ofMinutes(5);

    /** Places behind routers are worth a second's pause not often. */
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
     * The places from now on.
     *
     * @param others in order of preference; they change as when a name gets another address
     */
    Course follow(List<InetSocketAddress> others) {
        places = List.copyOf(others);
        trials.keySet().retainAll(others);
        return this;
    }

    /** Where to begin, before anything is known of the peer: somebody near, else the first that is found from everywhere. */
    static Optional<InetSocketAddress> first(List<InetSocketAddress> places, Function<InetSocketAddress, Way> ways) {
        return places.stream()
                .filter(place -> ways.apply(place).isNear())
                .findFirst()
                .or(() -> far(places, ways).findFirst())
                .or(() -> places.stream().findFirst());
    }

    /** What is to be done now; what comes of it must be told by {@link #done} before the next question. */
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

    /** What has come of a step that was carried out. */
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

    /** Whether something may have to be done soon, of which no event will tell. */
    boolean isUnsettled() {
        return unsure || silence.isUnderSuspicion();
    }

    /** Takes in where the peer is by now, which may be where it has gone by itself. */
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

    /** Where both sides prefer different ways on their links, the one that moved first lets the other have its way. */
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

    /** Where to go without asking. */
    private Optional<InetSocketAddress> refuge(Function<InetSocketAddress, Way> ways, Instant now) {
        return others().filter(place -> ways.apply(place).isNear() && allows(place, ways, now))
                .findFirst()
                .or(() -> far(others().toList(), ways).findFirst());
    }

    /** All other places in turn; then home, where a call is most likely to be heard, and again after a while. */
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

    /** Places behind a router, except those that another network's router would lead astray. */
    private static Stream<InetSocketAddress> far(
            List<InetSocketAddress> places, Function<InetSocketAddress, Way> ways) {
        return places.stream()
                .filter(place -> ways.apply(place).reach() == Way.Reach.FAR && !isPrivate(place.getAddress()));
    }

    /** RFC 1918, RFC 4193, and addresses of one link only. */
    private static boolean isPrivate(InetAddress address) {
        return address.isSiteLocalAddress()
                || address.isLinkLocalAddress()
                || (address instanceof Inet6Address && (address.getAddress()[0] & 0xfe) == 0xfc);
    }
}
