package io.culvert.migration;

import io.culvert.ip.Family;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.Field.Property;
import io.culvert.nft.Nftables;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import io.culvert.nft.Value;
import io.culvert.problem.ProblemException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;

/**
 * A place that a device does not listen to for a moment, by a table of its own; one that was left closed by a run that was
 * killed is opened at the start.
 */
final class ClosedPlace {

    static final Table.Id TABLE = new Table.Id(Table.Family.INET, "culvert_excursion");

    /** Before connection tracking (include/uapi/linux/netfilter_ipv4.h: {@code NF_IP_PRI_RAW}). */
    private static final int RAW = -300;

    private final Optional<Nftables> nftables;
    private boolean closed;

    /** @param nftables empty where they cannot be used: then moves under traffic may take several attempts */
    ClosedPlace(Optional<Nftables> nftables) {
        this.nftables = nftables;
        this.closed = true;
        open();
    }

    /** @param port where the device listens */
    void close(InetSocketAddress place, int port) {
        Rule rule = Rule.of(
                "not from the former place while a peer is looked for elsewhere",
                Statement.is(
                        Family.of(place.getAddress()) == Family.IPV4 ? Property.IPV4_SOURCE : Property.IPV6_SOURCE,
                        Value.Address.of(place.getAddress())),
                Statement.is(Property.UDP_SOURCE_PORT, new Value.Decimal(place.getPort())),
                Statement.is(Property.UDP_DESTINATION_PORT, new Value.Decimal(port)),
                Verdict.DROP);
        Chain chain = Chain.base("former_place", Chain.Type.FILTER, Hook.PREROUTING, RAW, Policy.ACCEPT, List.of(rule));
        closed = true;
        nftables.ifPresent(tables -> {
            try {
                tables.apply(List.of(new Table(TABLE, List.of(), List.of(chain))));
            } catch (ProblemException _) {
                // It is but a help.
            }
        });
    }

    void open() {
        if (closed) {
            nftables.ifPresent(tables -> tables.remove(List.of(TABLE)));
            closed = false;
        }
    }
}
