// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutputLinesTest {

    @Test
    void lines_have_no_terminator_and_the_last_one_may_lack_it() {
        assertThat(lines("one\r\ntwo\n\nlast")).containsExactly("one", "two", "", "last");
    }

    @Test
    void a_line_longer_than_the_limit_is_omitted() {
        String longest = "x".repeat(OutputLines.MAX_LENGTH);

        assertThat(lines(longest + "\n" + longest + "secret\nafter\n"))
                .containsExactly(longest, "(omitted a line of more than 16384 bytes)", "after");
    }

    @Test
    void empty_output_has_no_lines() {
        assertThat(lines("")).isEmpty();
    }

    private static List<String> lines(String text) {
        List<String> lines = new ArrayList<>();
        OutputLines.forEachLine(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), lines::add);
        return lines;
    }
}
