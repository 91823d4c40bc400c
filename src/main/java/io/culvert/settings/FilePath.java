package io.culvert.settings;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Parses the absolute path of a file or directory. A relative one has no meaning in a container. */
final class FilePath {

    private FilePath() {}

    static Path parse(String text) {
        Screen.quotablePath(text);
        if (text.startsWith("/")) {
            try {
                return Path.of(text).normalize();
            } catch (InvalidPathException _) {
                // Reported below.
            }
        }
        throw new Malformed(
                "'" + Screen.quotable(text) + "' is not an absolute path",
                "use a path that begins with /, such as /etc/wireguard/wg0.conf");
    }

    /**
     * Parses a path where a user may have written a secret instead of the file that contains it: only a path is quoted.
     */
    static Path parseUnseen(String text) {
        if (!text.startsWith("/")) {
            throw new Malformed(
                    "does not contain the path of a file (the text is not shown, because it may be the value itself)",
                    "use a path that begins with /, such as /run/secrets/name");
        }
        return parse(text);
    }
}
