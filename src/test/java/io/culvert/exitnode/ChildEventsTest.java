// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.process.ChildEvent;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChildEventsTest {

    private final StringWriter logged = new StringWriter();
    private final ChildEvents childEvents = new ChildEvents(new Log(new PrintWriter(logged)), _ -> false);

    @Test
    void a_repeated_message_of_a_child_is_logged_once() {
        for (int second = 10; second < 60; second++) {
            childEvents.handle(new ChildEvent.OutputLine("wg", "15:00:" + second + " error: cannot send"));
        }
        childEvents.handle(new ChildEvent.OutputLine("other", "15:01:00 error: cannot send"));
        childEvents.handle(new ChildEvent.OutputLine("wg", "error: another one"));
        childEvents.handle(new ChildEvent.OutputLine("wg", "15:02:00 error: cannot send"));

        assertThat(logged.toString().lines()).hasSize(4);
    }

    @Test
    void an_unexpected_exit_is_logged_as_a_warning_and_causes_a_reconciliation() {
        assertThat(childEvents.handle(new ChildEvent.Exited("wg", 137, false, List.of())))
                .isTrue();

        assertThat(logged.toString())
                .contains("warn: wg: exited unexpectedly with status 137; the kill switch stays active");
        assertThat(childEvents.states()).containsEntry("wg", "exited with status 137");
    }
}
