package io.culvert.settings;

import java.util.regex.Pattern;

/**
 * Redaction of messages: rejects texts that may be a secret written into the wrong setting, and texts that would garble
 * a terminal.
 */
final class Screen {

    /** The longest text quoted: a host name of 254 characters, brackets, port and transport, with some room. */
    private static final int LONGEST = 300;

    /** A WireGuard key of any kind: 32 bytes in base64. */
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9+/]{43}=");

    private static final Pattern PRINTABLE = Pattern.compile("[\\x20-\\x7e]*");

    private Screen() {}

    /** Returns the text if a message may quote it. */
    static String quotable(String text) {
        if (text.indexOf('@') >= 0) {
            throw new Malformed(
                    "contains an '@' (the text is not shown, because it may contain a password)",
                    "remove the user name and password");
        }
        if (text.length() > LONGEST) {
            throw new Malformed("too long (" + text.length() + " characters)", "use a shorter text");
        }
        if (!PRINTABLE.matcher(text).matches()) {
            throw new Malformed(
                    "contains characters that are not printable ASCII", "remove accents and control characters");
        }
        return notKey(text);
    }

    /** Returns the path of a file if a message may quote it; it may contain almost any character. */
    static String quotablePath(String text) {
        notWireGuardFile(text);
        if (text.length() > LONGEST || text.chars().anyMatch(Character::isISOControl)) {
            throw new Malformed("contains a text instead of the path of a file", "use the path of the file");
        }
        return notKey(text);
    }

    /** Returns the text, unless it is that of a WireGuard file, which is never quoted. */
    static String notWireGuardFile(String text) {
        if (text.contains("PrivateKey") || text.contains("[Interface]")) {
            throw new Malformed("contains the text of a WireGuard file", "use the path of that file");
        }
        return text;
    }

    private static String notKey(String text) {
        if (KEY.matcher(text).find()) {
            throw new Malformed(
                    "looks like a key (the text is not shown)",
                    "move the key to the setting or file that it belongs to");
        }
        return text;
    }
}
