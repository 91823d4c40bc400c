// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.PrintStream;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/** Prints the results of checks as they are made, and counts those that failed. */
final class DemoReport {

    private static final String GREEN = "\u001b[32m";
    private static final String RED = "\u001b[31m";
    private static final String BOLD = "\u001b[1m";
    private static final String PLAIN = "\u001b[0m";
    private static final String CLEAR_LINE = "\r\u001b[K";

    private final PrintStream out;
    private final boolean terminal;
    private final long begin = System.nanoTime();
    private int passed;
    private int failed;

    /** @param terminal whether the output is a terminal, which shows colours and overwrites progress lines */
    DemoReport(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    void section(String title) {
        out.println();
        out.println(terminal ? BOLD + title + PLAIN : title);
    }

    /** Prints what is in progress; on a terminal the next line overwrites it. */
    void progress(String description) {
        if (terminal) {
            out.print("  ... " + description);
        } else {
            out.println("  ... " + description);
        }
        out.flush();
    }

    /** Prints what was measured, and whether it is what was expected. */
    void check(String description, Object expected, Object measured) {
        String value = text(measured);
        String line = description + (value.isEmpty() ? "" : ": " + value);
        if (expected.equals(measured)) {
            passed++;
            line("ok", GREEN, line);
        } else {
            failed++;
            line("FAILED", RED, line + ", expected " + (text(expected).isEmpty() ? "yes" : text(expected)));
        }
    }

    /** Prints why the demonstration cannot continue. */
    void abort(String reason) {
        failed++;
        line("FAILED", RED, reason);
    }

    private void line(String status, String colour, String text) {
        out.println((terminal ? CLEAR_LINE + "  " + colour + status + PLAIN : "  " + status) + "  " + text);
    }

    private static String text(Object value) {
        return switch (value) {
            case Boolean bool -> bool ? "" : "no";
            case Optional<?> optional -> optional.isPresent() ? text(optional.get()) : "no reply";
            case Collection<?> values ->
                values.isEmpty()
                        ? "none"
                        : String.join(
                                ", ", values.stream().map(DemoReport::text).toList());
            case Map<?, ?> counts ->
                counts.isEmpty()
                        ? "0"
                        : String.join(
                                ", ",
                                counts.entrySet().stream()
                                        .map(e -> e.getValue() + " of " + e.getKey())
                                        .toList());
            default -> value.toString().strip();
        };
    }

    /** Prints a text that helps to find the cause, if a check has failed. */
    void details(String title, String text) {
        if (failed > 0) {
            section(title);
            out.println(text.indent(2).stripTrailing());
        }
    }

    /** Prints the totals and returns the exit status. */
    int finish() {
        long seconds = (System.nanoTime() - begin) / 1_000_000_000;
        out.println();
        out.printf("%d checks passed, %d failed, in %d s%n", passed, failed, seconds);
        return failed == 0 ? 0 : 1;
    }
}
