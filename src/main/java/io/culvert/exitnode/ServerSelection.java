// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.exitnode.LoadedConfiguration.Server;
import io.culvert.settings.ServerOrder;
import io.culvert.timing.BackOff;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.random.RandomGenerator;

/**
 * Selects the server in use, and the steps that lead back to one that responds. It only decides; the time is passed with
 * each call.
 *
 * <p>A server that no longer responds is tried at the next address of its name, or with a new session, before the next
 * server is. Each round through all servers takes longer than the one before. The preferred server is used again when
 * the wait after its failure is over; each time it fails again soon after, the wait doubles.
 */
final class ServerSelection {

    /** The timeouts for the first response of a server or address, by round; WireGuard itself repeats after 5 s. */
    private static final BackOff ATTEMPTS = new BackOff(Duration.ofSeconds(3), Duration.ofSeconds(30));

    /**
     * The interval and number of repeated handshakes in an attempt. WireGuard repeats one after 5 s, and at a loss of 20 % in
     * each direction, more than a third fail. The last one has the rest of the attempt, which grows by round, for slow paths.
     */
    private static final Duration HANDSHAKE_INTERVAL = Duration.ofSeconds(1);

    private static final int REPEATED_HANDSHAKES = 2;

    /** By how much an attempt is extended at most because this process was not scheduled: a dead server is left in any case. */
    private static final Duration MAX_DELAY = Duration.ofSeconds(3);

    /** For a server whose name is still to be resolved (Timeouts.BOOTSTRAP). */
    private static final Duration NAME_TIMEOUT = Duration.ofSeconds(10);

    /** For a server that has just stopped responding; longer on slow paths. */
    private static final Duration NEW_SESSION_TIMEOUT = Duration.ofMillis(250);

    /** A server that has responded for this long is stable: what happened before no longer counts. */
    private static final Duration STABLE = Duration.ofMinutes(1);

    /** How long a return to the preferred server waits for a moment without traffic, as a part of the wait before. */
    private static final int MAX_RETURN_DELAYS = 16;

    /** The rounds without a response after which the userspace process is replaced, and then in each round. */
    private static final int RECREATE_AFTER_ROUNDS = 3;

    private final ServerOrder order;
    private final String host;
    private final RandomGenerator random;
    private final Optional<BackOff> returns;
    private List<Server> servers;
    private Server current;
    private Server preferred;
    private Optional<Server> previous = Optional.empty();
    private Instant attemptSince;
    private int handshakesRepeated;
    private Duration attemptTimeout;
    private Duration delay = Duration.ZERO;
    private boolean responding;
    private boolean sessionReset;
    private int addressesTried = 1;
    private int serversTried = 1;
    private int round;
    private Optional<Instant> respondingSince = Optional.empty();
    private Optional<Instant> returnAt = Optional.empty();
    private Duration returnDelay;
    private boolean measuring;
    private final Map<Server, Duration> latencies = new LinkedHashMap<>();

    /**
     * @param servers in file order; never empty
     * @param host the name of this host, which determines a random order
     * @param returnAfter the wait before a return to the preferred server; empty to stay with one that responds
     * @param random for the jitter of timeouts
     */
    ServerSelection(
            List<Server> servers,
            ServerOrder order,
            String host,
            Optional<Duration> returnAfter,
            RandomGenerator random,
            Instant now) {
        this.order = order;
        this.host = host;
        this.servers = ordered(servers);
        this.measuring = order == ServerOrder.LATENCY && servers.size() > 1;
        this.current = this.servers.getFirst();
        this.preferred = current;
        this.returns = returnAfter.map(first -> new BackOff(first, first.multipliedBy(MAX_RETURN_DELAYS)));
        this.returnDelay = returnAfter.orElse(Duration.ZERO);
        this.random = random;
        this.attemptSince = now;
        this.attemptTimeout = ATTEMPTS.first();
    }

    Server current() {
        return current;
    }

    private List<Server> ordered(List<Server> inFileOrder) {
        List<Server> ordered = new ArrayList<>(inFileOrder);
        if (order == ServerOrder.RANDOM) {
            Collections.shuffle(ordered, new Random(host.hashCode()));
        }
        return ordered;
    }

    /** Returns the server that is used when these are the servers: that of the same file if it is still there, else the next. */
    Server currentOf(List<Server> changed) {
        return successor(current, ordered(changed));
    }

