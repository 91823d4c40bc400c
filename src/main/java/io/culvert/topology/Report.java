package io.culvert.topology;

import io.culvert.problem.Count;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problem.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects the problems of one network file with their locations. */
final class Report {

    /** The number of problems that are kept. */
    private static final int ENOUGH = 100;

    private final Path file;
    private final List<Problem> problems = new ArrayList<>();
    private int untold;
    private boolean errors;

    Report(Path file) {
        this.file = file;
    }

    Path file() {
        return file;
    }

    void error(String what, String cure) {
        add(Problem.input(Place.file(file), what, cure));
    }

    void error(int line, int column, String what, String cure) {
        add(Problem.input(Place.file(file, line, column), what, cure));
    }

    void error(Tree at, String what, String cure) {
        error(at.line(), at.column(), what, cure);
    }

    void error(Written<?> at, String what, String cure) {
        error(at.line(), at.column(), what, cure);
    }

    void warning(Written<?> at, String what, String cure) {
        add(Problem.warning(Place.file(file, at.line(), at.column()), what, cure));
    }

    void warning(Tree at, String what, String cure) {
        add(Problem.warning(Place.file(file, at.line(), at.column()), what, cure));
    }

    private void add(Problem problem) {
        errors |= problem.kind().isError();
        if (problems.size() < ENOUGH) {
            problems.add(problem);
        } else {
            untold++;
        }
    }

    /** Returns whether further problems are only counted, so that their hints are not shown. */
    boolean isFull() {
        return problems.size() >= ENOUGH;
    }

    boolean hasErrors() {
        return errors;
    }

    /** Returns all problems: those of the whole file first, then by line and column. */
    List<Problem> inOrder() {
        List<Problem> ordered = new ArrayList<>(problems);
        ordered.sort(Comparator.comparingInt((Problem problem) -> place(problem).line())
                .thenComparingInt(problem -> place(problem).column()));
        if (untold > 0) {
            ordered.add(new Problem(
                    errors ? Kind.INPUT : Kind.WARNING,
                    Place.file(file),
                    "and " + Count.of(untold, "more problem"),
                    "correct the first ones"));
        }
        return ordered;
    }

    private static Place.InFile place(Problem problem) {
        return (Place.InFile) problem.place();
    }
}
