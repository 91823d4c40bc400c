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

/** What is heard of the children: told to the user, and kept for who asks. */
final class ChildNews {

    /** Times, ports and counts do not make it another sentence. */
    private static final Pattern NUMBERS = Pattern.compile("[0-9]+");

    private final Journal journal;
    private final Predicate<String> explained;
    private final Map<String, String> lastWords = new HashMap<>();
    private final Map<String, String> doing = new TreeMap<>();

    /** @param explained whose lines somebody else explains */
    ChildNews(Journal journal, Predicate<String> explained) {
        this.journal = journal;
        this.explained = explained;
    }

    /** What each child does now, for people. */
    Map<String, String> doing() {
        return Collections.unmodifiableMap(new TreeMap<>(doing));
    }

    /** @return whether something may have to be put right after it */
    boolean heard(ChildEvent what) {
        switch (what) {
            case ChildEvent.Started(String child, long pid, int start) -> {
                doing.put(child, "runs as process " + pid + (start > 1 ? ", for the " + start + ". time" : ""));
                journal.debug(child + ": " + doing.get(child));
            }
            case ChildEvent.Said(String child, String line) -> said(child, line);
            case ChildEvent.Ended(String child, int status, boolean asked, List<String> _) -> {
                doing.remove(child);
                if (!asked) {
                    doing.put(child, "ended with status " + status);
                    journal.warn(child + ": ended unexpectedly with status " + status + "; the guard stands");
                }
            }
            case ChildEvent.Restarting(String child, Duration in) ->
                journal.info(child + ": starts again in " + in.toMillis() + " ms");
            case ChildEvent.NotStarted(String child, String reason) -> journal.warn(child + ": " + reason);
        }
        return what instanceof ChildEvent.Started || what instanceof ChildEvent.Ended;
    }

    /**
     * Programs say much when all is well. What sounds like trouble is passed on, but once where it is said over and over, such
     * as that a server cannot be reached.
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
