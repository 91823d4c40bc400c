// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A port of a transport protocol.
 *
 * @param number 1 to 65535
 */
public record Port(int number, Transport transport) {

    /** The largest port. */
    public static final int MAX = 65535;

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");

    public Port {
        requireNumber(number);
    }

    /**
     * Returns the number of a port, checked.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public static int requireNumber(int number) {
        if (number < 1 || number > MAX) {
            throw new IllegalArgumentException("port " + number + " is outside 1 to " + MAX);
        }
        return number;
    }

    /** Parses the decimal number of a port; empty if the text is something else. */
    public static OptionalInt parseNumber(String text) {
        return NUMBER.matcher(text).matches()
                ? IntStream.of(Integer.parseInt(text))
                        .filter(number -> number >= 1 && number <= MAX)
                        .findFirst()
                : OptionalInt.empty();
    }

    /** {@code 53/udp}. */
    @Override
    public String toString() {
        return number + "/" + transport;
    }
}
