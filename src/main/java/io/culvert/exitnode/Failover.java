// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.exitnode.LoadedConfiguration.Server;
import io.culvert.net.Endpoint;
import io.culvert.plan.ExitNodePlan;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.LastReceived;
import io.culvert.wireguard.device.TunnelHealth;
import io.culvert.wireguard.device.TunnelHealth.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Selects the provider's file in use, judges whether its server responds, and fails over to the next file. */
final class Failover {

    /** The usual timeout for a server's first response. */
    static final Duration RESPONSE_TIMEOUT = Duration.ofSeconds(15);

    private final List<Server> servers;
    private final Duration timeout;
    private final Log log;
    private int current;
    private Instant since;
    private Verdict verdict = Verdict.CONNECTING;
    private LastReceived lastReceived;

    /**
     * @param servers in the order in which they are tried, starting over after the last
     * @param timeout the timeout after which the next server is tried, or the only one's name is resolved again
     */
    Failover(List<Server> servers, Duration timeout, Log log, Instant now) {
        this.servers = servers;
        this.timeout = timeout;
        this.log = log;
        this.since = now;
        this.lastReceived = LastReceived.initial(now);
    }

    WireGuardConfig config() {
        return servers.get(current).config();
    }

    /** Returns the file in use. */
    Path file() {
        return servers.get(current).file();
    }

    Verdict verdict() {
        return verdict;
    }

    /** Returns the server as it is shown: its endpoint, and the file that names it. */
    String describeServer(ExitNodePlan plan) {
        String file = String.valueOf(servers.get(current).file().getFileName());
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
        verdict = Verdict.CONNECTING;
        // The device's counters may start at zero again and reach the same number.
        lastReceived = LastReceived.initial(now);
    }

    /**
     * Judges the tunnel's health, and logs a change of the verdict.
     *
     * @return when the verdict can change without an event
     */
    Instant judge(DeviceState state, ExitNodePlan plan, Instant now) {
        lastReceived = lastReceived.updated(state, now);
        TunnelHealth health = TunnelHealth.of(state, since, lastReceived, now);
        Verdict judged = isServerUnreachable(plan) ? Verdict.CONNECTING : health.verdict();
        if (judged != verdict) {
            if (verdict == Verdict.CONNECTED) {
                since = now;
            }
            verdict = judged;
            logVerdict(describeServer(plan), now);
        }
        return health.nextCheck();
    }

    /** Whether no server is reachable: then even a recent session carries no traffic. */
    private static boolean isServerUnreachable(ExitNodePlan plan) {
        return plan.tunnel().peers().stream().allMatch(peer -> peer.endpoint().isEmpty());
    }

    /** Whether the server's timeout has expired. */
    boolean isTimedOut(Instant now) {
        return verdict != Verdict.CONNECTED && since.plus(timeout).isBefore(now);
    }

    /** Fails over to the next file, where there is more than one; restarts the timeout. */
    boolean switchServer(Instant now) {
        since = now;
        if (servers.size() == 1) {
            return false;
        }
        Server unresponsive = servers.get(current);
        current = (current + 1) % servers.size();
        log.warn("tunnel: no response from the server of " + unresponsive.file() + "; trying "
                + servers.get(current).file());
        return true;
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
}
