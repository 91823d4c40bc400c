package io.culvert.plan;

import io.culvert.ip.Prefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Prefixes without those that lie in another, as an nftables set of intervals wants them. */
final class Disjoint {

    private static final Comparator<Prefix> ORDER = Comparator.comparing(
                    (Prefix prefix) -> prefix.address().getAddress(), Arrays::compareUnsigned)
            .thenComparingInt(Prefix::length);

    private Disjoint() {}

    /**
     * @param prefixes of one family
     * @return networks in the order of their addresses
     */
    static List<Prefix> of(Collection<Prefix> prefixes) {
        List<Prefix> kept = new ArrayList<>();
        // Prefixes nest or are apart, so only the last one kept can hold the next.
        prefixes.stream().map(Prefix::network).sorted(ORDER).forEach(prefix -> {
            if (kept.isEmpty() || !kept.getLast().contains(prefix)) {
                kept.add(prefix);
            }
        });
        return kept;
    }
}
