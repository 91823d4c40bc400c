package io.culvert.exitnode;

import io.culvert.device.DeviceState;
import io.culvert.exitnode.Reading.Server;
import io.culvert.health.Heard;
import io.culvert.health.TunnelHealth;
import io.culvert.health.TunnelHealth.Verdict;
import io.culvert.ip.Endpoint;
import io.culvert.ip.Host;
import io.culvert.plan.ExitNodePlan;
import io.culvert.run.Journal;
import io.culvert.wireguard.WireGuardConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Selects the provider's file in use, judges whether its server responds, and fails over to the next file. */
final class Failover {

    /** The usual timeout for a server's first response. */
    static final Duration PATIENCE = Duration.ofSeconds(15);

    private final List<Server> servers;
    private final Duration patience;
    private final Journal journal;
    private int current;
    private Instant since;
    private Verdict verdict = Verdict.CONNECTING;
    private Heard heard;

    /**
     * @param servers in the order in which they are tried, starting over after the last
     * @param patience the timeout after which the next server is tried, or the only one's name is resolved again
     */
    Failover(List<Server> servers, Duration patience, Journal journal, Instant now) {
        this.servers = servers;
        this.patience = patience;
        this.journal = journal;
        this.since = now;
        this.heard = Heard.nothing(now);
    }

    WireGuardConfig config() {
        return servers.get(current).config();
    }

    Verdict verdict() {
        return verdict;
    }

    /** Returns the server as it is shown: its endpoint, and the file that names it. */
    String name(ExitNodePlan plan) {
        String file = String.valueOf(servers.get(current).file().getFileName());
        return plan.tunnel().peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .findFirst()
                .map(endpoint -> Endpoint.of(endpoint) + " (" + file + ")")
                .orElseGet(() -> "the server of " + file
                        + (plan.families().isEmpty()
                                ? " (no uplink)"
                                : !names().isEmpty() ? " (its name is not resolved)" : " (no route to it)"));
    }

    /** Returns the host names of the server in use. */
    Set<Host.Name> names() {
        return config().peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .map(Endpoint::host)
                .filter(Host.Name.class::isInstance)
                .map(Host.Name.class::cast)
                .collect(Collectors.toSet());
    }

    /** Starts over: the device was just configured with its server, which has to respond again. */
    void begin(Instant now) {
        since = now;
        verdict = Verdict.CONNECTING;
        // The device's counters may start at zero again and reach the same number.
        heard = Heard.nothing(now);
    }

    /**
     * Judges the tunnel's health, and logs a change of the verdict.
     *
     * @return when the verdict can change without an event
     */
    Instant judge(DeviceState state, ExitNodePlan plan, Instant now) {
        heard = heard.and(state, now);
        TunnelHealth health = TunnelHealth.of(state, since, heard, now);
        Verdict judged = isWayless(plan) ? Verdict.CONNECTING : health.verdict();
        if (judged != verdict) {
            if (verdict == Verdict.CONNECTED) {
                since = now;
            }
            verdict = judged;
            tell(name(plan), now);
        }
        return health.nextLook();
    }

    /** Whether no server is reachable: then even a recent session carries no traffic. */
    private static boolean isWayless(ExitNodePlan plan) {
        return plan.tunnel().peers().stream().allMatch(peer -> peer.endpoint().isEmpty());
    }

    /** Whether the server's timeout has expired. */
    boolean isDue(Instant now) {
        return verdict != Verdict.CONNECTED && since.plus(patience).isBefore(now);
    }

    /** Fails over to the next file, where there is more than one; restarts the timeout. */
    boolean next(Instant now) {
        since = now;
        if (servers.size() == 1) {
            return false;
        }
        Server silent = servers.get(current);
        current = (current + 1) % servers.size();
        journal.warn("tunnel: no response from the server of " + silent.file() + "; trying "
                + servers.get(current).file());
        return true;
    }

    private void tell(String server, Instant now) {
        switch (verdict) {
            case CONNECTED ->
                journal.info("tunnel: connected to " + server + " in "
                        + Duration.between(since, now).toMillis() + " ms");
            case SILENT -> journal.warn("tunnel: no response from " + server);
            case LOST ->
                journal.warn("tunnel: lost the connection to " + server
                        + "; all traffic is blocked until a server responds");
            case CONNECTING -> journal.info("tunnel: waiting for a handshake with " + server);
        }
    }
}
