// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProblemReportTest {

    private static final Problem ERROR = Problem.input(Location.setting("CULVERT_X"), "is wrong", "write y");
    private static final Problem WARNING = Problem.warning(Location.setting("CULVERT_Z"), "is odd", "");

    @Test
    void errors_come_last_with_their_count() {
        assertThat(new ProblemReport(false).lines(List.of(ERROR, WARNING, ERROR)))
                .containsExactly(
                        "CULVERT_Z: warning: is odd",
                        "CULVERT_X: is wrong",
                        "    hint: write y",
                        "CULVERT_X: is wrong",
                        "    hint: write y",
                        "2 errors");
    }

    @Test
    void problems_are_coloured_and_hints_are_not() {
        assertThat(new ProblemReport(true).lines(List.of(ERROR)))
                .containsExactly("\u001b[31mCULVERT_X: is wrong\u001b[0m", "    hint: write y");
    }

    @Test
    void control_characters_never_reach_the_terminal() {
        Problem evil = Problem.input(Location.setting("X"), "is '\u001b[2J'", "");

        assertThat(new ProblemReport(false).lines(List.of(evil))).containsExactly("X: is '?[2J'");
    }
}
