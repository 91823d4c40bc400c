// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A table of any program, with all of its contents, as listed by the kernel.
 *
 * @param family {@code NFPROTO_*} (include/uapi/linux/netfilter.h)
 * @param isDormant whether its chains are not evaluated ({@code NFT_TABLE_F_DORMANT})
 * @param flowtables the names of its flow tables
 */
public record KernelTable(
        int family,
        String name,
        boolean isDormant,
        List<KernelChain> chains,
        List<KernelSet> sets,
        List<String> flowtables) {

    public static final int INET = 1;
    public static final int IPV4 = 2;
    public static final int ARP = 3;
    public static final int NETDEV = 5;
    public static final int BRIDGE = 7;
    public static final int IPV6 = 10;

    private static final Map<Integer, String> FAMILIES =
            Map.of(INET, "inet", IPV4, "ip", ARP, "arp", NETDEV, "netdev", BRIDGE, "bridge", IPV6, "ip6");

    public KernelTable {
        chains = List.copyOf(chains);
        sets = List.copyOf(sets);
        flowtables = List.copyOf(flowtables);
    }

    /** Returns the full name in nft, such as {@code ip6 filter}. */
    public String fullName() {
        return fullName(family, name);
    }

    static String fullName(int family, String name) {
        return FAMILIES.getOrDefault(family, "unknown") + " " + name;
    }

    public boolean is(Table.Id id) {
        return id.is(family, name);
    }

    public Optional<KernelChain> chain(String chain) {
        return chains.stream().filter(it -> it.name().equals(chain)).findFirst();
    }

    public Optional<KernelSet> set(String set) {
        return sets.stream().filter(it -> it.name().equals(set)).findFirst();
    }
}
