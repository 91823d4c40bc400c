package io.culvert.topology;

import io.culvert.ip.Host;
import java.util.List;
import java.util.Optional;

/**
 * An entry of an {@code endpoints} list. Whoever it matches takes its keys, one by one; later entries win.
 *
 * @param owner what it belongs to, for people, such as {@code peer 'node1'}
 * @param match who sees it: all conditions hold for the connecting peer; empty for everybody
 * @param persistentKeepalive in seconds, 0 for off
 * @param refreshSeconds how often the name is looked up again; 0 for never
 * @param refreshRestartSeconds how soon after a failed look-up
 * @param candidates where the peer may be found, the preferred place first
 */
record EndpointRow(
        String owner,
        int line,
        List<Selector> match,
        Optional<Written<Host>> ip,
        Optional<Written<Integer>> port,
        Optional<Written<Integer>> persistentKeepalive,
        Optional<Written<Integer>> refreshSeconds,
        Optional<Written<Integer>> refreshRestartSeconds,
        Optional<Written<List<HostPort>>> candidates) {

    EndpointRow {
        match = List.copyOf(match);
    }

    boolean tellsWhere() {
        return ip.isPresent() || candidates.isPresent();
    }
}
