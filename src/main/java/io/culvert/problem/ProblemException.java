package io.culvert.problem;

import io.culvert.problem.Problem.Kind;
import java.util.List;
import java.util.stream.Collectors;

/** Work cannot go on, for reasons a person can read and act on. */
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

    /** 2 when the user's input is wrong, 3 when the machine lacks something, else 1. */
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
