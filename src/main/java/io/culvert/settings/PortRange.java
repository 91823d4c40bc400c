// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A range of ports, such as {@code 1081-1096}.
 *
 * @param last less than {@code first} if the range is empty
 */
public record PortRange(int first, int last) {

    /** The largest size of a range, because each port is a comparison in the routing rules for every packet. */
    private static final int MAX_SIZE = 64;

    private static final PortRange NONE = new PortRange(1, 0);

    /** @throws IllegalArgumentException with a message for the user */
    static PortRange parse(String text) {
        if (text.toLowerCase(Locale.ROOT).equals("none")) {
            return NONE;
        }
        int dash = text.indexOf('-');
        int first =
                WholeNumber.PORT.parse(dash < 0 ? text : text.substring(0, dash).strip());
        int last = dash < 0
                ? first
                : WholeNumber.PORT.parse(text.substring(dash + 1).strip());
        if (last < first) {
            throw new MalformedValue("'" + text + "' ends before it begins", "put the lower port first");
        }
        if (last - first >= MAX_SIZE) {
            throw new MalformedValue(
                    "'" + text + "' contains " + (last - first + 1) + " ports", "use at most " + MAX_SIZE);
        }
        return new PortRange(first, last);
    }

    public boolean isEmpty() {
        return last < first;
    }

    public IntStream ports() {
        return IntStream.rangeClosed(first, last);
    }

    /** Returns the form in which it is written. */
    @Override
    public String toString() {
        return isEmpty() ? "none" : first + "-" + last;
    }
}
