// SPDX-License-Identifier: Apache-2.0
package io.culvert.socks;

import java.nio.charset.StandardCharsets;

/**
 * A user name and a password for the proxy. The text form hides the password.
 *
 * @param user 1 to 32 lower-case letters, digits, hyphens and underscores, like the system's user names
 * @param password 1 to 255 bytes (RFC 1929)
 */
public record Login(String user, String password) {

    public Login {
        if (!user.matches("[a-z_][a-z0-9_-]{0,31}")) {
            throw new IllegalArgumentException("'" + user
                    + "' is not a user name: 1 to 32 lower-case letters, digits, hyphens and underscores, no"
                    + " digit first");
        }
        int length = password.getBytes(StandardCharsets.UTF_8).length;
        if (length < 1 || length > 255 || password.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a SOCKS password must have 1 to 255 bytes");
        }
    }

    @Override
    public String toString() {
        return user + " (password hidden)";
    }
}
