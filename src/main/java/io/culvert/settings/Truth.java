package io.culvert.settings;

import java.util.Locale;

/** Yes or no, in the words people use for it. Anything else is a fault, never a silent default. */
final class Truth {

    private Truth() {}

    static boolean parse(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on", "1" -> true;
            case "false", "no", "off", "0" -> false;
            default -> throw new Malformed("is '" + text + "', which is neither yes nor no", "write true or false");
        };
    }
}
