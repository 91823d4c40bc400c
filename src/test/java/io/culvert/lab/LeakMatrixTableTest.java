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
    private static final String SOURCE = ".* measured on 20\\d\\d-\\d\\d-\\d\\d at commit [0-9a-f]{7,}";
    private static final String CONTROL = "`[L/]{6} [L/]{6}`";

    @Test
    void the_documentation_has_a_row_for_each_state_and_a_column_for_each_origin() throws IOException {
        String table = table("matrix");

        assertTable(table, LeakMatrix.ORIGINS, List.of(LeakState.values()));
        assertThat(table).containsPattern("\n(\\d{4}|[5-9]\\d\\d) cells " + SOURCE);
    }

    /** A tailnet has fewer states, but its positive control. */
    @Test
    void the_documentation_has_the_states_of_a_tailnet() throws IOException {
        String table = table("matrix-tailscale");

        assertTable(
                table,
                LeakMatrix.TAILNET_ORIGINS,
                Arrays.stream(LeakState.values())
                        .filter(state -> table.contains("| " + state.title() + " |"))
                        .toList());
        assertThat(table)
                .contains("| " + LeakState.CONNECTED.title() + " |")
                .contains("| " + LeakState.BOTH_LAYERS_GONE.title() + " |")
                .containsPattern("\n\\d{3} cells " + SOURCE);
    }

    private static String table(String name) throws IOException {
        String page = Files.readString(LeakMatrix.PAGE);
        return page.substring(page.indexOf("<!-- " + name + " -->\n"), page.indexOf("<!-- /" + name + " -->"));
    }

    private static void assertTable(String table, List<TrafficOrigin> origins, List<LeakState> states) {
        List<String> rows =
                table.lines().filter(line -> line.startsWith("| ")).skip(1).toList();

        assertThat(table).contains(LeakMatrix.header(origins));
        assertThat(rows).hasSameSizeAs(states);
        Iterator<String> lines = rows.iterator();
        for (LeakState state : states) {
            String cells = state.kind() == Kind.CONTROL ? CONTROL : CELLS;
            assertThat(lines.next())
                    .matches(
                            Pattern.quote("| " + state.title() + " |") + (" " + cells + " \\|").repeat(origins.size()));
        }
    }

    @Test
    void the_labels_of_the_origins_in_names_are_distinct() {
        assertThat(Arrays.stream(TrafficOrigin.values()).map(TrafficOrigin::label))
                .doesNotHaveDuplicates();
    }
}
