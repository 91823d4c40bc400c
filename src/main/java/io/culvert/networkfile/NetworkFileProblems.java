// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.diagnostics.Counted;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problem.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects the problems of one network file with their locations. */
final class NetworkFileProblems {

    /** The number of problems that are kept. */
    private static final int MAX_PROBLEMS = 100;

    private final Path file;
    private final List<Problem> problems = new ArrayList<>();
    private int unreported;
    private boolean errors;

    NetworkFileProblems(Path file) {
        this.file = file;
    }

    Path file() {
        return file;
    }

    void error(String message, String hint) {
        add(Problem.input(Location.file(file), message, hint));
    }

    void error(int line, int column, String message, String hint) {
        add(Problem.input(Location.file(file, line, column), message, hint));
    }

    void error(Tree at, String message, String hint) {
        error(at.line(), at.column(), message, hint);
    }

    void error(LocatedValue<?> at, String message, String hint) {
        error(at.line(), at.column(), message, hint);
    }

    void warning(LocatedValue<?> at, String message, String hint) {
        add(Problem.warning(Location.file(file, at.line(), at.column()), message, hint));
    }

    void warning(Tree at, String message, String hint) {
        add(Problem.warning(Location.file(file, at.line(), at.column()), message, hint));
    }

    private void add(Problem problem) {
        errors |= problem.kind().isError();
        if (problems.size() < MAX_PROBLEMS) {
            problems.add(problem);
        } else {
            unreported++;
        }
    }

    /** Returns whether further problems are only counted, so that their hints are not shown. */
    boolean isFull() {
        return problems.size() >= MAX_PROBLEMS;
    }

    boolean hasErrors() {
        return errors;
    }

    /** Returns all problems: those of the whole file first, then by line and column. */
    List<Problem> inOrder() {
        List<Problem> ordered = new ArrayList<>(problems);
        ordered.sort(
                Comparator.comparingInt((Problem problem) -> location(problem).line())
                        .thenComparingInt(problem -> location(problem).column()));
        if (unreported > 0) {
            ordered.add(new Problem(
                    errors ? Kind.INPUT : Kind.WARNING,
                    Location.file(file),
                    "and " + Counted.of(unreported, "more problem"),
                    "correct the first ones"));
        }
        return ordered;
    }

    private static Location.InFile location(Problem problem) {
        return (Location.InFile) problem.location();
    }
}
