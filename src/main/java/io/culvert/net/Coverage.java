// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * The part of an address family that a set of prefixes covers, computed, so that {@code 0.0.0.0/0}, its two halves and
 * a long list with gaps are compared by what they cover and not by how they are written.
 *
 * @param remainder the addresses that no prefix covers, as the shortest list in ascending order; empty if all are
 *     covered
 */
public record Coverage(Family family, List<Prefix> remainder) {

    private static final double SPECIAL_IPV4 = share(disjoint(Family.IPV4, SpecialRange.all(Family.IPV4)));
    private static final double SPECIAL_IPV6 = share(disjoint(Family.IPV6, SpecialRange.all(Family.IPV6)));

    /** The extent of the coverage. */
    public enum Extent {
        NONE,
        PARTIAL,
        FULL
    }

    public Coverage {
        remainder = List.copyOf(remainder);
    }

    /** Returns the coverage of one family; prefixes of the other are ignored. */
    public static Coverage of(Family family, Collection<Prefix> prefixes) {
        List<Prefix> remainder = new ArrayList<>();
        subtract(Prefix.all(family), disjoint(family, prefixes), remainder);
        return new Coverage(family, remainder);
    }

    public Extent extent() {
        if (remainder.isEmpty()) {
            return Extent.FULL;
        }
        return remainder.getFirst().isDefault() ? Extent.NONE : Extent.PARTIAL;
    }

    /**
     * Returns whether everything except private and special-purpose addresses is covered: the meaning of a list such as
     * "all but 192.168.0.0/16", or of {@code 2000::/3}. Addresses of {@link #remainder()} may still be unreachable.
     */
    public boolean isFullTunnel() {
        return withoutSpecialPurpose().isEmpty();
    }

    /** Returns the public addresses that no prefix covers. */
    private List<Prefix> withoutSpecialPurpose() {
        List<Prefix> special = disjoint(family, SpecialRange.all(family));
        List<Prefix> result = new ArrayList<>();
        for (Prefix prefix : remainder) {
            subtract(prefix, special.stream().filter(prefix::overlaps).toList(), result);
        }
        return result;
    }

    /**
     * Returns the family of which the prefixes are most: half of all public addresses or more, or one prefix that is
     * half of the family. Such a list is a default route and no list of exceptions, however it is written.
     */
    public static Optional<Family> mostlyCoveredFamily(Collection<Prefix> prefixes) {
        for (Family family : Family.values()) {
            if (coversMost(family, prefixes)) {
                return Optional.of(family);
            }
        }
        return Optional.empty();
    }

    /**
     * Returns whether the prefixes are most of a family, by adding up their sizes: the remainder of such a list would
     * be a hundred times as long as the list.
     */
    private static boolean coversMost(Family family, Collection<Prefix> prefixes) {
        double special = family == Family.IPV4 ? SPECIAL_IPV4 : SPECIAL_IPV6;
        double most = (1 - special) / 2;
        double sizes = 0;
        for (Prefix prefix : prefixes) {
            if (prefix.family() == family) {
                if (prefix.length() <= 1) {
                    return true;
                }
                sizes += share(prefix);
            }
        }
        // They cover no more than their sizes together. This is asked for each of ten thousand bypasses.
        if (sizes < most) {
            return false;
        }
        List<Prefix> all = new ArrayList<>(prefixes);
        all.addAll(SpecialRange.all(family));
        return share(disjoint(family, all)) - special >= most;
    }

    /** Returns the share of the prefixes in their family, from 0 to 1. */
    private static double share(List<Prefix> disjoint) {
        return disjoint.stream().mapToDouble(Coverage::share).sum();
    }

    private static double share(Prefix prefix) {
        return Math.scalb(1.0, -prefix.length());
    }

    private static List<Prefix> disjoint(Family family, Collection<Prefix> prefixes) {
        return DisjointPrefixes.of(
                prefixes.stream().filter(prefix -> prefix.family() == family).toList());
    }

    /**
     * Adds to {@code result} what the prefixes do not cover of a block.
     *
     * @param prefixes disjoint, in ascending order, and all overlapping the block
     */
    private static void subtract(Prefix block, List<Prefix> prefixes, List<Prefix> result) {
        if (prefixes.isEmpty()) {
            result.add(block);
            return;
        }
        if (prefixes.getFirst().contains(block)) {
            return;
        }
        List<Prefix> halves = block.halves();
        int upper = 0;
        while (upper < prefixes.size() && halves.getFirst().contains(prefixes.get(upper))) {
            upper++;
        }
        subtract(halves.getFirst(), prefixes.subList(0, upper), result);
        subtract(halves.getLast(), prefixes.subList(upper, prefixes.size()), result);
    }
}
