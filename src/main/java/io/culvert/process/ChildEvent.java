// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.time.Duration;
import java.util.List;

/** An event of a child process. */
public sealed interface ChildEvent {

    /** Returns the child's name in its {@link ChildSpec}. */
    String child();

    /**
     * It was started.
     *
     * @param start the number of this start: 1 for the first, 2 for the first restart
     */
    record Started(String child, long pid, int start) implements ChildEvent {}

    /** It printed a line to its standard output or error; secrets are redacted. */
    record OutputLine(String child, String line) implements ChildEvent {}

    /**
     * It exited.
     *
     * @param status its exit status; 128 plus the signal number where a signal terminated it
     * @param requested whether it was stopped on purpose
     * @param lastOutput its last lines of output, at most five, oldest first
     */
    record Exited(String child, int status, boolean requested, List<String> lastOutput) implements ChildEvent {

        public Exited {
            lastOutput = List.copyOf(lastOutput);
        }
    }

    /** It exited unexpectedly and will be restarted. */
    record Restarting(String child, Duration delay) implements ChildEvent {}

    /** It could not be restarted; the restart will be retried. */
    record RestartFailed(String child, String reason) implements ChildEvent {}
}
