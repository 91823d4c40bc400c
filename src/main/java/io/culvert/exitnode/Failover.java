// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.exitnode.LoadedConfiguration.Server;
import io.culvert.net.Endpoint;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ResolvedNames;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.HandshakeTimes;
import io.culvert.wireguard.device.LastReceived;
import io.culvert.wireguard.device.TunnelHealth;
import io.culvert.wireguard.device.TunnelHealth.Verdict;
import io.culvert.wireguard.device.WireGuardTimers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * Judges whether the provider's server in use responds, by handshakes and by data, and logs what changes. What to do about
 * it is the {@link ServerSelection}'s decision.
 */
final class Failover {

    /** The assumed round trip of a server that was not measured. */
    private static final Duration UNKNOWN_ROUND_TRIP = Duration.ofMillis(100);

    private final ServerSelection selection;
    private final DataPath dataPath;
    private final InstantSource clock;
    private final Log log;
    private final HandshakeTimes handshakeTimes = new HandshakeTimes();
    private Instant since;
    private Verdict verdict = Verdict.CONNECTING;
    private Duration handshakeDuration = Duration.ZERO;
    private LastReceived lastReceived;
    private boolean mustAnswer;
    private boolean degraded;
    private boolean hasSession;

    /** When the next judgement is due. */
    private Instant due;

    /** The servers in a row that never answered data: if that is true of all, their probes may be blocked. */
    private int unproven;

    /** @param clock the machine's clock, by which the device's handshakes are dated */
    Failover(ServerSelection selection, DataPath dataPath, InstantSource clock, Log log, Instant now) {
        this.selection = selection;
        this.dataPath = dataPath;
        this.clock = clock;
        this.log = log;
        this.since = now;
        this.due = now;
        this.lastReceived = LastReceived.initial(now);
    }

    /** Returns the server in use. */
    Server current() {
        return selection.current();
    }

    /** Returns the servers in the order in which they are used. */
    List<Server> servers() {
        return selection.servers();
    }

    /** Returns the server that is used when these are the servers. */
    Server currentOf(List<Server> changed) {
        return selection.currentOf(changed);
    }

    /** Replaces the servers, in file order. */
    void setServers(List<Server> changed, Instant now) {
        selection.setServers(changed, now);
    }

    WireGuardConfig config() {
        return selection.current().config();
    }

    /** Returns the file in use. */
    Path file() {
        return selection.current().file();
    }

    Verdict verdict() {
        return verdict;
    }

    /** Returns whether data gets through, as far as it is known; a server may respond to handshakes only. */
    boolean isHealthy() {
        return verdict == Verdict.CONNECTED && !dataPath.isUnanswered();
    }

    /** Returns the connection as the status has it. */
    StatusReporter.Connection connection() {
        return new StatusReporter.Connection(
                verdict,
                isHealthy(),
                selection.isFailingOver()
                        && !selection.haveAllFailed()
                        && servers().size() > 1,
                selection.haveAllFailed()
                        || (selection.isFailingOver() && servers().size() == 1),
                dataPath.quality());
    }

    /** Uses another server; the device is to be configured with it. */
    void select(Server server, Instant now) {
        selection.select(server, now);
        mustAnswer = false;
    }

    /** Returns the server as it is shown: its endpoint, and the file that names it. */
    String describeServer(ExitNodePlan plan) {
        String file = String.valueOf(file().getFileName());
        return plan.tunnel().peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .findFirst()
                .map(endpoint -> Endpoint.of(endpoint) + " (" + file + ")")
                .orElseGet(() -> "the server of " + file
                        + (plan.families().isEmpty()
                                ? " (no uplink)"
                                : !config().hostNames().isEmpty()
                                        ? " (its name is not resolved)"
                                        : " (no route to it)"));
    }

    /** Starts over: the device was just configured with its server, which has to respond again. */
    void restart(Instant now) {
        since = now;
        due = now;
        verdict = Verdict.CONNECTING;
        // The device's counters may start at zero again and reach the same number.
        lastReceived = LastReceived.initial(now);
        dataPath.restart(mustAnswer, unproven < selection.servers().size(), now);
        selection.configured(now);
    }

    /**
     * Judges the tunnel's health, and logs a change of the verdict.
     *
     * @return when the verdict can change without an event
     */
    Instant judge(DeviceState read, ExitNodePlan plan, Instant now) {
        if (now.isAfter(due)) {
            selection.delayed(Duration.between(due, now));
        }
        DeviceState state = handshakeTimes.convert(read, clock.instant(), now);
        lastReceived = lastReceived.updated(state, now);
        dataPath.update(sum(state, PeerState::receivedBytes), sum(state, PeerState::sentBytes), now);
        if (!dataPath.isUnproven()) {
            unproven = 0;
            mustAnswer = false;
        }
        TunnelHealth health = TunnelHealth.of(state, since, lastReceived, now);
        hasSession = health.handshake().isPresent();
        Verdict judged = isServerUnreachable(plan) ? Verdict.CONNECTING : judge(health.verdict(), now);
        if (judged == Verdict.CONNECTED && verdict != Verdict.CONNECTED) {
            handshakeDuration = Duration.between(since, now);
        }
        if (judged != verdict) {
            if (verdict == Verdict.CONNECTED) {
                since = now;
            }
            verdict = judged;
            logVerdict(describeServer(plan), now);
        }
        logQuality();
        Instant next = health.nextCheck();
        Instant nextUpdate = dataPath.nextUpdate(now);
        due = verdict != Verdict.CONNECTING && nextUpdate.isBefore(next) ? nextUpdate : next;
        return due;
    }

