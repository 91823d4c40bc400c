// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/** Builds the sets and rules of the allowed local networks, which are reached, and reach this node, outside the tunnel. */
final class LocalNetworks {

    private final List<Prefix> networks;

    LocalNetworks(List<Prefix> networks) {
        this.networks = networks;
    }

    List<NamedSet> sets() {
        return families().stream()
                .map(family -> NamedSet.ofPrefixes(name(family), family, networks))
                .toList();
    }

    List<NftRule> outputRules() {
        return rules("to the allowed LAN", Matches::toAddress);
    }

    List<NftRule> inputRules() {
        return rules("from the allowed LAN", Matches::fromAddress);
    }

    private List<NftRule> rules(String comment, BiFunction<Family, NftValue, Statement> match) {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : families()) {
            rules.add(NftRule.of(
                    comment + ", " + family.text(),
                    match.apply(family, new NftValue.In(name(family))),
                    Verdict.ACCEPT));
        }
        return rules;
    }

    private List<Family> families() {
        return Arrays.stream(Family.values())
                .filter(family -> !prefixes(family).isEmpty())
                .toList();
    }

    private List<Prefix> prefixes(Family family) {
        return networks.stream().filter(prefix -> prefix.family() == family).toList();
    }

    private static String name(Family family) {
        return family == Family.IPV4 ? "lan4" : "lan6";
    }
}
