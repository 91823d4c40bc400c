package io.culvert.process;

import java.time.Duration;
import java.util.List;

/** What happens to a child. */
public sealed interface ChildEvent {

    /** The name in its {@link ChildSpec}. */
    String child();

    /** @param start 1 for the first, more for every start after an end */
    record Started(String child, long pid, int start) implements ChildEvent {}

    /** A line of its standard output or error, secrets taken out. */
    record Said(String child, String line) implements ChildEvent {}

    /**
     * It ended.
     *
     * @param status its exit status; 128 and the signal's number when a signal ended it
     * @param asked whether we had told it to
     * @param lastWords its last lines, at most five, oldest first
     */
    record Ended(String child, int status, boolean asked, List<String> lastWords) implements ChildEvent {

        public Ended {
            lastWords = List.copyOf(lastWords);
        }
    }

    /** It ended without being told to and will be started again. */
    record Restarting(String child, Duration in) implements ChildEvent {}

    /** It could not be started again; that will be tried once more. */
    record NotStarted(String child, String reason) implements ChildEvent {}
}
