// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

/** Formats a count with its noun. */
public final class Counted {

    private Counted() {}

    /** @param singular the noun in the singular, whose plural is formed with an s */
    public static String of(long number, String singular) {
        return number + " " + singular + (number == 1 ? "" : "s");
    }
}
