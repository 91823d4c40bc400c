package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Figure.What;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class FiguresTest {

    private static final String TEXT = "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n";

    @TempDir
    Path directory;

    @Test
    void the_table_takes_the_place_of_the_one_before_and_nothing_else_changes() throws IOException {
        Path file = Files.writeString(directory.resolve("README.md"), TEXT);
        Figures figures = new Figures();
        figures.add(Figure.of(What.UP, Figure.NATIVE, 30, 28.4, 90));
        figures.add(Figure.of(What.UP, Figure.JVM, 600));
        figures.add(Figure.of(What.UP, "wg-quick", 120));
        figures.add(Figure.of(What.LEAKS, Figure.NATIVE, 0));

        assertThat(figures.putInto(file)).isTrue();

        assertThat(Files.readString(file))
                .startsWith("before\n<!-- figures -->\n| | native |")
                .contains("| `tunnel up` of one file, userspace WireGuard | 30 ms | 600 ms | wg-quick 120 ms |\n")
                .contains("such requests in a start, at 40 a second | 0 |  |  |\n")
                .contains("Medians of 3 rounds")
                .endsWith("\n<!-- /figures -->\nafter\n")
                .doesNotContain("old");
    }

    @Test
    void a_run_without_one_of_our_programs_keeps_the_figures_of_a_whole_one() throws IOException {
        Path file = Files.writeString(directory.resolve("README.md"), TEXT);
        Figures figures = new Figures();
        figures.add(Figure.of(What.UP, Figure.JVM, 600));

        assertThat(figures.putInto(file)).isFalse();

        assertThat(Files.readString(file)).isEqualTo(TEXT);
    }
}
