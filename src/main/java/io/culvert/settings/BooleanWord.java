// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.Locale;

/** Parses a boolean in the usual words. Anything else is an error, never a silent default. */
final class BooleanWord {

    private BooleanWord() {}

    static boolean parse(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on", "1" -> true;
            case "false", "no", "off", "0" -> false;
            default -> throw new MalformedValue("'" + text + "' is not a boolean", "use true or false");
        };
    }
}
