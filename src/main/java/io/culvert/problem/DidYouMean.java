package io.culvert.problem;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Suggests the known name that a mistyped name was probably meant to be. */
public final class DidYouMean {

    private DidYouMean() {}

    /** The minimum length of a common prefix; a shorter one suggests nothing. */
    private static final int TELLING = 3;

    /**
     * Returns the known name with the smallest edit distance, ignoring case; a name that is a prefix of the other
     * counts as the maximum distance at most. Empty where all distances are greater than a third of the typed name's
     * length.
     */
    public static Optional<String> nearest(String typed, Collection<String> known) {
        String wanted = typed.toLowerCase(Locale.ROOT);
        int limit = Math.max(1, wanted.length() / 3);
        return known.stream()
                .map(name -> new Candidate(name, steps(wanted, name.toLowerCase(Locale.ROOT), limit)))
                .filter(candidate -> candidate.distance <= limit)
                .min(Comparator.comparingInt(Candidate::distance))
                .map(Candidate::name);
    }

    private static int steps(String wanted, String name, int limit) {
        int shorter = Math.min(wanted.length(), name.length());
        boolean begins = shorter >= TELLING && wanted.startsWith(name.substring(0, shorter));
        boolean alikeInLength = Math.abs(name.length() - wanted.length()) <= Math.min(limit, name.length());
        int steps = alikeInLength ? distance(wanted, name) : Integer.MAX_VALUE;
        return begins ? Math.min(limit, steps) : steps;
    }

    private record Candidate(String name, int distance) {}

    /**
     * Returns the edit distance with insertions, deletions, substitutions and transpositions (optimal string
     * alignment).
     */
    private static int distance(String a, String b) {
        int[][] steps = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    steps[i][j] = i + j;
                    continue;
                }
                int replaced = steps[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                steps[i][j] = Math.min(replaced, 1 + Math.min(steps[i - 1][j], steps[i][j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    steps[i][j] = Math.min(steps[i][j], 1 + steps[i - 2][j - 2]);
                }
            }
        }
        return steps[a.length()][b.length()];
    }
}
