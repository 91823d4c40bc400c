// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class LogTest {

    private final StringWriter out = new StringWriter();
    private final Log log = new Log(new PrintWriter(out));

    @Test
    void control_characters_in_output_are_replaced() {
        log.warn("dante: error: \u001b]0;title\u0007\u001b[2J\rready\u009b31m");

        assertThat(out.toString().strip())
                .isEqualTo("warn: dante: error: \uFFFD]0;title\uFFFD\uFFFD[2J\uFFFDready\uFFFD31m");
    }

    @Test
    void a_problem_has_its_severity_once() {
        Location location = Location.machine("x");

        log.problems(List.of(
                Problem.failure(location, "has failed", ""),
                Problem.warning(location, "is odd", "use y"),
                Problem.note(location, "is ignored")));

        assertThat(out.toString()).isEqualToNormalizingNewlines("""
                error: x: has failed
                warn: x: is odd
                    hint: use y
                x: note: is ignored
                """);
    }

    @Test
    void a_prefix_follows_the_level_and_applies_to_each_kind_of_line() {
        Log prefixed = log.prefixed("mesh: ").prefixed("wg0: ");

        prefixed.info("is up");
        prefixed.warn("is odd");
        log.info("no prefix");

        assertThat(out.toString()).isEqualToNormalizingNewlines("""
                mesh: wg0: is up
                warn: mesh: wg0: is odd
                no prefix
                """);
    }

    @Test
    void a_prefixed_log_has_the_level_of_the_log_that_it_is_from() {
        Log prefixed = log.prefixed("mesh: ");

        log.setLevel(Log.Level.WARN);
        prefixed.info("dropped");
        prefixed.setLevel(Log.Level.DEBUG);
        log.debug("logged");

        assertThat(out.toString()).isEqualToNormalizingNewlines("debug: logged\n");
    }

    @Test
    void line_feeds_and_tabs_are_preserved() {
        log.info("Settings\n\tnone");

        assertThat(out.toString().strip()).isEqualTo("Settings\n\tnone");
    }
}
