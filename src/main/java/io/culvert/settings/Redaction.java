// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.regex.Pattern;

/**
 * Redaction of messages: rejects texts that may be a secret written into the wrong setting, and texts that would garble
 * a terminal.
 */
final class Redaction {

    /** The longest text quoted: a host name of 254 characters, brackets, port and transport, with some room. */
    private static final int MAX_LENGTH = 300;

    /** A WireGuard key of any kind: 32 bytes in base64. */
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9+/]{43}=");

    private static final int KEY_LENGTH = 44;

    private static final Pattern PRINTABLE = Pattern.compile("[\\x20-\\x7e]*");

    private Redaction() {}

    /** Returns the text if a message may quote it. */
    static String requireQuotable(String text) {
        if (text.indexOf('@') >= 0) {
            throw new MalformedValue(
                    "contains an '@' (the text is not shown, because it may contain a password)",
                    "remove the user name and password");
        }
        if (text.length() > MAX_LENGTH) {
            throw new MalformedValue("too long (" + text.length() + " characters)", "use a shorter text");
        }
        if (!PRINTABLE.matcher(text).matches()) {
            throw new MalformedValue(
                    "contains characters that are not printable ASCII", "remove accents and control characters");
        }
        return rejectKey(text);
    }

    /** Returns the path of a file if a message may quote it; it may contain almost any character. */
    static String requireQuotablePath(String text) {
        rejectWireGuardFile(text);
        if (text.length() > MAX_LENGTH || text.chars().anyMatch(Character::isISOControl)) {
            throw new MalformedValue("contains a text instead of the path of a file", "use the path of the file");
        }
        return rejectKey(text);
    }

    /** Returns the text, unless it is that of a WireGuard file, which is never quoted. */
    static String rejectWireGuardFile(String text) {
        if (text.contains("PrivateKey") || text.contains("[Interface]")) {
            throw new MalformedValue("contains the text of a WireGuard file", "use the path of that file");
        }
        return text;
    }

    private static String rejectKey(String text) {
        if (text.length() >= KEY_LENGTH && KEY.matcher(text).find()) {
            throw new MalformedValue(
                    "looks like a key (the text is not shown)",
                    "move the key to the setting or file that it belongs to");
        }
        return text;
    }
}
