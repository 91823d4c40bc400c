// SPDX-License-Identifier: Apache-2.0
package io.culvert;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Compares a file of the sources with generated text; {@code -Dupdate=true} updates the file instead. */
public final class TextFile {

    private static final boolean UPDATE = Boolean.getBoolean("update");

    private TextFile() {}

    /** Asserts that the whole file has this content. */
    public static void assertContent(Path file, String text) {
        try {
            if (UPDATE) {
                Files.createDirectories(file.getParent());
                Files.writeString(file, text);
            }
            assertThat(Files.exists(file) ? Files.readString(file) : "")
                    .as("%s; after a look at the change, run the test again with -Dupdate=true", file)
                    .isEqualTo(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Asserts the content between {@code <!-- name -->} and {@code <!-- /name -->}. */
    public static void assertRegion(Path file, String name, String text) {
        try {
            String whole = Files.readString(file);
            String begin = "<!-- " + name + " -->\n";
            int from = whole.indexOf(begin) + begin.length();
            int to = whole.indexOf("<!-- /" + name + " -->");
            assertThat(from).as("the region %s of %s", name, file).isBetween(begin.length(), to);
            assertContent(file.toAbsolutePath(), whole.substring(0, from) + text + whole.substring(to));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
