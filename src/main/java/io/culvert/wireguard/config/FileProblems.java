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
    private final HookProblems hookProblems;
    private final List<Problem> problems = new ArrayList<>();
    private final List<Kind> unreported = new ArrayList<>();

    /** @param isPartial whether addresses and peers may be added to the file elsewhere */
    FileProblems(Path file, boolean isPartial, HookProblems hookProblems) {
        this.file = file;
        this.isPartial = isPartial;
        this.hookProblems = hookProblems;
    }

    /** Reports a missing element: an error in a complete file, a note in a partial one. */
    void missing(String message, String hint, String consequence) {
        add(missing(Location.file(file), message, hint, consequence));
    }

    void missing(FileWord word, String message, String hint, String consequence) {
        add(missing(at(word), message, hint, consequence));
    }

    private Problem missing(Location location, String message, String hint, String consequence) {
        return isPartial
                ? Problem.note(location, message + ": " + consequence)
                : Problem.input(location, message, hint);
    }

    void error(String message, String hint) {
        add(Problem.input(Location.file(file), message, hint));
    }

    void error(FileWord word, String message, String hint) {
        add(Problem.input(at(word), message, hint));
    }

    void warning(FileWord word, String message, String hint) {
        add(Problem.warning(at(word), message, hint));
    }

    void note(String message) {
        add(Problem.note(Location.file(file), message));
    }

    void note(FileWord word, String message) {
        add(Problem.note(at(word), message));
    }

    void hook(Hook hook, FileWord name) {
        add(hookProblems.problem(hook, at(name)));
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
