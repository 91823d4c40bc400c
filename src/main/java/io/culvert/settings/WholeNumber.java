// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Port;

/** Parses a decimal number within inclusive bounds. */
record WholeNumber(String name, int min, int max) implements Parser<Integer> {

    /** A TCP or UDP port. */
    static final WholeNumber PORT = new WholeNumber("port", 1, Port.MAX);

    @Override
    public Integer parse(String text) {
        if (text.matches("[0-9]{1,9}")) {
            int number = Integer.parseInt(text);
            if (number >= min && number <= max) {
                return number;
            }
        }
        throw new MalformedValue("'" + text + "' is not a valid " + name, "use a number from " + min + " to " + max);
    }
}
