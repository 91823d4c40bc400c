// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

/** The user name for the proxy. Dante checks the login against an account of the container's system. */
public record AccountName(String text) {

    /** @throws IllegalArgumentException with a message for the user */
    public AccountName {
        if (!text.matches("[A-Za-z_][A-Za-z0-9_-]{0,31}")) {
            throw new MalformedValue(
                    "'" + text + "' is not a user name",
                    "use up to 32 letters, digits, '_' and '-', beginning with a letter or '_'");
        }
        if (text.equals("root")) {
            throw new MalformedValue("'root' is not allowed for a proxy", "choose another name");
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
