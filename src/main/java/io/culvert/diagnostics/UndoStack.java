// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A stack of cleanup steps, run in reverse order; a step that fails does not prevent the others. */
public final class UndoStack {

    private record Step(String action, Runnable undo) {}

    private final Deque<Step> steps = new ArrayDeque<>();

    /** @param action a gerund phrase for the error message, such as "removing wg0" */
    public void push(String action, Runnable undo) {
        steps.push(new Step(action, undo));
    }

    /** Runs and removes all steps; returns a sentence for each that failed. */
    public List<String> run() {
        List<String> failed = new ArrayList<>();
        while (!steps.isEmpty()) {
            Step step = steps.pop();
            try {
                step.undo().run();
            } catch (RuntimeException e) {
                failed.add(step.action() + " failed: " + e.getMessage());
            }
        }
        return failed;
    }
}
