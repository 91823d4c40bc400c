// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parses a duration of a setting: {@code 90s}, {@code 5m}, {@code 2h}, or {@code off}. */
final class WaitTime {

    private static final Pattern FORMAT = Pattern.compile("([0-9]{1,6})([smh])");
    private static final Duration MAX = Duration.ofDays(7);

    private WaitTime() {}

    /** @return empty for {@code off} */
    static Optional<Duration> parse(String text) {
        if (text.equalsIgnoreCase("off")) {
            return Optional.empty();
        }
        Matcher matcher = FORMAT.matcher(text);
        if (!matcher.matches()) {
            throw malformed(text);
        }
        long number = Long.parseLong(matcher.group(1));
        Duration time = switch (matcher.group(2)) {
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofHours(number);
        };
        if (time.isZero() || time.compareTo(MAX) > 0) {
            throw malformed(text);
        }
        return Optional.of(time);
    }

    private static MalformedValue malformed(String text) {
        return new MalformedValue(
                "'" + text + "' is not a time from 1s to 168h",
                "use a number with a unit, such as 90s, 5m or 2h, or off");
    }
}
