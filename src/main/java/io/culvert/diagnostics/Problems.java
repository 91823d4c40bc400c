// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Collects problems, so that all of them are reported at once. */
public final class Problems {

    private final List<Problem> problems = new ArrayList<>();

    public void add(Problem problem) {
        problems.add(problem);
    }

    public void addAll(Collection<Problem> additional) {
        problems.addAll(additional);
    }

    public List<Problem> all() {
        return List.copyOf(problems);
    }

    public boolean hasErrors() {
        return problems.stream().anyMatch(problem -> problem.kind().isError());
    }

    /** Throws a {@link ProblemException} with all collected problems if one of them is an error. */
    public void throwIfErrors() {
        if (hasErrors()) {
            throw new ProblemException(all());
        }
    }
}