    /** Corrects what handshakes say by what is known of data. */
    private Verdict judge(Verdict byHandshakes, Instant now) {
        return switch (byHandshakes) {
            case CONNECTED ->
                dataPath.isAwaitingAnswer() ? Verdict.CONNECTING : dataPath.isDead() ? Verdict.SILENT : byHandshakes;
            // Its handshakes are lost, as other packets are, but the session is valid and data gets through.
            case SILENT ->
                dataPath.hasReceivedWithin(WireGuardTimers.KEEPALIVE_TIMEOUT, now) ? Verdict.CONNECTED : byHandshakes;
            case CONNECTING, LOST -> byHandshakes;
        };
    }

    /** Returns the probes to send now. */
    Optional<ProbeBurst> nextBurst(Instant now) {
        return dataPath.nextBurst(
                verdict == Verdict.CONNECTED || verdict == Verdict.SILENT || dataPath.isAwaitingAnswer(), now);
    }

    /** Returns whether the server has not responded to a handshake that is to be repeated now; WireGuard itself waits longer. */
    boolean repeatsHandshake(ExitNodePlan plan, Instant now) {
        return !hasSession && !isServerUnreachable(plan) && selection.repeatsHandshake(now);
    }

    void finished(ProbeBurst.Result result, Instant now) {
        dataPath.finished(result, now);
    }

    /**
     * Returns the next step towards a server that responds, and logs it.
     *
     * @param userspace whether the device is a process
     */
    RecoveryStep nextStep(ExitNodePlan plan, ResolvedNames names, boolean userspace, Instant now) {
        String server = describeServer(plan);
        Path file = file();
        boolean isDataLost = dataPath.isDead();
        boolean isUnproven = dataPath.isUnproven();
        boolean isMeasuring = selection.isMeasuring();
        RecoveryStep step = selection.next(
                new ServerSelection.Situation(
                        plan.machine().hasWorkingUplink(),
                        verdict == Verdict.CONNECTED,
                        !dataPath.isUnproven(),
                        dataPath.isActive(now),
                        addresses(names),
                        userspace,
                        dataPath.quality().minRoundTrip().orElse(UNKNOWN_ROUND_TRIP),
                        handshakeDuration),
                now);
        if (step == RecoveryStep.NONE) {
            return step;
        }
        if (isDataLost && isUnproven) {
            unproven++;
        }
        mustAnswer = isDataLost && !isUnproven && file.equals(file());
        logStep(step, server, file, isMeasuring);
        return step;
    }

    /** Returns how many addresses the server has; 0 while its name is not resolved. */
    private int addresses(ResolvedNames names) {
        return config().peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .mapToInt(endpoint -> names.of(endpoint.host()).size())
                .max()
                .orElse(1);
    }

    /** Whether no server is reachable: then even a recent session carries no traffic. */
    private static boolean isServerUnreachable(ExitNodePlan plan) {
        return plan.tunnel().peers().stream().allMatch(peer -> peer.endpoint().isEmpty());
    }

    private static long sum(DeviceState device, ToLongFunction<PeerState> counter) {
        return device.peers().stream().mapToLong(counter).sum();
    }

    private void logStep(RecoveryStep step, String server, Path before, boolean measured) {
        if (selection.haveAllFailed()) {
            // What follows is the same in every round.
            log.debug("tunnel: no response from " + server + "; next step: " + step);
            return;
        }
        switch (step) {
            case NONE -> {}
            case NEXT_ADDRESS -> log.info("tunnel: no response from " + server + "; trying the next address");
            case RESET_PEER -> log.info("tunnel: starting a new session with " + server);
            case SWITCH_SERVER, RECREATE_DEVICE -> {
                if (measured) {
                    log.info("tunnel: measured the server of " + before + "; using " + file());
                } else if (verdict == Verdict.CONNECTED) {
                    log.info("tunnel: returning to the preferred server, of " + file());
                } else {
                    log.warn("tunnel: no response from the server of " + before + "; trying " + file());
                }
            }
        }
    }

    private void logVerdict(String server, Instant now) {
        switch (verdict) {
            case CONNECTED ->
                log.info("tunnel: connected to " + server + " in "
                        + Duration.between(since, now).toMillis() + " ms");
            case SILENT -> log.warn("tunnel: no response from " + server);
            case LOST ->
                log.warn("tunnel: lost the connection to " + server
                        + "; all traffic is blocked until a server responds");
            case CONNECTING -> log.info("tunnel: waiting for a handshake with " + server);
        }
    }

    private void logQuality() {
        PathQuality quality = dataPath.quality();
        if (quality.degraded() != degraded) {
            degraded = quality.degraded();
            log.info("tunnel: " + (degraded ? "degraded" : "no longer degraded") + " (" + quality + ")");
        }
    }
}
