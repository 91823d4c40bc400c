// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

/** Parses the user name for the proxy. Dante checks the login against an account of the container's system. */
final class AccountName {

    private AccountName() {}

    static String parse(String text) {
        if (!text.matches("[A-Za-z_][A-Za-z0-9_-]{0,31}")) {
            throw new MalformedValue(
                    "'" + text + "' is not a user name",
                    "use up to 32 letters, digits, '_' and '-', beginning with a letter or '_'");
        }
        if (text.equals("root")) {
            throw new MalformedValue("'root' is not allowed for a proxy", "choose another name");
        }
        return text;
    }
}
