// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The soft memory limit of a Go program. Its text form is the value of the variable {@code GOMEMLIMIT} (Go's package
 * {@code runtime}, "Environment Variables").
 *
 * @param bytes {@link Long#MAX_VALUE} for no limit
 */
public record MemoryLimit(long bytes) {

    /**
     * The smallest limit: userspace WireGuard takes about 6 MiB when idle, and below this it would spend its time on
     * garbage collection.
     */
    private static final long MIN_BYTES = 16L << 20;

    private static final long MAX_BYTES = 1L << 40;

    private static final Pattern FORMAT = Pattern.compile("([0-9]{1,12})(b|kib|mib|gib)?");

    /**
     * Parses {@code 96MiB}, {@code 1GiB}, a number of bytes, or {@code off}.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    static MemoryLimit parse(String text) {
        if (text.equalsIgnoreCase("off")) {
            return new MemoryLimit(Long.MAX_VALUE);
        }
        Matcher matcher = FORMAT.matcher(text.toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new MalformedValue(
                    "'" + text + "' is not an amount of memory",
                    "use a number with a unit, such as 96MiB or 1GiB, or off for no limit");
        }
        String unit = matcher.group(2);
        int shift = switch (unit == null ? "b" : unit) {
            case "kib" -> 10;
            case "mib" -> 20;
            case "gib" -> 30;
            default -> 0;
        };
        long number = Long.parseLong(matcher.group(1));
        if (number > MAX_BYTES >> shift || number << shift < MIN_BYTES) {
            throw new MalformedValue(
                    "'" + text + "' is outside 16MiB to 1024GiB",
                    unit == null ? "add the unit: " + number + "MiB" : "use 96MiB, which keeps most of the speed");
        }
        return new MemoryLimit(number << shift);
    }

    @Override
    public String toString() {
        if (bytes == Long.MAX_VALUE) {
            return "off";
        }
        int shift = Math.min(30, Long.numberOfTrailingZeros(bytes) / 10 * 10);
        return (bytes >> shift)
                + switch (shift) {
                    case 30 -> "GiB";
                    case 20 -> "MiB";
                    case 10 -> "KiB";
                    default -> "B";
                };
    }
}
