package io.culvert.ip;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

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

    public Coverage {
        remainder = List.copyOf(remainder);
    }

    /** Of one family; prefixes of the other are passed over. */
    public static Coverage of(Family family, Collection<Prefix> prefixes) {
        List<Prefix> own = prefixes.stream()
                .filter(prefix -> prefix.family() == family)
                .distinct()
                .toList();
        List<Prefix> remainder = new ArrayList<>();
        subtract(Prefix.all(family), own, remainder);
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
        List<Prefix> left = new ArrayList<>();
        for (Prefix prefix : remainder) {
            List<Prefix> special = SpecialPurpose.prefixes(family).stream()
                    .filter(prefix::overlaps)
                    .toList();
            subtract(prefix, special, left);
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

    private static boolean isMost(Family family, Collection<Prefix> prefixes) {
        double left = size(of(family, prefixes).withoutSpecialPurpose());
        return left <= size(of(family, List.of()).withoutSpecialPurpose()) / 2;
    }

    /** As a share of the whole family. */
    private static double size(List<Prefix> disjoint) {
        return disjoint.stream()
                .mapToDouble(prefix -> Math.scalb(1.0, -prefix.length()))
                .sum();
    }

    /** Adds to {@code left} what {@code prefixes}, which all overlap {@code block}, do not cover of it. */
    private static void subtract(Prefix block, List<Prefix> prefixes, List<Prefix> left) {
        if (prefixes.isEmpty()) {
            left.add(block);
            return;
        }
        if (prefixes.stream().anyMatch(prefix -> prefix.length() <= block.length())) {
            return;
        }
        List<Prefix> halves = block.halves();
        subtract(halves.getFirst(), withBit(prefixes, block.length(), false), left);
        subtract(halves.getLast(), withBit(prefixes, block.length(), true), left);
    }

    private static List<Prefix> withBit(List<Prefix> prefixes, int bit, boolean set) {
        return prefixes.stream()
                .filter(prefix -> ((prefix.address().getAddress()[bit / 8] << (bit % 8)) & 0x80) != 0 == set)
                .toList();
    }
}
