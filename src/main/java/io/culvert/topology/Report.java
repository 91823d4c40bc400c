package io.culvert.topology;

import io.culvert.problem.Count;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problem.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The problems of one network file, each at its place. */
final class Report {

    /** Nobody reads more than these. */
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

    /** Whether further problems are counted only: then nobody will read their cures. */
    boolean isFull() {
        return problems.size() >= ENOUGH;
    }

    boolean hasErrors() {
        return errors;
    }

    /** All problems, those of the whole file first, then line by line. */
    List<Problem> inOrder() {
        List<Problem> ordered = new ArrayList<>(problems);
        ordered.sort(Comparator.comparingInt((Problem problem) -> place(problem).line())
                .thenComparingInt(problem -> place(problem).column()));
        if (untold > 0) {
            ordered.add(new Problem(
                    errors ? Kind.INPUT : Kind.WARNING,
                    Place.file(file),
                    "and " + Count.of(untold, "more problem"),
                    "cure the first ones"));
        }
        return ordered;
    }

    private static Place.InFile place(Problem problem) {
        return (Place.InFile) problem.place();
    }
}