    /** Replaces the servers, in file order; a latency that was measured before is not measured again. */
    void setServers(List<Server> changed, Instant now) {
        List<Server> ordered = ordered(changed);
        Server nowCurrent = successor(current, ordered);
        preferred = ordered.stream()
                .filter(server -> server.file().equals(preferred.file()))
                .findFirst()
                .orElse(ordered.getFirst());
        previous = Optional.empty();
        servers = ordered;
        measuring &= servers.size() > 1;
        if (!nowCurrent.equals(current)) {
            use(nowCurrent, now);
        }
    }

    private Server successor(Server server, List<Server> changed) {
        int position = servers.indexOf(server);
        for (int i = 0; i < servers.size(); i++) {
            Server candidate = servers.get((position + i) % servers.size());
            Optional<Server> same = changed.stream()
                    .filter(it -> it.file().equals(candidate.file()))
                    .findFirst();
            if (same.isPresent()) {
                return same.get();
            }
        }
        return changed.getFirst();
    }

    /** Returns the servers in the order in which they are used. */
    List<Server> servers() {
        return List.copyOf(servers);
    }

    /**
     * Uses a server from now on and prefers it, for example on request. Another one is used only if it does not respond.
     *
     * @throws IllegalArgumentException if it is not one of the servers
     */
    void select(Server server, Instant now) {
        if (!servers.contains(server)) {
            throw new IllegalArgumentException(server.file() + " is not one of the servers");
        }
        measuring = false;
        preferred = server;
        returnAt = Optional.empty();
        use(server, now);
        serversTried = 1;
        round = 0;
    }

    /** Returns whether the servers are being measured, so that the current one is not in use yet. */
    boolean isMeasuring() {
        return measuring;
    }

    /** Returns whether a server has stopped responding, and none responds yet. */
    boolean isFailingOver() {
        return !responding && (serversTried > 1 || addressesTried > 1 || sessionReset || round > 0);
    }

    /** Returns whether all servers were tried since one responded. */
    boolean haveAllFailed() {
        return !responding && round > 0;
    }

    /** The device was configured: a response is expected from now on. */
    void configured(Instant now) {
        attemptSince = now;
        delay = Duration.ZERO;
        handshakesRepeated = 0;
    }

    /** This process was not scheduled for a time, in which a response could not be processed: the attempt takes longer. */
    void delayed(Duration time) {
        delay = delay.plus(time);
        if (delay.compareTo(MAX_DELAY) > 0) {
            delay = MAX_DELAY;
        }
    }

    /** Returns whether a handshake without a response is to be repeated now. */
    boolean repeatsHandshake(Instant now) {
        if (responding
                || handshakesRepeated == REPEATED_HANDSHAKES
                || now.isBefore(attemptSince.plus(HANDSHAKE_INTERVAL.multipliedBy(handshakesRepeated + 1L)))) {
            return false;
        }
        handshakesRepeated++;
        return true;
    }

    /**
     * Returns the next step. Each step but NONE begins another attempt.
     *
     * @param situation what is known now
     */
    RecoveryStep next(Situation situation, Instant now) {
        if (!situation.uplink()) {
            // No server can respond, and this one gets its time afterwards.
            responding = false;
            respondingSince = Optional.empty();
            begin(now);
            return RecoveryStep.NONE;
        }
        if (situation.responding()) {
            return whileResponding(situation, now);
        }
        boolean justLost = responding;
        responding = false;
        respondingSince = Optional.empty();
        if (justLost) {
            attemptSince = now;
            delay = Duration.ZERO;
        }
        Duration timeout = situation.addresses() == 0 ? longer(attemptTimeout, NAME_TIMEOUT) : attemptTimeout;
        if (!justLost && now.isBefore(attemptSince.plus(timeout).plus(delay))) {
            return RecoveryStep.NONE;
        }
        return recover(situation, justLost, now);
    }

    /**
     * What is known about the server.
     *
     * @param uplink whether this machine has a link with a carrier, an address and a route out
     * @param responding whether the server responds
     * @param proven whether the server has answered data, and not only a handshake
     * @param busy whether there is traffic
     * @param addresses how many addresses the server's name has; 0 if it is not resolved
     * @param userspace whether the device is a process
     * @param roundTrip to the server, as far as known
     * @param handshake how long the handshake took
     */
    record Situation(
            boolean uplink,
            boolean responding,
            boolean proven,
            boolean busy,
            int addresses,
            boolean userspace,
            Duration roundTrip,
            Duration handshake) {}

