package io.culvert.settings;

import java.nio.charset.StandardCharsets;

/** A password, which is never printed. */
public final class Password {

    private final String text;

    private Password(String text) {
        this.text = text;
    }

    /** 1 to 255 bytes (RFC 1929) without control characters. */
    static Password parse(String text) {
        if (text.getBytes(StandardCharsets.UTF_8).length > 255) {
            throw new Malformed("is longer than the 255 bytes that SOCKS5 can carry", "choose a shorter one");
        }
        if (text.chars().anyMatch(Character::isISOControl)) {
            throw new Malformed(
                    "has control characters in it, perhaps more than one line",
                    "write the password alone, on one line");
        }
        return new Password(text);
    }

    /** The password itself. */
    public String text() {
        return text;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Password password && password.text.equals(text);
    }

    @Override
    public int hashCode() {
        return 0;
    }

    /** Never the password. */
    @Override
    public String toString() {
        return "(hidden)";
    }
}
