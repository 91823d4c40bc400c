package io.culvert.run;

import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.Locale;
import java.util.regex.Pattern;

/** The log: writes one line for each event to standard error. */
public final class Journal {

    /** Log level; each includes those before it. */
    public enum Level {
        ERROR,
        WARN,
        INFO,
        DEBUG
    }

    /**
     * Control characters, replaced so that a child's or a server's output cannot send escape sequences to a terminal.
     */
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cc}&&[^\n\t]]");

    private final PrintWriter out;
    private volatile Level level = Level.INFO;

    public Journal(PrintWriter out) {
        this.out = out;
    }

    public void tellUpTo(Level most) {
        level = most;
    }

    public void error(String line) {
        tell(Level.ERROR, line);
    }

    public void warn(String line) {
        tell(Level.WARN, line);
    }

    public void info(String line) {
        tell(Level.INFO, line);
    }

    public void debug(String line) {
        tell(Level.DEBUG, line);
    }

    public void problems(Collection<Problem> problems) {
        for (Problem problem : problems) {
            tell(
                    switch (problem.kind()) {
                        case INPUT, MACHINE, FAILURE -> Level.ERROR;
                        case WARNING -> Level.WARN;
                        case NOTE -> Level.INFO;
                    },
                    problem.toString());
        }
    }

    /** Logs an unexpected exception, a {@link ProblemException} as its problems. */
    public void failure(RuntimeException failure) {
        if (failure instanceof ProblemException known) {
            problems(known.problems());
        } else {
            error(failure.getClass().getSimpleName() + ": " + failure.getMessage());
        }
    }

    private void tell(Level of, String line) {
        if (of.compareTo(level) <= 0) {
            synchronized (out) {
                out.println((of == Level.INFO ? "" : of.name().toLowerCase(Locale.ROOT) + ": ")
                        + CONTROL.matcher(line).replaceAll("\uFFFD"));
                out.flush();
            }
        }
    }
}
