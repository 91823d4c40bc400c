package io.culvert.process;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** What a child prints, line by line as it comes. */
final class Lines {

    /** Longer lines are left out as a whole: cut in two, a secret on the cut could not be recognised. */
    static final int LONGEST = 16 * 1024;

    private Lines() {}

    /** Reads to the end; a stream that breaks ends there, for its writer is gone. */
    static void relay(InputStream stream, Consumer<String> consumer) {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        boolean tooLong = false;
        try (InputStream input = new BufferedInputStream(stream)) {
            for (int next = input.read(); next >= 0; next = input.read()) {
                if (next == '\n') {
                    consumer.accept(tooLong ? omitted() : text(line));
                    line.reset();
                    tooLong = false;
                } else if (line.size() < LONGEST) {
                    line.write(next);
                } else {
                    tooLong = true;
                }
            }
        } catch (IOException _) {
            // The process was ended by force while we read.
        }
        if (line.size() > 0) {
            consumer.accept(tooLong ? omitted() : text(line));
        }
    }

    private static String text(ByteArrayOutputStream line) {
        return line.toString(StandardCharsets.UTF_8).stripTrailing();
    }

    private static String omitted() {
        return "(a line of more than " + LONGEST + " bytes, left out)";
    }
}
