package io.culvert.settings;

import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A few ports in a row, as {@code 1081-1096}.
 *
 * @param last before {@code first} where there are none
 */
public record PortRange(int first, int last) {

    /** Each port costs every packet a comparison in the routing rules. */
    private static final int MOST = 64;

    private static final PortRange NONE = new PortRange(1, 0);

    /** @throws IllegalArgumentException with a sentence for people */
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
            throw new Malformed("is '" + text + "', which ends before it begins", "write the lower port first");
        }
        if (last - first >= MOST) {
            throw new Malformed(
                    "is '" + text + "', which are " + (last - first + 1) + " ports", "name at most " + MOST);
        }
        return new PortRange(first, last);
    }

    public boolean isEmpty() {
        return last < first;
    }

    public IntStream ports() {
        return IntStream.rangeClosed(first, last);
    }

    /** As it is written. */
    @Override
    public String toString() {
        return isEmpty() ? "none" : first + "-" + last;
    }
}
