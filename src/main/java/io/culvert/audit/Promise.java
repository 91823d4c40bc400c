// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.audit.TrafficPattern.Direction;
import io.culvert.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What an exit node promises to let out by its uplinks, to forward, and to let in. It follows from the settings as the
 * documentation describes them, independently of the plan and of the rules that implement it.
 *
 * @param innerLinks the links of tunnel and mesh
 * @param clientLinks those of exit-node clients
 * @param gatewayClients networks whose machines send through this node into the tunnel, by an uplink
 * @param outgoing of local processes by an uplink
 * @param forwarded by an uplink
 * @param incoming to local processes
 * @param routingAlone what may leave by an uplink where nothing but the routing rules decides: these cannot tell
 *     the tunnel's own packets from others with their mark, nor ports of other protocols
 */
public record Promise(
        Set<String> innerLinks,
        Set<String> clientLinks,
        List<Prefix> gatewayClients,
        List<Allowance> outgoing,
        List<Allowance> forwarded,
        List<Allowance> incoming,
        List<Allowance> routingAlone) {

    public Promise {
        innerLinks = Set.copyOf(innerLinks);
        clientLinks = Set.copyOf(clientLinks);
        gatewayClients = List.copyOf(gatewayClients);
        outgoing = List.copyOf(outgoing);
        forwarded = List.copyOf(forwarded);
        incoming = List.copyOf(incoming);
        routingAlone = List.copyOf(routingAlone);
    }

    /**
     * Returns what may leave by an uplink.
     *
     * @param from the link that it is forwarded from; empty for packets of local processes
     */
    List<Allowance> leaving(Optional<String> from) {
        return from(from, outgoing);
    }

    /** Returns the same where nothing but the routing rules decides. */
    List<Allowance> leavingByRouting(Optional<String> from) {
        return from(from, routingAlone);
    }

    private List<Allowance> from(Optional<String> from, List<Allowance> others) {
        return Stream.concat(forwarded.stream(), others.stream())
                .filter(allowance -> allowance.from().equals(from))
                .toList();
    }

    /** Returns what is promised before there is a plan, and after a refused start. */
    public static Promise beforePlan() {
        List<Allowance> outgoing = new ArrayList<>(List.of(Allowance.of(
                "replies to connections that came in by an uplink",
                TrafficPattern.of(it -> it.direction = Direction.REPLY_TO_UPLINK))));
        outgoing.addAll(EssentialTraffic.outgoing(List.of()));
        List<Allowance> incoming = new ArrayList<>(List.of(EssentialTraffic.incomingReplies()));
        incoming.addAll(EssentialTraffic.incoming());
        return new Promise(Set.of(), Set.of(), List.of(), outgoing, List.of(), incoming, List.of());
    }

    /** Returns what a running exit node promises. */
    public static Promise of(PromiseInputs inputs) {
        return new NodePromise(inputs).promise();
    }
}
