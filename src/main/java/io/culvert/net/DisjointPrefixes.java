// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Removes prefixes that are contained in others, as nftables interval sets must not have overlapping elements. */
public final class DisjointPrefixes {

    /** With its address as bytes, which sorting compares often. */
    @SuppressWarnings("ArrayRecordComponent")
    private record Sortable(byte[] address, Prefix prefix) {

        private static final Comparator<Sortable> ORDER = Comparator.comparing(
                        Sortable::address, Arrays::compareUnsigned)
                .thenComparingInt(sortable -> sortable.prefix.length());

        static Sortable of(Prefix prefix) {
            Prefix network = prefix.network();
            return new Sortable(network.address().getAddress(), network);
        }
    }

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
        prefixes.stream()
                .map(Sortable::of)
                .sorted(Sortable.ORDER)
                .map(Sortable::prefix)
                .forEach(prefix -> {
                    if (merged.isEmpty() || !merged.getLast().contains(prefix)) {
                        merged.add(prefix);
                    }
                });
        return merged;
    }
}
