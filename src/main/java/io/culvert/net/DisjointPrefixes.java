// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Removes prefixes that are contained in others, as nftables interval sets must not have overlapping elements. */
public final class DisjointPrefixes {

    private static final Comparator<Prefix> ORDER = Comparator.comparing(
                    (Prefix prefix) -> prefix.address().getAddress(), Arrays::compareUnsigned)
            .thenComparingInt(Prefix::length);

    private DisjointPrefixes() {}

    /**
     * Returns the prefixes without those that are contained in another one.
     *
     * @param prefixes of one family
     * @return networks in the order of their addresses
     */
    public static List<Prefix> of(Collection<Prefix> prefixes) {
        List<Prefix> merged = new ArrayList<>();
        // Two prefixes are nested or disjoint, so only the last one kept can contain the next one.
        prefixes.stream().map(Prefix::network).sorted(ORDER).forEach(prefix -> {
            if (merged.isEmpty() || !merged.getLast().contains(prefix)) {
                merged.add(prefix);
            }
        });
        return merged;
    }
}
