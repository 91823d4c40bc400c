package io.culvert.lab;

import java.io.PrintStream;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/** Prints facts as they are measured, and keeps count of those that are wrong. */
final class Story {

    private static final String GREEN = "\u001b[32m";
    private static final String RED = "\u001b[31m";
    private static final String BOLD = "\u001b[1m";
    private static final String PLAIN = "\u001b[0m";
    private static final String CLEAR_LINE = "\r\u001b[K";

    private final PrintStream out;
    private final boolean terminal;
    private final long begin = System.nanoTime();
    private int right;
    private int wrong;

    /** @param terminal whether there is somebody to show colours and passing remarks to */
    Story(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    void chapter(String title) {
        out.println();
        out.println(terminal ? BOLD + title + PLAIN : title);
    }

    /** What takes a while now: the next line takes its place. */
    void progress(String what) {
        if (terminal) {
            out.print("  ... " + what);
        } else {
            out.println("  ... " + what);
        }
        out.flush();
    }

    /** States what was measured, and whether it is as expected. */
    void fact(String what, Object expected, Object measured) {
        String value = text(measured);
        String line = what + (value.isEmpty() ? "" : ": " + value);
        if (expected.equals(measured)) {
            right++;
            line("ok", GREEN, line);
        } else {
            wrong++;
            line("NO", RED, line + ", expected " + (text(expected).isEmpty() ? "nothing" : text(expected)));
        }
    }

    /** The story cannot go on. */
    void broken(String reason) {
        wrong++;
        line("NO", RED, reason);
    }

    private void line(String word, String colour, String text) {
        out.println((terminal ? CLEAR_LINE + "  " + colour + word + PLAIN : "  " + word) + "  " + text);
    }

    private static String text(Object value) {
        return switch (value) {
            case Boolean truth -> truth ? "" : "no";
            case Optional<?> optional -> optional.isPresent() ? text(optional.get()) : "no answer";
            case Collection<?> all ->
                all.isEmpty()
                        ? "none"
                        : String.join(", ", all.stream().map(Story::text).toList());
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

    /** What helps to find out why, shown when something was wrong. */
    void evidence(String title, String text) {
        if (wrong > 0) {
            chapter(title);
            out.println(text.indent(2).stripTrailing());
        }
    }

    /** Sums up; the exit status. */
    int end() {
        long seconds = (System.nanoTime() - begin) / 1_000_000_000;
        out.println();
        out.printf("%d facts as they should be, %d not, in %d s%n", right, wrong, seconds);
        return wrong == 0 ? 0 : 1;
    }
}
