package io.culvert.network;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The routing rules that must take precedence, whatever rules other programs have.
 *
 * @param rules of Culvert
 * @param innerLinks the links whose packets they route, in addition to those of local processes
 * @param shared tables that these rules look up and another program fills, each with the only link of its routes
 */
public record RoutingClaim(List<Rule> rules, Set<String> innerLinks, Map<Long, String> shared) {

    public RoutingClaim {
        rules = List.copyOf(rules);
        innerLinks = Set.copyOf(innerLinks);
        shared = Map.copyOf(shared);
    }
}
