package io.culvert.topology;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Checks that connections join only peers of a subnet, and that one side of each link has an endpoint. */
final class LinkChecks {

    /** The number of names in a message. */
    private static final int ENOUGH = 3;

    private final Network network;
    private final Links links;
    private final Endpoints endpoints;
    private final Report report;

    LinkChecks(Network network, Links links, Endpoints endpoints, Report report) {
        this.network = network;
        this.links = links;
        this.endpoints = endpoints;
        this.report = report;
    }

    void run() {
        for (int connection = 0; connection < network.connections().size(); connection++) {
            for (int subnet = 0; subnet < network.subnets().size(); subnet++) {
                strangers(connection, subnet);
            }
        }
        BitSet linked = new BitSet();
        for (int subnet = 0; subnet < network.subnets().size(); subnet++) {
            meetings(subnet, linked);
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
    private void strangers(int connection, int subnet) {
        links.stranger(connection, subnet).ifPresent(pair -> {
            Connection at = network.connections().get(connection);
            String name = network.subnets().get(subnet).name().value();
            String shared = IntStream.range(0, network.subnets().size())
                    .filter(it -> links.members(it).get(pair.member())
                            && links.members(it).get(pair.stranger()))
                    .mapToObj(it -> network.subnets().get(it).name().value())
                    .collect(Collectors.joining(", "));
            report.error(
                    at.line(),
                    at.column(),
                    "this connection links '" + name(pair.member()) + "' with '" + name(pair.stranger())
                            + "' in subnet '" + name + "', but '" + name(pair.stranger()) + "' does not belong to it",
                    at.subnets().isPresent() || shared.isEmpty()
                            ? "select fewer peers, or add '" + name + "' to the subnets of '" + name(pair.stranger())
                                    + "'"
                            : "name its subnets, such as 'subnets: [" + shared + "]', or select fewer peers");
        });
    }

    private void meetings(int subnet, BitSet linked) {
        BitSet members = links.members(subnet);
        List<BitSet> callers = new ArrayList<>();
        BitSet notForAll = new BitSet();
        for (int i = 0; i < network.members().size(); i++) {
            callers.add(members.get(i) ? callers(i, subnet) : new BitSet());
            BitSet others = (BitSet) members.clone();
            others.andNot(callers.get(i));
            others.clear(i);
            notForAll.set(i, !others.isEmpty());
        }
        for (int one = members.nextSetBit(0); one >= 0; one = members.nextSetBit(one + 1)) {
            BitSet apart = links.of(one, subnet);
            if (!apart.isEmpty()) {
                linked.set(one);
            }
            // Checks each pair once, without peers that have an endpoint for all others or for this one.
            apart.clear(0, one);
            apart.and(notForAll);
            apart.andNot(callers.get(one));
            List<Integer> never = new ArrayList<>();
            for (int other = apart.nextSetBit(0); other >= 0; other = apart.nextSetBit(other + 1)) {
                if (!callers.get(other).get(one)) {
                    never.add(other);
                }
            }
            tell(one, never, subnet);
        }
    }

    private void tell(int one, List<Integer> never, int subnet) {
        if (never.isEmpty()) {
            return;
        }
        String names =
                never.stream().limit(ENOUGH).map(it -> "'" + name(it) + "'").collect(Collectors.joining(", "));
        int more = never.size() - ENOUGH;
        report.error(
                network.members().get(one).name(),
                "'" + name(one) + "' is linked with " + names + (more > 0 ? " and " + more + " more" : "")
                        + " in subnet '" + network.subnets().get(subnet).name().value()
                        + "', but neither side has an endpoint for the other",
                "add an endpoint with an ip to one of them, or exclude the pair from the connection");
    }

    /** Returns the peers for which an endpoint of this peer applies. */
    private BitSet callers(int peer, int subnet) {
        BitSet callers = endpoints.seeingHost(peer, subnet);
        Membership membership = network.members()
                .get(peer)
                .in(network.subnets().get(subnet).name().value())
                .orElseThrow();
        if (membership.listenPort().isPresent()) {
            return callers;
        }
        BitSet complete = new BitSet();
        boolean told = false;
        BitSet linked = links.of(peer, subnet);
        for (int caller = callers.nextSetBit(0); caller >= 0; caller = callers.nextSetBit(caller + 1)) {
            List<EndpointRow> rows = endpoints.seen(caller, peer, subnet);
            if (!MergedEndpoint.of(rows).places(Optional.empty()).isEmpty()) {
                complete.set(caller);
            } else if (linked.get(caller) && !told) {
                told = true;
                report.error(
                        membership.subnet(),
                        "the endpoint of '" + name(peer) + "' for '" + name(caller) + "' has no port",
                        "add a port to that endpoint, or a listenPort here");
            }
        }
        return complete;
    }

    private String name(int member) {
        return network.members().get(member).name().value();
    }
}
