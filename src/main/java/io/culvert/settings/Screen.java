package io.culvert.settings;

import java.util.regex.Pattern;

/**
 * Keeps out of every message what may be a secret put into the wrong setting, and what would garble a terminal.
 */
final class Screen {

    /** A host name of 254 characters, brackets, port and transport; with some room. */
    private static final int LONGEST = 300;

    /** 32 bytes in base64: a WireGuard key, whichever it is. */
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9+/]{43}=");

    private static final Pattern PRINTABLE = Pattern.compile("[\\x20-\\x7e]*");

    private Screen() {}

    /** Returns the text when a message may repeat it. */
    static String quotable(String text) {
        if (text.indexOf('@') >= 0) {
            throw new Malformed(
                    "has an '@', which does not belong there; it is not repeated here, for a password may stand before it",
                    "write it without user and password");
        }
        if (text.length() > LONGEST) {
            throw new Malformed("has " + text.length() + " characters, which is too long", "write it anew");
        }
        if (!PRINTABLE.matcher(text).matches()) {
            throw new Malformed(
                    "has characters that are not plain ASCII", "write it anew, without accents or controls");
        }
        return notKey(text);
    }

    /** Like {@link #quotable} for a file's path, which may hold almost anything. */
    static String quotablePath(String text) {
        notWireGuardFile(text);
        if (text.length() > LONGEST || text.chars().anyMatch(Character::isISOControl)) {
            throw new Malformed("holds a text, where the path of a file belongs", "write the path");
        }
        return notKey(text);
    }

    /** Returns the text unless it is that of a WireGuard file, of which nothing is repeated. */
    static String notWireGuardFile(String text) {
        if (text.contains("PrivateKey") || text.contains("[Interface]")) {
            throw new Malformed(
                    "holds the text of a WireGuard file, which does not belong there",
                    "name that file by its path alone");
        }
        return text;
    }

    private static String notKey(String text) {
        if (KEY.matcher(text).find()) {
            throw new Malformed("looks like a key, so it is not repeated here", "put the key where it belongs");
        }
        return text;
    }
}
