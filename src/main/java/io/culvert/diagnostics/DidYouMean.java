// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Suggests the known name that a mistyped name was probably meant to be. */
public final class DidYouMean {

    private DidYouMean() {}

    /** The minimum length of a common prefix; a shorter one suggests nothing. */
    private static final int MIN_PREFIX = 3;

    /**
     * Returns the known name with the smallest edit distance, ignoring case; a name that is a prefix of the other
     * counts as the maximum distance at most. Empty if all distances are greater than a third of the typed name's
     * length.
     */
    public static Optional<String> nearest(String typed, Collection<String> words) {
        String lowerCase = typed.toLowerCase(Locale.ROOT);
        int limit = Math.max(1, lowerCase.length() / 3);
        return words.stream()
                .map(name -> new Candidate(name, limitedDistance(lowerCase, name.toLowerCase(Locale.ROOT), limit)))
                .filter(candidate -> candidate.distance <= limit)
                .min(Comparator.comparingInt(Candidate::distance))
                .map(Candidate::name);
    }

    private static int limitedDistance(String lowerCase, String name, int limit) {
        int shorter = Math.min(lowerCase.length(), name.length());
        boolean isPrefix = shorter >= MIN_PREFIX && lowerCase.startsWith(name.substring(0, shorter));
        boolean isSimilarLength = Math.abs(name.length() - lowerCase.length()) <= Math.min(limit, name.length());
        int distances = isSimilarLength ? distance(lowerCase, name) : Integer.MAX_VALUE;
        return isPrefix ? Math.min(limit, distances) : distances;
    }

    private record Candidate(String name, int distance) {}

    /**
     * Returns the edit distance with insertions, deletions, substitutions and transpositions (optimal string
     * alignment).
     */
    private static int distance(String a, String b) {
        int[][] distances = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    distances[i][j] = i + j;
                    continue;
                }
                int replaced = distances[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                distances[i][j] = Math.min(replaced, 1 + Math.min(distances[i - 1][j], distances[i][j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    distances[i][j] = Math.min(distances[i][j], 1 + distances[i - 2][j - 2]);
                }
            }
        }
        return distances[a.length()][b.length()];
    }
}
