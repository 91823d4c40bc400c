// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** The plans of which each piece is changed: every kind of rule, route and set is in one of them. */
final class MutatedPlans {

    /** Their titles, by the names of the examples. */
    static final SequencedMap<String, String> NAMES = new LinkedHashMap<>();

    static {
        NAMES.put("no-ipv6", "plain, without IPv6");
        NAMES.put("ipv4-only-file", "local networks; IPv6 on the machine only");
        NAMES.put("strict-reverse-path", "published ports, strict rp_filter");
        NAMES.put("names-resolved", "bypass by name");
        NAMES.put("tailscale", "Tailscale with an advertised subnet");
        NAMES.put("several-subnets-of-a-network-file", "two WireGuard meshes");
        NAMES.put("dual-stack-with-everything", "IPv6, bypasses, LAN, published ports, WireGuard mesh, proxy");
    }

    private MutatedPlans() {}
}
