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

    /** As Dante prints it. */
    @Test
    void a_connection_that_a_server_refuses_to_a_proxy_client_is_not_logged() {
        childEvents.handle(new ChildEvent.OutputLine(
                "dante",
                "Nov 30 18:18:20 (1796062700.018726) danted[120]: info: pass(17): tcp/connect ]: 0 -> 192.0.2.20.60310"
                        + " 192.0.2.10.1080 -> 0, 0 -> 10.64.0.2.60310 198.51.100.103.20003 -> 0: remote peer error"
                        + " (Connection refused).  Session duration: 5s"));

        assertThat(logged.toString()).isEmpty();
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
