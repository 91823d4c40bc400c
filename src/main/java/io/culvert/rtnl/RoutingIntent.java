// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The routing rules that must take precedence, regardless of the rules of other programs.
 *
 * @param rules of Culvert
 * @param inputLinks the links whose packets they route, in addition to those of local processes
 * @param sharedTables tables that these rules look up and another program fills, each with the only link of its routes
 */
public record RoutingIntent(List<PolicyRule> rules, Set<String> inputLinks, Map<Long, String> sharedTables) {

    public RoutingIntent {
        rules = List.copyOf(rules);
        inputLinks = Set.copyOf(inputLinks);
        sharedTables = Map.copyOf(sharedTables);
    }
}
