package io.culvert.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class JournalTest {

    private final StringWriter out = new StringWriter();
    private final Journal journal = new Journal(new PrintWriter(out));

    @Test
    void what_a_child_prints_cannot_command_the_terminal() {
        journal.warn("dante: error: \u001b]0;title\u0007\u001b[2J\rready\u009b31m");

        assertThat(out.toString().strip())
                .isEqualTo("warn: dante: error: \uFFFD]0;title\uFFFD\uFFFD[2J\uFFFDready\uFFFD31m");
    }

    @Test
    void lines_and_tabs_stay_as_they_are() {
        journal.info("Settings\n\tnone");

        assertThat(out.toString().strip()).isEqualTo("Settings\n\tnone");
    }
}
