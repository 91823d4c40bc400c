// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.process.ChildEvent;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Logs the events of child processes, and keeps the state of each for the status report. */
final class ChildEvents {

    /** Lines that differ only in numbers (times, ports, counts) are the same message. */
    private static final Pattern NUMBERS = Pattern.compile("[0-9]+");

    private static final Pattern SESSION = Pattern.compile(" info: |^[A-Z]+ +[A-Z][a-z]{2} [0-9]{2} [0-9:.]+ \\[");

    /** The latter is how tinyproxy reports that its port is in use. */
    private static final Pattern ERROR = Pattern.compile("(?i)error|could not create listening sockets");

    private final Log log;
    private final Predicate<String> reportedElsewhere;
    private final Map<String, String> lastOutput = new HashMap<>();
    private final Map<String, String> states = new TreeMap<>();

    /** @param reportedElsewhere whether the lines of a child are interpreted and logged elsewhere */
    ChildEvents(Log log, Predicate<String> reportedElsewhere) {
        this.log = log;
        this.reportedElsewhere = reportedElsewhere;
    }

    /** Returns the state of each child process, as shown in the status report. */
    Map<String, String> states() {
        return Collections.unmodifiableMap(new TreeMap<>(states));
    }

    /** @return whether the event may require a reconciliation */
    boolean handle(ChildEvent event) {
        switch (event) {
            case ChildEvent.Started(String child, long pid, int start) -> {
                states.put(child, "running (pid " + pid + (start > 1 ? ", restart " + (start - 1) : "") + ")");
                log.debug(child + ": " + states.get(child));
            }
            case ChildEvent.OutputLine(String child, String line) -> logOutput(child, line);
            case ChildEvent.Exited(String child, int status, boolean requested, List<String> _) -> {
                states.remove(child);
                if (!requested) {
                    states.put(child, "exited with status " + status);
                    log.warn(child + ": exited unexpectedly with status " + status + "; the kill switch stays active");
                }
            }
            case ChildEvent.Restarting(String child, Duration in) ->
                log.info(child + ": restarting in " + in.toMillis() + " ms");
            case ChildEvent.RestartFailed(String child, String reason) -> log.warn(child + ": " + reason);
        }
        return event instanceof ChildEvent.Started || event instanceof ChildEvent.Exited;
    }

    /**
     * Logs a line of a child's output: as a warning where it contains "error" and does not repeat the child's previous
     * message, such as that a server cannot be reached; otherwise at debug level. So are the proxies' lines about single
     * sessions (Dante's {@code info: pass(17): tcp/connect}, tinyproxy's {@code ERROR     Dec 01 10:04:47.265}): a client
     * causes them with each connection that a server refuses, and they name the destination.
     */
    private void logOutput(String child, String line) {
        String message = NUMBERS.matcher(line).replaceAll("0");
        boolean repeated = message.equals(lastOutput.put(child, message));
        if (repeated
                || reportedElsewhere.test(child)
                || SESSION.matcher(line).find()
                || !ERROR.matcher(line).find()) {
            log.debug(child + ": " + line);
        } else {
            log.warn(child + ": " + line);
        }
    }
}
