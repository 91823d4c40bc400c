// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import io.culvert.diagnostics.ProblemException;
import io.culvert.net.Family;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.MatchField.Property;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Nftables;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;

/**
 * Drops packets from a peer's previous endpoint during a probe, with an nftables table of its own. A table that was
 * left by a killed process is removed at the start.
 */
final class BlockedEndpoint {

    static final Table.Id TABLE = new Table.Id(Table.Family.INET, "culvert_probe");

    /** Before connection tracking ({@code NF_IP_PRI_RAW}, include/uapi/linux/netfilter_ipv4.h). */
    private static final int RAW_PRIORITY = -300;

    private final Optional<Nftables> nftables;
    private boolean tablePresent;

    /**
     * Creates the filter and removes a table that an earlier process left.
     *
     * @param nftables empty where it is not usable; changes of the endpoint under traffic may then take several
     *     attempts
     */
    BlockedEndpoint(Optional<Nftables> nftables) {
        this.nftables = nftables;
        this.tablePresent = true;
        unblock();
    }

    /**
     * Drops packets from an endpoint.
     *
     * @param port the listen port of the device
     */
    void block(InetSocketAddress endpoint, int port) {
        NftRule rule = NftRule.of(
                "drop packets from the previous endpoint during a probe",
                Statement.is(
                        Family.of(endpoint.getAddress()) == Family.IPV4 ? Property.IPV4_SOURCE : Property.IPV6_SOURCE,
                        NftValue.Address.of(endpoint.getAddress())),
                Statement.is(Property.UDP_SOURCE_PORT, new NftValue.Decimal(endpoint.getPort())),
                Statement.is(Property.UDP_DESTINATION_PORT, new NftValue.Decimal(port)),
                Verdict.DROP);
        Chain chain = Chain.filter("previous_endpoint", Hook.PREROUTING, RAW_PRIORITY, Policy.ACCEPT, List.of(rule));
        tablePresent = true;
        nftables.ifPresent(tables -> {
            try {
                tables.apply(List.of(new Table(TABLE, List.of(), List.of(chain))));
            } catch (ProblemException _) {
                // Without the table the probe may fail, and is repeated later.
            }
        });
    }

    void unblock() {
        if (tablePresent) {
            nftables.ifPresent(tables -> tables.remove(List.of(TABLE)));
            tablePresent = false;
        }
    }
}
