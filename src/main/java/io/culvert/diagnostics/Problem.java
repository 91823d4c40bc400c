// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

/**
 * An error, warning or note: where, what, and a hint. Never contains a secret.
 *
 * @param message one sentence without a final full stop
 * @param hint the hint: what the user can do about it, as an imperative; empty if there is nothing to do
 */
public record Problem(Kind kind, Location location, String message, String hint) {

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

    public static Problem input(Location location, String message, String hint) {
        return new Problem(Kind.INPUT, location, message, hint);
    }

    public static Problem machine(Location location, String message, String hint) {
        return new Problem(Kind.MACHINE, location, message, hint);
    }

    /** Returns the unmet requirement that this process has the capability to change the network. */
    public static Problem missingNetAdmin() {
        return machine(
                Location.machine("CAP_NET_ADMIN"),
                "is missing, but the kill switch and the tunnel require it",
                Hints.here().netAdmin());
    }

    public static Problem failure(Location location, String message, String hint) {
        return new Problem(Kind.FAILURE, location, message, hint);
    }

    public static Problem warning(Location location, String message, String hint) {
        return new Problem(Kind.WARNING, location, message, hint);
    }

    public static Problem note(Location location, String message) {
        return new Problem(Kind.NOTE, location, message, "");
    }

    /** Returns {@code location: message} and, on a second, indented line, the hint; for output that shows the severity. */
    String withoutSeverity() {
        return text("");
    }

    /** Returns {@code location: severity: message} and, on a second, indented line, the hint. Errors have no severity. */
    @Override
    public String toString() {
        return text(kind == Kind.WARNING ? "warning: " : kind == Kind.NOTE ? "note: " : "");
    }

    /** Returns the indented line with a hint, below its message. */
    public static String hintLine(String hint) {
        return "    hint: " + hint;
    }

    private String text(String severity) {
        return location + ": " + severity + message + (hint.isEmpty() ? "" : "\n" + hintLine(hint));
    }
}
