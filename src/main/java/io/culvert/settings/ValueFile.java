package io.culvert.settings;

import io.culvert.problem.Hints;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a file that contains the value of one setting, such as a mounted secret. */
final class ValueFile {

    /** The largest file: room for some ten thousand list items, and longer than any secret. */
    private static final int MOST_BYTES = 1 << 20;

    private ValueFile() {}

    /**
     * Returns the text, without the line end that editors add.
     *
     * @param shown the path for messages
     */
    static String read(Path file, Path shown) {
        byte[] bytes = bytes(file, shown);
        if (bytes.length > MOST_BYTES) {
            throw new Malformed(shown + " is larger than 1 MiB", "use a file that contains nothing but the value");
        }
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException _) {
            throw new Malformed(shown + " is not a text file", "use a file that contains nothing but the value");
        }
        text = text.endsWith("\r\n") ? text.substring(0, text.length() - 2) : text;
        text = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        if (text.isBlank()) {
            throw new Malformed(shown + " is empty", "write the value to the file, or unset the variable");
        }
        return text;
    }

    private static byte[] bytes(Path file, Path shown) {
        if (!Files.exists(file)) {
            throw new Malformed(
                    shown + " does not exist", Hints.here().bring("the file", "this path") + ", or correct the path");
        }
        if (!Files.isRegularFile(file)) {
            throw new Malformed(shown + " is not a file", "use a file that contains nothing but the value");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(MOST_BYTES + 1);
        } catch (AccessDeniedException _) {
            throw new Malformed(
                    shown + " cannot be read: permission denied", "make the file readable for this" + " process");
        } catch (IOException e) {
            throw new Malformed(shown + " cannot be read: " + e.getMessage(), "use another file");
        }
    }
}
