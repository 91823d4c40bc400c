// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

/**
 * An error, warning or note: where, what, and a hint. Never contains a secret.
 *
 * @param what one sentence without a final full stop
 * @param hint the hint: what the user can do about it, as an imperative; empty if there is nothing to do
 */
public record Problem(Kind kind, Location location, String what, String hint) {

    /** The severity, and for errors the kind of cause. */
    public enum Kind {
        /** Invalid input: exit status 2. */
        INPUT,
        /** An unmet requirement of the machine: exit status 3. */
        MACHINE,
        /** An operation failed: exit status 1. */
        FAILURE,
        /** It works, but probably not as intended. */
        WARNING,
        /** Information. */
        NOTE;

        public boolean isError() {
            return this == INPUT || this == MACHINE || this == FAILURE;
        }
    }

    public static Problem input(Location location, String what, String hint) {
        return new Problem(Kind.INPUT, location, what, hint);
    }

    public static Problem machine(Location location, String what, String hint) {
        return new Problem(Kind.MACHINE, location, what, hint);
    }

    public static Problem failure(Location location, String what, String hint) {
        return new Problem(Kind.FAILURE, location, what, hint);
    }

    public static Problem warning(Location location, String what, String hint) {
        return new Problem(Kind.WARNING, location, what, hint);
    }

    public static Problem note(Location location, String what) {
        return new Problem(Kind.NOTE, location, what, "");
    }

    /** Returns {@code location: what} and, on a second, indented line, the hint. */
    @Override
    public String toString() {
        String word = kind == Kind.WARNING ? "warning: " : kind == Kind.NOTE ? "note: " : "";
        return location + ": " + word + what + (hint.isEmpty() ? "" : "\n    hint: " + hint);
    }
}