    private RecoveryStep whileResponding(Situation situation, Instant now) {
        if (measuring) {
            latencies.put(current, situation.handshake());
            return measureNext(now);
        }
        responding = true;
        if (respondingSince.isEmpty()) {
            respondingSince = Optional.of(now);
        }
        if (situation.proven()) {
            addressesTried = 1;
            sessionReset = false;
            previous = Optional.empty();
        }
        if (!now.isBefore(respondingSince.get().plus(STABLE))) {
            round = 0;
            serversTried = 1;
            if (current.equals(preferred)) {
                returnDelay = returns.map(BackOff::first).orElse(Duration.ZERO);
            }
        }
        return returnToPreferred(situation, now);
    }

    private RecoveryStep returnToPreferred(Situation situation, Instant now) {
        if (returns.isEmpty() || current.equals(preferred)) {
            returnAt = Optional.empty();
            return RecoveryStep.NONE;
        }
        if (returnAt.isEmpty()) {
            returnAt = Optional.of(now.plus(returnDelay));
        }
        boolean isOverdue = !now.isBefore(returnAt.get().plus(returnDelay));
        if (now.isBefore(returnAt.get()) || (situation.busy() && !isOverdue)) {
            return RecoveryStep.NONE;
        }
        returnAt = Optional.empty();
        returnDelay = returns.get().next(returnDelay);
        Server fallback = current;
        use(preferred, now);
        previous = Optional.of(fallback);
        return RecoveryStep.SWITCH_SERVER;
    }

    private RecoveryStep measureNext(Instant now) {
        List<Server> unmeasured = servers.stream()
                .filter(server -> !latencies.containsKey(server))
                .toList();
        if (!unmeasured.isEmpty()) {
            use(unmeasured.getFirst(), now);
            return RecoveryStep.SWITCH_SERVER;
        }
        measuring = false;
        Server last = current;
        servers.sort(Comparator.comparing((Server server) -> latencies.getOrDefault(server, Duration.ofDays(1))));
        preferred = servers.getFirst();
        use(preferred, now);
        return last.equals(preferred) ? RecoveryStep.NONE : RecoveryStep.SWITCH_SERVER;
    }

    private RecoveryStep recover(Situation situation, boolean justLost, Instant now) {
        if (measuring) {
            latencies.put(current, Duration.ofDays(1));
            return measureNext(now);
        }
        if (previous.isPresent()) {
            // The preferred server does not respond yet.
            Server fallback = previous.get();
            use(fallback, now);
            return RecoveryStep.SWITCH_SERVER;
        }
        if (situation.addresses() > addressesTried) {
            addressesTried++;
            begin(now);
            return RecoveryStep.NEXT_ADDRESS;
        }
        if (justLost && !sessionReset && situation.addresses() <= 1) {
            sessionReset = true;
            begin(now);
            attemptTimeout = longer(NEW_SESSION_TIMEOUT, situation.roundTrip().multipliedBy(4));
            return RecoveryStep.RESET_PEER;
        }
        if (serversTried >= servers.size()) {
            serversTried = 0;
            round++;
        }
        serversTried++;
        boolean isRecreated = situation.userspace() && round >= RECREATE_AFTER_ROUNDS && serversTried == 1;
        if (servers.size() > 1) {
            use(servers.get((servers.indexOf(current) + 1) % servers.size()), now);
            return isRecreated ? RecoveryStep.RECREATE_DEVICE : RecoveryStep.SWITCH_SERVER;
        }
        addressesTried = 1;
        begin(now);
        return isRecreated
                ? RecoveryStep.RECREATE_DEVICE
                : situation.addresses() > 1 ? RecoveryStep.NEXT_ADDRESS : RecoveryStep.RESET_PEER;
    }

    private void use(Server server, Instant now) {
        current = server;
        responding = false;
        respondingSince = Optional.empty();
        sessionReset = false;
        addressesTried = 1;
        previous = Optional.empty();
        begin(now);
    }

    private void begin(Instant now) {
        attemptSince = now;
        delay = Duration.ZERO;
        handshakesRepeated = 0;
        Duration timeout = ATTEMPTS.afterFailures(round + 1);
        // Jitter: nodes that lost the same server do not return to it at the same moments.
        attemptTimeout = timeout.plusMillis(random.nextLong(1 + timeout.toMillis() / 4));
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }
}
