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

/** Which of the providers' files is in use, whether its server answers, and which comes next when it does not. */
final class Failover {

    /** How long a server may usually take to answer. */
    static final Duration PATIENCE = Duration.ofSeconds(15);

    private final List<Server> servers;
    private final Duration patience;
    private final Journal journal;
    private int current;
    private Instant since;
    private Verdict verdict = Verdict.CONNECTING;
    private Heard heard;

    /**
     * @param servers in the order in which they are tried, again and again
     * @param patience how long a server may take to answer before the next is tried, or its name looked up again
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

    /** The server for people: where it is, and which file says so. */
    String name(ExitNodePlan plan) {
        String file = String.valueOf(servers.get(current).file().getFileName());
        return plan.tunnel().peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .findFirst()
                .map(endpoint ->
                        endpoint.getAddress().getHostAddress() + " port " + endpoint.getPort() + " (" + file + ")")
                .orElseGet(() -> file
                        + (plan.families().isEmpty()
                                ? ", which no uplink leads to now"
                                : !names().isEmpty()
                                        ? ", whose server's name is not resolved yet"
                                        : ", to whose server there is no route now"));
    }

    /** The names of the servers in use. */
    Set<Host.Name> names() {
        return config().peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .map(Endpoint::host)
                .filter(Host.Name.class::isInstance)
                .map(Host.Name.class::cast)
                .collect(Collectors.toSet());
    }

    /** The device was given its server now: it has to answer anew. */
    void begin(Instant now) {
        since = now;
        verdict = Verdict.CONNECTING;
        // Its counters may begin anew, and come to the same number.
        heard = Heard.nothing(now);
    }

    /**
     * Judges the tunnel, and tells when the judgement has changed.
     *
     * @return when it can change without an event
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

    /** Whether nothing leads to any server: a session that was made before may be young, but carries nothing. */
    private static boolean isWayless(ExitNodePlan plan) {
        return plan.tunnel().peers().stream().allMatch(peer -> peer.endpoint().isEmpty());
    }

    /** Whether the server was waited for long enough. */
    boolean isDue(Instant now) {
        return verdict != Verdict.CONNECTED && since.plus(patience).isBefore(now);
    }

    /** Goes on to the next file, where there is another; patience begins anew. */
    boolean next(Instant now) {
        since = now;
        if (servers.size() == 1) {
            return false;
        }
        current = (current + 1) % servers.size();
        journal.warn("tunnel: no answer; trying " + servers.get(current).file());
        return true;
    }

    private void tell(String server, Instant now) {
        switch (verdict) {
            case CONNECTED ->
                journal.info("tunnel: connected to " + server + " after "
                        + Duration.between(since, now).toMillis() + " ms");
            case SILENT -> journal.warn("tunnel: " + server + " does not answer");
            case LOST -> journal.warn("tunnel: " + server + " is lost; nothing leaves until a server answers");
            case CONNECTING -> journal.info("tunnel: waiting for " + server);
        }
    }
}
