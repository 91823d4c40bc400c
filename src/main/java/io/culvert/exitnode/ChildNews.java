package io.culvert.exitnode;

import io.culvert.process.ChildEvent;
import io.culvert.run.Journal;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Logs the events of child processes, and keeps the state of each for the status report. */
final class ChildNews {

    /** Lines that differ only in numbers (times, ports, counts) are the same message. */
    private static final Pattern NUMBERS = Pattern.compile("[0-9]+");

    private final Journal journal;
    private final Predicate<String> explained;
    private final Map<String, String> lastWords = new HashMap<>();
    private final Map<String, String> doing = new TreeMap<>();

    /** @param explained whether the lines of a child are interpreted and logged elsewhere */
    ChildNews(Journal journal, Predicate<String> explained) {
        this.journal = journal;
        this.explained = explained;
    }

    /** Returns the state of each child process, as shown in the status report. */
    Map<String, String> doing() {
        return Collections.unmodifiableMap(new TreeMap<>(doing));
    }

    /** @return whether the event may require a reconciliation */
    boolean heard(ChildEvent what) {
        switch (what) {
            case ChildEvent.Started(String child, long pid, int start) -> {
                doing.put(child, "running (pid " + pid + (start > 1 ? ", restart " + (start - 1) : "") + ")");
                journal.debug(child + ": " + doing.get(child));
            }
            case ChildEvent.Said(String child, String line) -> said(child, line);
            case ChildEvent.Ended(String child, int status, boolean asked, List<String> _) -> {
                doing.remove(child);
                if (!asked) {
                    doing.put(child, "exited with status " + status);
                    journal.warn(
                            child + ": exited unexpectedly with status " + status + "; the kill switch stays active");
                }
            }
            case ChildEvent.Restarting(String child, Duration in) ->
                journal.info(child + ": restarting in " + in.toMillis() + " ms");
            case ChildEvent.NotStarted(String child, String reason) -> journal.warn(child + ": " + reason);
        }
        return what instanceof ChildEvent.Started || what instanceof ChildEvent.Ended;
    }

    /**
     * Logs a line of a child's output: as a warning where it contains "error" and does not repeat the child's previous
     * message, such as that a server cannot be reached; otherwise at debug level.
     */
    private void said(String child, String line) {
        String gist = NUMBERS.matcher(line).replaceAll("0");
        boolean again = gist.equals(lastWords.put(child, gist));
        if (again || explained.test(child) || !line.toLowerCase(Locale.ROOT).contains("error")) {
            journal.debug(child + ": " + line);
        } else {
            journal.warn(child + ": " + line);
        }
    }
}
