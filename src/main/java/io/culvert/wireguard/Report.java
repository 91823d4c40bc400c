package io.culvert.wireguard;

import io.culvert.problem.Count;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problem.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects the problems of one WireGuard file with their locations. */
final class Report {

    /** The number of problems that are kept, as a file of another kind may have one in each line. */
    private static final int ENOUGH = 100;

    private final Path file;
    private final boolean part;
    private final List<Problem> problems = new ArrayList<>();
    private final List<Kind> untold = new ArrayList<>();

    Report(Path file) {
        this(file, false);
    }

    private Report(Path file, boolean part) {
        this.file = file;
        this.part = part;
    }

    /** Creates a report for a file to which addresses and peers may be added elsewhere. */
    static Report ofPart(Path file) {
        return new Report(file, true);
    }

    /** Reports a missing element: an error in a complete file, a note in a partial one. */
    void absent(String what, String cure, String consequence) {
        add(absent(Place.file(file), what, cure, consequence));
    }

    void absent(Word word, String what, String cure, String consequence) {
        add(absent(at(word), what, cure, consequence));
    }

    private Problem absent(Place place, String what, String cure, String consequence) {
        return part ? Problem.note(place, what + ": " + consequence) : Problem.input(place, what, cure);
    }

    void error(String what, String cure) {
        add(Problem.input(Place.file(file), what, cure));
    }

    void error(Word word, String what, String cure) {
        add(Problem.input(at(word), what, cure));
    }

    void warning(Word word, String what, String cure) {
        add(Problem.warning(at(word), what, cure));
    }

    void note(String what) {
        add(Problem.note(Place.file(file), what));
    }

    void note(Word word, String what) {
        add(Problem.note(at(word), what));
    }

    private void add(Problem problem) {
        if (problems.size() < ENOUGH) {
            problems.add(problem);
        } else {
            untold.add(problem.kind());
        }
    }

    boolean hasErrors() {
        return problems.stream().anyMatch(problem -> problem.kind().isError())
                || untold.stream().anyMatch(Kind::isError);
    }

    /** Returns all problems: those of the whole file first, then by line and column. */
    List<Problem> inOrder() {
        List<Problem> ordered = new ArrayList<>(problems);
        ordered.sort(Comparator.comparingInt((Problem problem) -> place(problem).line())
                .thenComparingInt(problem -> place(problem).column()));
        if (!untold.isEmpty()) {
            ordered.add(new Problem(
                    untold.stream().anyMatch(Kind::isError) ? Kind.INPUT : Kind.WARNING,
                    Place.file(file),
                    "and " + Count.of(untold.size(), "more problem"),
                    "check that this is a WireGuard file"));
        }
        return ordered;
    }

    private Place at(Word word) {
        return Place.file(file, word.line(), word.column());
    }

    private static Place.InFile place(Problem problem) {
        return (Place.InFile) problem.place();
    }
}
