// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.diagnostics.Problem.Kind;
import io.culvert.wireguard.config.FileProblem.Reason;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects the problems of one WireGuard file with their locations. */
final class FileProblems {

    /** The maximum number of problems, as a file that is not a WireGuard file may have one in each line. */
    private static final int MAX_PROBLEMS = 100;

    /** The location of a problem of the whole file. */
    private static final FileWord WHOLE_FILE = new FileWord("", 0, 0);

    private final boolean isPartial;
    private final List<FileProblem> problems = new ArrayList<>();
    private final List<Kind> unreported = new ArrayList<>();

    /** @param isPartial whether addresses and peers may be added to the file elsewhere */
    FileProblems(boolean isPartial) {
        this.isPartial = isPartial;
    }

    /** Reports a missing element: an error in a complete file, a note in a partial one. */
    void missing(FileWord word, Reason reason) {
        add(isPartial ? Kind.NOTE : Kind.INPUT, word, reason);
    }

    void error(Reason reason) {
        error(WHOLE_FILE, reason);
    }

    void error(FileWord word, Reason reason) {
        add(Kind.INPUT, word, reason);
    }

    void warning(FileWord word, Reason reason) {
        add(Kind.WARNING, word, reason);
    }

    void note(Reason reason) {
        note(WHOLE_FILE, reason);
    }

    void note(FileWord word, Reason reason) {
        add(Kind.NOTE, word, reason);
    }

    private void add(Kind kind, FileWord word, Reason reason) {
        if (problems.size() < MAX_PROBLEMS) {
            problems.add(new FileProblem(kind, word, reason));
        } else {
            unreported.add(kind);
        }
    }

    boolean hasErrors() {
        return problems.stream().anyMatch(problem -> problem.kind().isError())
                || unreported.stream().anyMatch(Kind::isError);
    }

    /** Returns all problems: those of the whole file first, then by line and column. */
    List<FileProblem> sorted() {
        List<FileProblem> ordered = new ArrayList<>(problems);
        ordered.sort(Comparator.comparingInt(FileProblem::line).thenComparingInt(FileProblem::column));
        if (!unreported.isEmpty()) {
            ordered.add(new FileProblem(
                    unreported.stream().anyMatch(Kind::isError) ? Kind.INPUT : Kind.WARNING,
                    WHOLE_FILE,
                    new Reason.More(unreported.size())));
        }
        return ordered;
    }
}
