package io.culvert.settings;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** The path of a file or directory, from the root: a container has no other place to begin. */
final class FilePath {

    private FilePath() {}

    static Path parse(String text) {
        Screen.quotablePath(text);
        if (text.startsWith("/")) {
            try {
                return Path.of(text).normalize();
            } catch (InvalidPathException _) {
                // Said below.
            }
        }
        throw new Malformed(
                "is '" + Screen.quotable(text) + "', which is not a whole path",
                "begin with /, as in /etc/wireguard/wg0.conf");
    }

    /** The same, for a text that may be a secret given in place of its file: only a path is ever repeated. */
    static Path parseUnseen(String text) {
        if (!text.startsWith("/")) {
            throw new Malformed(
                    "does not hold the path of a file; what it holds is not repeated here, for it may be the value itself",
                    "write a path that begins with /, such as /run/secrets/name");
        }
        return parse(text);
    }
}
