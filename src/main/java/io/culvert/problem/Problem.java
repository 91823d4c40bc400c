package io.culvert.problem;

/**
 * One thing that is wrong or worth knowing: what, where, and the cure. Never holds a secret.
 *
 * @param what one sentence without a final full stop
 * @param cure what the user does about it; empty where nothing is to be done
 */
public record Problem(Kind kind, Place place, String what, String cure) {

    /** How bad it is, and whose it is. */
    public enum Kind {
        /** The user's input is wrong: exit status 2. */
        INPUT,
        /** The machine lacks something: exit status 3. */
        MACHINE,
        /** Something that should have worked did not: exit status 1. */
        FAILURE,
        /** Works, but probably not as meant. */
        WARNING,
        /** Worth knowing. */
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

    /** {@code place: what} and, on a second, indented line, the cure. */
    @Override
    public String toString() {
        String word = kind == Kind.WARNING ? "warning: " : kind == Kind.NOTE ? "note: " : "";
        return place + ": " + word + what + (cure.isEmpty() ? "" : "\n    " + cure);
    }
}
