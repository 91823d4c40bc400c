// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.LeakState.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The published leak matrix has all states and origins, and leaks in its positive controls only. */
class LeakMatrixTableTest {

    private static final String CELLS = "`[-t/]{6} [-t/]{6}`";
    private static final String CONTROL = "`[L/]{6} [L/]{6}`";

    @Test
    void the_documentation_has_a_row_for_each_state_and_a_column_for_each_origin() throws IOException {
        String page = Files.readString(LeakMatrix.PAGE);
        String table = page.substring(page.indexOf("<!-- matrix -->\n"), page.indexOf("<!-- /matrix -->"));
        List<String> rows = table.lines().filter(line -> line.startsWith("| ")).toList();

        assertThat(table).contains(LeakMatrix.header(LeakMatrix.ORIGINS));
        assertThat(rows).hasSize(LeakState.values().length + 1);
        Iterator<String> lines = rows.listIterator(1);
        for (LeakState state : LeakState.values()) {
            String cells = state.kind() == Kind.CONTROL ? CONTROL : CELLS;
            assertThat(lines.next())
                    .matches(Pattern.quote("| " + state.title() + " |")
                            + (" " + cells + " \\|").repeat(LeakMatrix.ORIGINS.size()));
        }
        assertThat(table)
                .containsPattern(
                        "\n(\\d{4}|[5-9]\\d\\d) cells .* measured on 20\\d\\d-\\d\\d-\\d\\d at commit [0-9a-f]{7,}");
    }

    @Test
    void the_labels_of_the_origins_in_names_are_distinct() {
        assertThat(Arrays.stream(TrafficOrigin.values()).map(TrafficOrigin::label))
                .doesNotHaveDuplicates();
    }
}
