package io.culvert.problem;

/**
 * An error, warning or note: where, what, and a hint. Never contains a secret.
 *
 * @param what one sentence without a final full stop
 * @param cure the hint: what the user can do about it, as an imperative; empty where there is nothing to do
 */
public record Problem(Kind kind, Place place, String what, String cure) {

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

    public static Problem input(Place place, String what, String cure) {
        return new Problem(Kind.INPUT, place, what, cure);
    }

    public static Problem machine(Place place, String what, String cure) {
        return new Problem(Kind.MACHINE, place, what, cure);
    }

    public static Problem failure(Place place, String what, String cure) {
        return new Problem(Kind.FAILURE, place, what, cure);
    }

    public static Problem warning(Place place, String what, String cure) {
        return new Problem(Kind.WARNING, place, what, cure);
    }

    public static Problem note(Place place, String what) {
        return new Problem(Kind.NOTE, place, what, "");
    }

    /** Returns {@code location: what} and, on a second, indented line, the hint. */
    @Override
    public String toString() {
        String word = kind == Kind.WARNING ? "warning: " : kind == Kind.NOTE ? "note: " : "";
        return place + ": " + word + what + (cure.isEmpty() ? "" : "\n    hint: " + cure);
    }
}
