// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Host;
import java.util.List;
import java.util.Optional;

/**
 * An entry of an {@code endpoints} list. Peers that it matches use its keys; for each key the last matching entry
 * applies.
 *
 * @param owner what it belongs to, as shown to the user, such as {@code peer 'node1'}
 * @param match the filters that the connecting peer has to match; empty for all peers
 * @param persistentKeepalive in seconds, 0 for off
 * @param refreshSeconds the interval at which the name is resolved again; 0 for never
 * @param refreshRestartSeconds the interval after a failed resolution
 * @param candidates the endpoint candidates, the preferred one first
 */
record EndpointEntry(
        String owner,
        int line,
        List<Selector> match,
        Optional<LocatedValue<Host>> ip,
        Optional<LocatedValue<Integer>> port,
        Optional<LocatedValue<Integer>> persistentKeepalive,
        Optional<LocatedValue<Integer>> refreshSeconds,
        Optional<LocatedValue<Integer>> refreshRestartSeconds,
        Optional<LocatedValue<List<HostPort>>> candidates) {

    EndpointEntry {
        match = List.copyOf(match);
    }

    boolean hasHost() {
        return ip.isPresent() || candidates.isPresent();
    }
}
