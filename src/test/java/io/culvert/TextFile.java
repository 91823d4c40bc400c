package io.culvert;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A text in the sources that must be what the program says. With {@code -Dupdate=true} it is made so, for a look at the difference. */
public final class TextFile {

    private static final boolean UPDATE = Boolean.getBoolean("update");

    private TextFile() {}

    /** The whole file. */
    public static void mustBe(Path file, String text) {
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

    /** What stands between {@code <!-- name -->} and {@code <!-- /name -->}. */
    public static void mustHold(Path file, String name, String text) {
        try {
            String whole = Files.readString(file);
            String begin = "<!-- " + name + " -->\n";
            int from = whole.indexOf(begin) + begin.length();
            int to = whole.indexOf("<!-- /" + name + " -->");
            assertThat(from).as("the region %s of %s", name, file).isBetween(begin.length(), to);
            mustBe(file.toAbsolutePath(), whole.substring(0, from) + text + whole.substring(to));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
