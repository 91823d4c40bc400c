package io.culvert.ip;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a set of prefixes leaves over of a family, computed, so that {@code 0.0.0.0/0}, two halves and a long list with
 * holes are all told by what they cover and not by how they are written.
 *
 * @param remainder what no prefix covers: the shortest list, in ascending order; empty where all is covered
 */
public record Coverage(Family family, List<Prefix> remainder) {

    /** How much of a family is covered. */
    public enum Extent {
        NONE,
        PARTIAL,
        FULL
    }

    private static final Comparator<Prefix> BY_ADDRESS =
            Comparator.comparing(prefix -> prefix.address().getAddress(), Arrays::compareUnsigned);

    public Coverage {
        remainder = List.copyOf(remainder);
    }

    /** Of one family; prefixes of the other are passed over. */
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
     * Whether everything but private and special-purpose space is covered: what is meant by a list such as "all but
     * 192.168.0.0/16", or by {@code 2000::/3}. What remains may still be reached by nobody: see {@link #remainder()}.
     */
    public boolean isFullTunnel() {
        return withoutSpecialPurpose().isEmpty();
    }

    /** The public addresses that no prefix covers. */
    private List<Prefix> withoutSpecialPurpose() {
        List<Prefix> special = disjoint(family, SpecialPurpose.prefixes(family));
        List<Prefix> left = new ArrayList<>();
        for (Prefix prefix : remainder) {
            subtract(prefix, special.stream().filter(prefix::overlaps).toList(), left);
        }
        return left;
    }

    /**
     * The family of which a list of exceptions is no exception any more: half of all public addresses or more, or one
     * prefix that is half of a family. Such a list stands for a default route, however it is written.
     */
    public static Optional<Family> mostOf(Collection<Prefix> prefixes) {
        return Arrays.stream(Family.values())
                .filter(family ->
                        prefixes.stream().anyMatch(prefix -> prefix.family() == family && prefix.length() <= 1)
                                || isMost(family, prefixes))
                .findFirst();
    }

    /** By adding up sizes: what such a list leaves over would be a hundred times as long as the list. */
    private static boolean isMost(Family family, Collection<Prefix> prefixes) {
        List<Prefix> special = SpecialPurpose.prefixes(family);
        double reserved = share(disjoint(family, special));
        double covered = share(disjoint(
                        family,
                        Stream.concat(prefixes.stream(), special.stream()).toList()))
                - reserved;
        return covered >= (1 - reserved) / 2;
    }

    /** Of the whole family. */
    private static double share(List<Prefix> disjoint) {
        return disjoint.stream()
                .mapToDouble(prefix -> Math.scalb(1.0, -prefix.length()))
                .sum();
    }

    /** The prefixes of a family that lie in no other one of them, in ascending order. */
    private static List<Prefix> disjoint(Family family, Collection<Prefix> prefixes) {
        List<Prefix> sorted = prefixes.stream()
                .filter(prefix -> prefix.family() == family)
                .map(Prefix::network)
                .sorted(BY_ADDRESS.thenComparingInt(Prefix::length))
                .toList();
        List<Prefix> disjoint = new ArrayList<>();
        for (Prefix prefix : sorted) {
            if (disjoint.isEmpty() || !disjoint.getLast().contains(prefix)) {
                disjoint.add(prefix);
            }
        }
        return disjoint;
    }

    /**
     * Adds to {@code left} what {@code prefixes} do not cover of a block.
     *
     * @param prefixes disjoint and in ascending order, which all overlap the block
     */
    private static void subtract(Prefix block, List<Prefix> prefixes, List<Prefix> left) {
        if (prefixes.isEmpty()) {
            left.add(block);
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
        subtract(halves.getFirst(), prefixes.subList(0, upper), left);
        subtract(halves.getLast(), prefixes.subList(upper, prefixes.size()), left);
    }
}
