// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Selector;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** Every change of one routing rule or route: removed, widened, or in another order. */
public final class NetworkMutations {

    private final NetworkState network;
    private final List<NetworkMutant> mutants = new ArrayList<>();

    private NetworkMutations(NetworkState network) {
        this.network = network;
    }

    public static List<NetworkMutant> removals(NetworkState network) {
        NetworkMutations mutations = new NetworkMutations(network);
        network.rules().forEach(rule -> mutations.replace("", rule, Optional.empty()));
        network.routes().forEach(route -> mutations.replace("", route, Optional.empty()));
        return mutations.mutants;
    }

    /** Returns the state without each condition of each rule, and with each network made wider. */
    public static List<NetworkMutant> widenings(NetworkState network) {
        NetworkMutations mutations = new NetworkMutations(network);
        network.rules().forEach(mutations::widenings);
        for (Route route : network.routes()) {
            int length = route.destination().length();
            if (length > 0) {
                mutations.widen(route, length - 1);
            }
            if (length > 1) {
                mutations.widen(route, 0);
            }
        }
        return mutations.mutants;
    }

    /** Returns the state with each two rules that follow each other in the other order. */
    public static List<NetworkMutant> reorderings(NetworkState network) {
        NetworkMutations mutations = new NetworkMutations(network);
        for (Family family : Family.values()) {
            List<PolicyRule> rules = network.rules().stream()
                    .filter(rule -> rule.family() == family)
                    .sorted(Comparator.comparingInt(PolicyRule::preference))
                    .toList();
            for (int i = 0; i + 1 < rules.size(); i++) {
                mutations.swap(rules.get(i), rules.get(i + 1));
            }
        }
        return mutations.mutants;
    }

    private void widenings(PolicyRule rule) {
        Selector selector = rule.selector();
        selector.from().ifPresent(prefix -> {
            widen("'from'", rule, it -> it.from = Optional.empty());
            widen("a bit of 'from'", rule, it -> it.from = Optional.of(shorter(prefix)));
        });
        selector.to().ifPresent(prefix -> {
            widen("'to'", rule, it -> it.to = Optional.empty());
            widen("a bit of 'to'", rule, it -> it.to = Optional.of(shorter(prefix)));
        });
        selector.inputLink().ifPresent(_ -> widen("'iif'", rule, it -> it.inputLink = Optional.empty()));
        selector.outputLink().ifPresent(_ -> widen("'oif'", rule, it -> it.outputLink = Optional.empty()));
        selector.mark()
                .ifPresent(_ -> widen("'fwmark'", rule, it -> {
                    it.mark = Optional.empty();
                    // Without any condition, an inverted rule would match nothing.
                    it.inverted = false;
                }));
        selector.transport().ifPresent(_ -> widen("'ipproto'", rule, it -> it.transport = Optional.empty()));
        selector.sourcePort().ifPresent(_ -> widen("'sport'", rule, it -> it.sourcePort = OptionalInt.empty()));
        selector.destinationPort()
                .ifPresent(_ -> widen("'dport'", rule, it -> it.destinationPort = OptionalInt.empty()));
        if (rule.action() instanceof Action.Lookup(long table, OptionalInt suppressed) && suppressed.isPresent()) {
            replace(
                    "'suppress_prefixlength' of ",
                    rule,
                    Optional.of(new PolicyRule(rule.family(), rule.preference(), selector, Action.Lookup.of(table))));
        }
    }

    private static Prefix shorter(Prefix prefix) {
        return new Prefix(prefix.address(), prefix.length() - 1).network();
    }

    private void widen(String what, PolicyRule rule, Consumer<Selector.Fields> change) {
        replace(
                what + " of ",
                rule,
                Optional.of(new PolicyRule(
                        rule.family(), rule.preference(), rule.selector().with(change), rule.action())));
    }

    private void widen(Route route, int length) {
        Prefix destination = new Prefix(route.destination().address(), length).network();
        replace(
                "as " + IpSyntax.destination(destination) + ", ",
                route,
                Optional.of(new Route(
                        route.type(),
                        destination,
                        route.table(),
                        route.link(),
                        route.gateway(),
                        route.mtu(),
                        route.metric())));
    }

    private void swap(PolicyRule first, PolicyRule second) {
        List<PolicyRule> rules = new ArrayList<>(network.rules());
        rules.set(network.rules().indexOf(first), with(second, first.preference()));
        rules.set(network.rules().indexOf(second), with(first, second.preference()));
        mutants.add(new NetworkMutant(
                "after '" + text(second) + "': " + text(first),
                first.family(),
                new NetworkState(network.links(), network.addresses(), network.routes(), rules)));
    }

    private static PolicyRule with(PolicyRule rule, int preference) {
        return new PolicyRule(rule.family(), preference, rule.selector(), rule.action());
    }

    private void replace(String what, PolicyRule rule, Optional<PolicyRule> other) {
        List<PolicyRule> rules = new ArrayList<>(network.rules());
        int position = rules.indexOf(rule);
        rules.remove(position);
        other.ifPresent(it -> rules.add(position, it));
        mutants.add(new NetworkMutant(
                what + text(rule),
                rule.family(),
                new NetworkState(network.links(), network.addresses(), network.routes(), rules)));
    }

    private void replace(String what, Route route, Optional<Route> other) {
        List<Route> routes = new ArrayList<>(network.routes());
        int position = routes.indexOf(route);
        routes.remove(position);
        other.ifPresent(it -> routes.add(position, it));
        mutants.add(new NetworkMutant(
                what + IpSyntax.add(route).replace(" add", "").replace(" protocol " + Ownership.PROTOCOL, ""),
                route.family(),
                new NetworkState(network.links(), network.addresses(), routes, network.rules())));
    }

    private static String text(PolicyRule rule) {
        return IpSyntax.text(rule);
    }
}
