// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** The pieces of plans without which the same packets pass, and why they are there. */
final class UnneededPieces {

    /** The reason of a piece that decides something in another plan, which is checked. */
    static final String ELSEWHERE = "decides in another plan";

    private static final String LOOPBACK = "packets over loopback are not followed further";
    private static final String SECOND = "one of two that each block the same: a rule, to be counted, and the policy";
    private static final String HOOKS = "one of two that each block the same, in two hooks";
    private static final String TAILSCALE = "about Tailscale's own rules and routes, which are not in the plan";
    private static final String PORT =
            "changes the destination port of what comes to this machine anyway, which is not compared";
    private static final String EMPTY = "its set is empty in these plans";
    private static final String IPV4_ONLY = "this mesh interface has no IPv6 addresses";
    private static final String ROUTER = "the router's address is link-local in these plans";
    private static final String NO_ROUTE = "blocks where the tunnel's table has no route, as before there is a tunnel";

    /** By what is in their names. */
    private static final SequencedMap<String, String> REASONS = new LinkedHashMap<>();

    static {
        REASONS.put("pref 5325 oif", "the kernel itself looks up a gateway by it");
        REASONS.put("rule pref 5340 not", NO_ROUTE);
        REASONS.put("rule pref 5311 iif", NO_ROUTE);
        REASONS.put("rule pref 5191 from 192.168.7.2 ", "the rule for strict rp_filter admits the same and more");
        REASONS.put("\"not redirected: bypass", "a bypass to port 53 needs it, and these plans have none");
        REASONS.put("\"from loopback\"", LOOPBACK);
        REASONS.put("\"redirected to the DNS stub", LOOPBACK);
        REASONS.put("element \"lo\" of \"anti-spoofing", LOOPBACK);
        REASONS.put("chain inbound", "marks the connection, which decides about later packets of it");
        REASONS.put("\"clamp MSS", "changes a TCP option");
        REASONS.put("\"masquerade", "changes the source address, which is not compared");
        REASONS.put("\"random source ports", "changes the source port, which is not compared");
        REASONS.put("\"redirect DNS queries from the mesh", PORT);
        REASONS.put("\"bypass, IPv6\", chain uplink", EMPTY);
        REASONS.put("element \"mesh1\" of \"replies from the tunnel's address, IPv6\"", IPV4_ONLY);
        REASONS.put(
                "element \"mesh1\" of \"nothing else to loopback or mesh from the tunnel's address, IPv6\"", IPV4_ONLY);
        REASONS.put("\"neighbour discovery in the link's networks\"", ROUTER);
        REASONS.put("of set neighbours6", ROUTER);
        REASONS.put("\"nothing else from the uplink\"", SECOND);
        REASONS.put("\"not forwarded\"", SECOND);
        REASONS.put("\"rejected on the uplink\"", SECOND);
        REASONS.put("\"rerouted to the uplink\"", SECOND);
        REASONS.put("\"rejected from the mesh\"", SECOND);
        REASONS.put("\"nothing else to the mesh", SECOND);
        REASONS.put("policy of chain", SECOND);
        REASONS.put("\"mesh destinations never enter the tunnel", HOOKS);
        REASONS.put("lookup 52 suppress_prefixlength", TAILSCALE);
        REASONS.put("rule pref 5199 not", TAILSCALE);
        REASONS.put("element \"mesh0\" of \"no multicast into tunnel or mesh", SECOND);
        REASONS.put("element \"mesh1\" of \"no multicast into tunnel or mesh", SECOND);
        REASONS.put("element \"tailscale0\" of \"no multicast into tunnel or mesh", SECOND);
        REASONS.put("\"no multicast into tunnel or mesh, IPv6\"", ELSEWHERE);
        REASONS.put("\"no DNS outside the tunnel\"", ELSEWHERE);
        REASONS.put("ip -6 rule pref 5330 not", ELSEWHERE);
    }

    private UnneededPieces() {}

    /** Returns why a piece is there, by its name. */
    static Optional<String> reason(String name) {
        return REASONS.entrySet().stream()
                .filter(entry -> name.contains(entry.getKey()))
                .map(Map.Entry::getValue)
                .findFirst();
    }
}
