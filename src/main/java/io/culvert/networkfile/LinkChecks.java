// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Checks that connections join only peers of a subnet, and that one side of each link has an endpoint. */
final class LinkChecks {

    /** The number of names in a message. */
    private static final int MAX_NAMES = 3;

    private final NetworkDefinition network;
    private final PeerLinks links;
    private final Endpoints endpoints;
    private final NetworkFileProblems report;

    LinkChecks(NetworkDefinition network, PeerLinks links, Endpoints endpoints, NetworkFileProblems report) {
        this.network = network;
        this.links = links;
        this.endpoints = endpoints;
        this.report = report;
    }

    void run() {
        for (int connection = 0; connection < network.connections().size(); connection++) {
            for (int subnet = 0; subnet < network.subnets().size(); subnet++) {
                checkMembership(connection, subnet);
            }
        }
        BitSet linked = new BitSet();
        for (int subnet = 0; subnet < network.subnets().size(); subnet++) {
            checkEndpoints(subnet, linked);
        }
        for (int i = linked.nextClearBit(0); i < network.members().size(); i = linked.nextClearBit(i + 1)) {
            Member member = network.members().get(i);
            report.warning(
                    member.name(),
                    "peer '" + member.name().value() + "' is not linked with any peer",
                    "add a connection that includes it");
        }
    }

    /** Reports a connection that joins a peer of a subnet with one outside it, probably for lack of a {@code subnets:} list. */
    private void checkMembership(int connection, int subnet) {
        links.findMismatch(connection, subnet).ifPresent(pair -> {
            Connection at = network.connections().get(connection);
            String name = network.subnets().get(subnet).name().value();
            String shared = IntStream.range(0, network.subnets().size())
                    .filter(it -> links.members(it).get(pair.member())
                            && links.members(it).get(pair.nonMember()))
                    .mapToObj(it -> network.subnets().get(it).name().value())
                    .collect(Collectors.joining(", "));
            report.error(
                    at.line(),
                    at.column(),
                    "this connection links '" + name(pair.member()) + "' with '" + name(pair.nonMember())
                            + "' in subnet '" + name + "', but '" + name(pair.nonMember()) + "' does not belong to it",
                    at.subnets().isPresent() || shared.isEmpty()
                            ? "select fewer peers, or add '" + name + "' to the subnets of '" + name(pair.nonMember())
                                    + "'"
                            : "name its subnets, such as 'subnets: [" + shared + "]', or select fewer peers");
        });
    }

    private void checkEndpoints(int subnet, BitSet linked) {
        BitSet members = links.members(subnet);
        List<BitSet> initiators = new ArrayList<>();
        BitSet withoutEndpointForSome = new BitSet();
        for (int i = 0; i < network.members().size(); i++) {
            initiators.add(members.get(i) ? peersWithEndpointFor(i, subnet) : new BitSet());
            BitSet others = (BitSet) members.clone();
            others.andNot(initiators.get(i));
            others.clear(i);
            withoutEndpointForSome.set(i, !others.isEmpty());
        }
        for (int one = members.nextSetBit(0); one >= 0; one = members.nextSetBit(one + 1)) {
            BitSet others = links.of(one, subnet);
            if (!others.isEmpty()) {
                linked.set(one);
            }
            // Checks each pair once, without peers that have an endpoint for all others or for this one.
            others.clear(0, one);
            others.and(withoutEndpointForSome);
            others.andNot(initiators.get(one));
            List<Integer> unreachable = new ArrayList<>();
            for (int other = others.nextSetBit(0); other >= 0; other = others.nextSetBit(other + 1)) {
                if (!initiators.get(other).get(one)) {
                    unreachable.add(other);
                }
            }
            reportPairsWithoutEndpoint(one, unreachable, subnet);
        }
    }

    private void reportPairsWithoutEndpoint(int one, List<Integer> unreachable, int subnet) {
        if (unreachable.isEmpty()) {
            return;
        }
        String names = unreachable.stream()
                .limit(MAX_NAMES)
                .map(it -> "'" + name(it) + "'")
                .collect(Collectors.joining(", "));
        int more = unreachable.size() - MAX_NAMES;
        report.error(
                network.members().get(one).name(),
                "'" + name(one) + "' is linked with " + names + (more > 0 ? " and " + more + " more" : "")
                        + " in subnet '" + network.subnets().get(subnet).name().value()
                        + "', but neither side has an endpoint for the other",
                "add an endpoint with an ip to one of them, or exclude the pair from the connection");
    }

    /** Returns the peers for which an endpoint of this peer applies. */
    private BitSet peersWithEndpointFor(int peer, int subnet) {
        BitSet initiators = endpoints.peersWithHost(peer, subnet);
        Membership membership = network.members()
                .get(peer)
                .in(network.subnets().get(subnet).name().value())
                .orElseThrow();
        if (membership.listenPort().isPresent()) {
            return initiators;
        }
        BitSet complete = new BitSet();
        boolean reported = false;
        BitSet linked = links.of(peer, subnet);
        for (int initiator = initiators.nextSetBit(0);
                initiator >= 0;
                initiator = initiators.nextSetBit(initiator + 1)) {
            List<EndpointEntry> rows = endpoints.applicable(initiator, peer, subnet);
            if (!MergedEndpoint.of(rows).endpoints(Optional.empty()).isEmpty()) {
                complete.set(initiator);
            } else if (linked.get(initiator) && !reported) {
                reported = true;
                report.error(
                        membership.subnet(),
                        "the endpoint of '" + name(peer) + "' for '" + name(initiator) + "' has no port",
                        "add a port to that endpoint, or a listenPort here");
            }
        }
        return complete;
    }

    private String name(int member) {
        return network.members().get(member).name().value();
    }
}
