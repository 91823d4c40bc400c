// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Hints;
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
    private static final int MAX_BYTES = 1 << 20;

    private ValueFile() {}

    /**
     * Returns the text, without the line end that editors add.
     *
     * @param displayedPath the path for messages
     */
    static String read(Path file, Path displayedPath) {
        String text = readPossiblyEmpty(file, displayedPath);
        text = text.endsWith("\r\n") ? text.substring(0, text.length() - 2) : text;
        text = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        if (text.isBlank()) {
            throw new MalformedValue(displayedPath + " is empty", "write the value to the file, or unset the variable");
        }
        return text;
    }

    /** Returns the whole text. */
    static String readPossiblyEmpty(Path file, Path displayedPath) {
        byte[] bytes = bytes(file, displayedPath);
        if (bytes.length > MAX_BYTES) {
            throw new MalformedValue(
                    displayedPath + " is larger than 1 MiB", "use a file that contains nothing but the value");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException _) {
            throw new MalformedValue(
                    displayedPath + " is not a text file", "use a file that contains nothing but the value");
        }
    }

    private static byte[] bytes(Path file, Path displayedPath) {
        if (!Files.exists(file)) {
            throw new MalformedValue(
                    displayedPath + " does not exist",
                    Hints.here().provideFile("the file", "this path") + ", or correct the path");
        }
        if (!Files.isRegularFile(file)) {
            throw new MalformedValue(
                    displayedPath + " is not a file", "use a file that contains nothing but the value");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(MAX_BYTES + 1);
        } catch (AccessDeniedException _) {
            throw new MalformedValue(
                    displayedPath + " cannot be read: permission denied",
                    "make the file readable for this" + " process");
        } catch (IOException e) {
            throw new MalformedValue(displayedPath + " cannot be read: " + e.getMessage(), "use another file");
        }
    }
}
