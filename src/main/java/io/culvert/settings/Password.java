// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.nio.charset.StandardCharsets;

/** A password, which is never printed. */
public final class Password extends HiddenText {

    private Password(String text) {
        super(text);
    }

    /**
     * Parses a password of 1 to 255 bytes (RFC 1929) without control characters.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public static Password parse(String text) {
        if (text.getBytes(StandardCharsets.UTF_8).length > 255) {
            throw new MalformedValue("longer than 255 bytes, the maximum of SOCKS5", "use a shorter password");
        }
        if (text.chars().anyMatch(Character::isISOControl)) {
            throw new MalformedValue(
                    "contains control characters, such as a line break", "use one line with nothing but the password");
        }
        return new Password(text);
    }
}
