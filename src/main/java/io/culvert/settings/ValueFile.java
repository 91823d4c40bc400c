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

/** A file that holds the value of one setting, such as a secret that the container's runtime has mounted. */
final class ValueFile {

    /** Room for some ten thousand list items; nobody's secret is that long. */
    private static final int MOST_BYTES = 1 << 20;

    private ValueFile() {}

    /**
     * The text without the line end that editors put behind it.
     *
     * @param shown the path for messages
     */
    static String read(Path file, Path shown) {
        byte[] bytes = bytes(file, shown);
        if (bytes.length > MOST_BYTES) {
            throw new Malformed("names " + shown + ", which is larger than 1 MiB", "name a file with the value alone");
        }
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException _) {
            throw new Malformed("names " + shown + ", which is not a text", "name a file with the value alone");
        }
        text = text.endsWith("\r\n") ? text.substring(0, text.length() - 2) : text;
        text = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        if (text.isBlank()) {
            throw new Malformed(
                    "names " + shown + ", which is empty", "write the value into it, or unset the variable");
        }
        return text;
    }

    private static byte[] bytes(Path file, Path shown) {
        if (!Files.exists(file)) {
            throw new Malformed(
                    "names " + shown + ", which does not exist",
                    Hints.here().bring("the file", "that path") + ", or correct it");
        }
        if (!Files.isRegularFile(file)) {
            throw new Malformed("names " + shown + ", which is not a file", "name a file with the value alone");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(MOST_BYTES + 1);
        } catch (AccessDeniedException _) {
            throw new Malformed("names " + shown + ", which may not be read", "give this process the right to read it");
        } catch (IOException e) {
            throw new Malformed("names " + shown + ", which cannot be read: " + e.getMessage(), "name another file");
        }
    }
}
