package io.culvert.problem;

/** Formats a count with its noun. */
public final class Count {

    private Count() {}

    /** @param one the noun in the singular, whose plural is formed with an s */
    public static String of(long number, String one) {
        return number + " " + one + (number == 1 ? "" : "s");
    }
}
