package io.culvert.network;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a set of routing rules is to decide, however many rules of other programs there are.
 *
 * @param rules of ours
 * @param innerLinks whose packets are decided too, beside those of local processes
 * @param shared tables that our rules look up and another program fills, each with the one link that its routes lead to
 */
public record RoutingClaim(List<Rule> rules, Set<String> innerLinks, Map<Long, String> shared) {

    public RoutingClaim {
        rules = List.copyOf(rules);
        innerLinks = Set.copyOf(innerLinks);
        shared = Map.copyOf(shared);
    }
}
