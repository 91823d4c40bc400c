package io.culvert.problem;

/** A number of things, for people. */
public final class Count {

    private Count() {}

    /** @param one what one of them is called, in English that takes an s for more */
    public static String of(long number, String one) {
        return number + " " + one + (number == 1 ? "" : "s");
    }
}
