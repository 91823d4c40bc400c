package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class LinesTest {

    @Test
    void lines_come_without_their_ends_and_the_last_needs_none() {
        assertThat(lines("one\r\ntwo\n\nlast")).containsExactly("one", "two", "", "last");
    }

    @Test
    void a_line_beyond_the_limit_is_left_out_as_a_whole() {
        String longest = "x".repeat(Lines.LONGEST);

        assertThat(lines(longest + "\n" + longest + "secret\nafter\n"))
                .containsExactly(longest, "(omitted a line of more than 16384 bytes)", "after");
    }

    @Test
    void nothing_is_no_line() {
        assertThat(lines("")).isEmpty();
    }

    private static List<String> lines(String text) {
        List<String> lines = new ArrayList<>();
        Lines.relay(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), lines::add);
        return lines;
    }
}
