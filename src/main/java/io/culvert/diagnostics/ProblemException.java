// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import io.culvert.diagnostics.Problem.Kind;
import java.util.List;
import java.util.stream.Collectors;

/** Aborts an operation, with problems that are reported to the user. */
public final class ProblemException extends RuntimeException {

    private final transient List<Problem> problems;

    public ProblemException(List<Problem> problems) {
        super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    public ProblemException(Problem problem) {
        this(List.of(problem));
    }

    public List<Problem> problems() {
        return problems;
    }

    /** Returns the exit status: 2 for invalid input, 3 for an unmet requirement of the machine, else 1. */
    public int exitStatus() {
        if (has(Kind.INPUT)) {
            return 2;
        }
        return has(Kind.MACHINE) ? 3 : 1;
    }

    private boolean has(Kind kind) {
        return problems.stream().anyMatch(problem -> problem.kind() == kind);
    }
}
