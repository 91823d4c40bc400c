// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import java.io.PrintWriter;
import java.util.Collection;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;

/** The log: writes one line for each event to standard error. */
public final class Log {

    /** The level of the log; each level includes the ones before it. */
    public enum Level {
        ERROR,
        WARN,
        INFO,
        DEBUG;

        /** Returns the word by which it is set and shown. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Control characters, replaced so that a child's or a server's output cannot send escape sequences to a terminal.
     */
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cc}&&[^\n\t]]");

    private final PrintWriter out;
    private final String prefix;
    private final AtomicReference<Level> level;
    private final AtomicReference<BiConsumer<Level, String>> listener;

    public Log(PrintWriter out) {
        this(out, "", new AtomicReference<>(Level.INFO), new AtomicReference<>((_, _) -> {}));
    }

    private Log(
            PrintWriter out,
            String prefix,
            AtomicReference<Level> level,
            AtomicReference<BiConsumer<Level, String>> listener) {
        this.out = out;
        this.prefix = prefix;
        this.level = level;
        this.listener = listener;
    }

    /** Returns a log with the same output and level whose lines begin with a prefix, such as {@code mesh: }. */
    public Log prefixed(String added) {
        return new Log(out, prefix + added, level, listener);
    }

    public void setLevel(Level newLevel) {
        level.set(newLevel);
    }

    /** Passes each line that is written to a listener too; it must not block. */
    public void setListener(BiConsumer<Level, String> next) {
        listener.set(next);
    }

    public void error(String line) {
        write(Level.ERROR, line);
    }

    public void warn(String line) {
        write(Level.WARN, line);
    }

    public void info(String line) {
        write(Level.INFO, line);
    }

    public void debug(String line) {
        write(Level.DEBUG, line);
    }

    /** Logs problems, each with its level; a line begins with the level, so a warning does not repeat it. */
    public void problems(Collection<Problem> problems) {
        for (Problem problem : problems) {
            write(
                    switch (problem.kind()) {
                        case INPUT, MACHINE, FAILURE -> Level.ERROR;
                        case WARNING -> Level.WARN;
                        case NOTE -> Level.INFO;
                    },
                    problem.kind() == Problem.Kind.WARNING ? problem.withoutSeverity() : problem.toString());
        }
    }

    /** Logs an unexpected exception, a {@link ProblemException} as its problems. */
    public void failure(RuntimeException failure) {
        if (failure instanceof ProblemException problemException) {
            problems(problemException.problems());
        } else {
            error(failure.getClass().getSimpleName() + ": " + failure.getMessage());
        }
    }

    private void write(Level lineLevel, String line) {
        if (lineLevel.compareTo(level.get()) <= 0) {
            String text = CONTROL.matcher(prefix + line).replaceAll("\uFFFD");
            synchronized (out) {
                out.println((lineLevel == Level.INFO ? "" : lineLevel + ": ") + text);
                out.flush();
            }
            listener.get().accept(lineLevel, text);
        }
    }
}
