package io.culvert.plan;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.nft.NamedSet;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/** Builds the sets and rules of the allowed local networks, which are reached, and reach this node, outside the tunnel. */
final class Lan {

    private final List<Prefix> networks;

    Lan(List<Prefix> networks) {
        this.networks = networks;
    }

    List<NamedSet> sets() {
        return families().stream()
                .map(family -> new NamedSet(
                        name(family),
                        List.of(family == Family.IPV4 ? NamedSet.Part.IPV4 : NamedSet.Part.IPV6),
                        true,
                        Disjoint.of(of(family)).stream()
                                .<Value>map(Value.Address::new)
                                .toList()))
                .toList();
    }

    List<Rule> reached() {
        return rules("to the allowed LAN", Match::sentTo);
    }

    List<Rule> reaching() {
        return rules("from the allowed LAN", Match::sentFrom);
    }

    private List<Rule> rules(String comment, BiFunction<Family, Value, Statement> match) {
        List<Rule> rules = new ArrayList<>();
        for (Family family : families()) {
            rules.add(Rule.of(
                    comment + ", " + GuardRuleset.name(family),
                    match.apply(family, new Value.In(name(family))),
                    Verdict.ACCEPT));
        }
        return rules;
    }

    private List<Family> families() {
        return Arrays.stream(Family.values())
                .filter(family -> !of(family).isEmpty())
                .toList();
    }

    private List<Prefix> of(Family family) {
        return networks.stream().filter(prefix -> prefix.family() == family).toList();
    }

    private static String name(Family family) {
        return family == Family.IPV4 ? "lan4" : "lan6";
    }
}
