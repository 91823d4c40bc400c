// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problem.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Formats problems for standard error: errors last, where a user of a terminal looks first, then their number. */
final class ProblemReport {

    private static final String RED = "\u001b[31m";
    private static final String YELLOW = "\u001b[33m";
    private static final String PLAIN = "\u001b[0m";

    private final boolean colour;

    /** @param colour for a terminal only */
    ProblemReport(boolean colour) {
        this.colour = colour;
    }

    List<String> lines(List<Problem> problems) {
        List<String> lines = new ArrayList<>();
        problems.stream()
                .sorted(Comparator.comparing((Problem problem) -> problem.kind().isError()))
                .forEach(problem ->
                        problem.toString().lines().forEach(line -> lines.add(coloured(problem.kind(), line))));
        long errors =
                problems.stream().filter(problem -> problem.kind().isError()).count();
        if (errors > 1) {
            lines.add(errors + " errors");
        }
        return lines;
    }

    /** Returns a line with its colour. Control characters from files or variables never reach the terminal. */
    private String coloured(Kind kind, String line) {
        String safe = line.replaceAll("[\\p{Cc}\\p{Cf}]", "?");
        if (!colour || kind == Kind.NOTE || safe.startsWith(" ")) {
            return safe;
        }
        return (kind == Kind.WARNING ? YELLOW : RED) + safe + PLAIN;
    }
}
