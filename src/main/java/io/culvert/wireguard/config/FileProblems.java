// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.diagnostics.Counted;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problem.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects the problems of one WireGuard file with their locations. */
final class FileProblems {

    /** The maximum number of problems, as a file that is not a WireGuard file may have one in each line. */
    private static final int MAX_PROBLEMS = 100;

    private final Path file;
    private final boolean isPartial;
    private final List<Problem> problems = new ArrayList<>();
    private final List<Kind> unreported = new ArrayList<>();

    FileProblems(Path file) {
        this(file, false);
    }

    private FileProblems(Path file, boolean isPartial) {
        this.file = file;
        this.isPartial = isPartial;
    }

    /** Creates a report for a file to which addresses and peers may be added elsewhere. */
    static FileProblems ofPartial(Path file) {
        return new FileProblems(file, true);
    }

    /** Reports a missing element: an error in a complete file, a note in a partial one. */
    void missing(String what, String hint, String consequence) {
        add(missing(Location.file(file), what, hint, consequence));
    }

    void missing(FileWord word, String what, String hint, String consequence) {
        add(missing(at(word), what, hint, consequence));
    }

    private Problem missing(Location location, String what, String hint, String consequence) {
        return isPartial ? Problem.note(location, what + ": " + consequence) : Problem.input(location, what, hint);
    }

    void error(String what, String hint) {
        add(Problem.input(Location.file(file), what, hint));
    }

    void error(FileWord word, String what, String hint) {
        add(Problem.input(at(word), what, hint));
    }

    void warning(FileWord word, String what, String hint) {
        add(Problem.warning(at(word), what, hint));
    }

    void note(String what) {
        add(Problem.note(Location.file(file), what));
    }

    void note(FileWord word, String what) {
        add(Problem.note(at(word), what));
    }

    private void add(Problem problem) {
        if (problems.size() < MAX_PROBLEMS) {
            problems.add(problem);
        } else {
            unreported.add(problem.kind());
        }
    }

    boolean hasErrors() {
        return problems.stream().anyMatch(problem -> problem.kind().isError())
                || unreported.stream().anyMatch(Kind::isError);
    }

    /** Returns all problems: those of the whole file first, then by line and column. */
    List<Problem> sorted() {
        List<Problem> ordered = new ArrayList<>(problems);
        ordered.sort(
                Comparator.comparingInt((Problem problem) -> location(problem).line())
                        .thenComparingInt(problem -> location(problem).column()));
        if (!unreported.isEmpty()) {
            ordered.add(new Problem(
                    unreported.stream().anyMatch(Kind::isError) ? Kind.INPUT : Kind.WARNING,
                    Location.file(file),
                    "and " + Counted.of(unreported.size(), "more problem"),
                    "check that this is a WireGuard file"));
        }
        return ordered;
    }

    private Location at(FileWord word) {
        return Location.file(file, word.line(), word.column());
    }

    private static Location.InFile location(Problem problem) {
        return (Location.InFile) problem.location();
    }
}
