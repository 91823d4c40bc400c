// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/** The token of the HTTP control server, which is never printed. */
public final class HttpToken extends HiddenText {

    /** At 64 possible characters, 96 bits. */
    private static final int MIN_LENGTH = 16;

    private HttpToken(String text) {
        super(text);
    }

    /**
     * Parses a token: printable ASCII without spaces, as it is sent in a header.
     *
     * @throws MalformedValue with a message for the user
     */
    public static HttpToken parse(String text) {
        if (text.length() < MIN_LENGTH || text.length() > 255) {
            throw new MalformedValue(
                    "has " + text.length() + " characters instead of " + MIN_LENGTH + " to 255",
                    "make one with 'openssl rand -base64 24'");
        }
        if (text.chars().anyMatch(character -> character <= ' ' || character > '~')) {
            throw new MalformedValue(
                    "contains spaces or characters that are not ASCII", "use one line of letters and digits");
        }
        return new HttpToken(text);
    }

    /** Returns whether this is the text; how long it takes says nothing about the token. */
    public boolean matches(String given) {
        return MessageDigest.isEqual(text().getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
    }
}
