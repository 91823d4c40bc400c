// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A duration of a setting: {@code 90s}, {@code 5m}, {@code 2h}, or {@code off}.
 *
 * @param text as written
 * @param duration empty for {@code off}
 */
record WaitTime(String text, Optional<Duration> duration) {

    private static final Pattern FORMAT = Pattern.compile("([0-9]{1,6})([smh])");
    private static final Duration MAX = Duration.ofDays(7);

    static WaitTime parse(String text) {
        if (text.equalsIgnoreCase("off")) {
            return new WaitTime("off", Optional.empty());
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
        return new WaitTime(text, Optional.of(time));
    }

    private static MalformedValue malformed(String text) {
        return new MalformedValue(
                "'" + text + "' is not a time from 1s to 168h",
                "use a number with a unit, such as 90s, 5m or 2h, or off");
    }

    @Override
    public String toString() {
        return text;
    }
}
