// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Parses the absolute path of a file or directory. A relative one has no meaning in a container. */
final class FilePath {

    private FilePath() {}

    static Path parse(String text) {
        Redaction.requireQuotablePath(text);
        if (text.startsWith("/")) {
            try {
                return Path.of(text).normalize();
            } catch (InvalidPathException _) {
                // Reported below.
            }
        }
        throw new MalformedValue(
                "'" + Redaction.requireQuotable(text) + "' is not an absolute path",
                "use a path that begins with /, such as /etc/wireguard/wg0.conf");
    }

    /**
     * Parses a path that may be a secret written by mistake instead of the path of its file: only a path is quoted.
     */
    static Path parsePossibleSecret(String text) {
        if (!text.startsWith("/")) {
            throw new MalformedValue(
                    "does not contain the path of a file (the text is not shown, because it may be the value itself)",
                    "use a path that begins with /, such as /run/secrets/name");
        }
        return parse(text);
    }
}
