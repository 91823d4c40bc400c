// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A cell in a row of the leak matrix.
 *
 * @param origin where its packets come from
 * @param family their address family
 * @param kind their protocol
 */
public record LeakCell(TrafficOrigin origin, Family family, TrafficKind kind) {

    /** Returns the cells of these origins. */
    public static List<LeakCell> of(List<TrafficOrigin> origins) {
        return origins.stream()
                .flatMap(origin -> Arrays.stream(Family.values())
                        .flatMap(family ->
                                Arrays.stream(TrafficKind.values()).map(kind -> new LeakCell(origin, family, kind))))
                .toList();
    }

    /** Returns why the cell is empty in a state: there is no such packet, or a layer cannot see it; empty if it is measured. */
    public Optional<String> notApplicable(LeakState state) {
        boolean proxy = origin == TrafficOrigin.PROXY_CLIENT;
        boolean forwarded = origin == TrafficOrigin.WIREGUARD_CLIENT || origin == TrafficOrigin.TAILSCALE_CLIENT;
        if (proxy && state == LeakState.NO_CULVERT) {
            return Optional.of("there is no proxy without Culvert");
        }
        if (proxy && kind == TrafficKind.ICMP) {
            return Optional.of("SOCKS5 and HTTP proxies carry no ICMP (RFC 1928, RFC 9110)");
        }
        if ((proxy || forwarded) && family == Family.IPV6 && kind == TrafficKind.GROUP) {
            return Optional.of("without a multicast routing daemon the kernel forwards no multicast");
        }
        if (kind == TrafficKind.GROUP && state.kind() == LeakState.Kind.ROUTING_ONLY) {
            return Optional.of("no routing rule is consulted for them");
        }
        return Optional.empty();
    }

    /** Returns the label in the DNS names of its queries, before the number of the volley. */
    String label() {
        return origin.label() + "-" + (kind == TrafficKind.DNS_BY_TCP ? "tcp" : "udp")
                + (family == Family.IPV4 ? "-v4-" : "-v6-");
    }

    @Override
    public String toString() {
        return "%s, %s, %s".formatted(origin.title(), family, kind.title());
    }
}
