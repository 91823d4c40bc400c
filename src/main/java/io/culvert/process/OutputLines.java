// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Reads a child's output line by line. */
final class OutputLines {

    /**
     * Maximum length. Longer lines are omitted completely: a secret at the point where a line is split would not be
     * redacted.
     */
    static final int MAX_LENGTH = 16 * 1024;

    private OutputLines() {}

    /** Reads to the end of the stream; a read error counts as the end, as the process has exited then. */
    static void forEachLine(InputStream stream, Consumer<String> consumer) {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        boolean tooLong = false;
        try (InputStream input = new BufferedInputStream(stream)) {
            for (int next = input.read(); next >= 0; next = input.read()) {
                if (next == '\n') {
                    consumer.accept(tooLong ? omitted() : text(line));
                    line.reset();
                    tooLong = false;
                } else if (line.size() < MAX_LENGTH) {
                    line.write(next);
                } else {
                    tooLong = true;
                }
            }
        } catch (IOException _) {
            // The process was killed during the read.
        }
        if (line.size() > 0) {
            consumer.accept(tooLong ? omitted() : text(line));
        }
    }

    private static String text(ByteArrayOutputStream line) {
        return line.toString(StandardCharsets.UTF_8).stripTrailing();
    }

    private static String omitted() {
        return "(omitted a line of more than " + MAX_LENGTH + " bytes)";
    }
}
