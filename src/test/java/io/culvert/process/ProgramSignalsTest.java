// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import sun.misc.Signal;

class ProgramSignalsTest {

    @Test
    void sigterm_is_delivered_to_the_listener_instead_of_terminating_the_program() throws Exception {
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        try (ProgramSignals _ = ProgramSignals.onStop(requests::add)) {
            Signal.raise(new Signal("TERM"));
            assertThat(requests.poll(20, TimeUnit.SECONDS)).isEqualTo("SIGTERM");
        }
    }

    @Test
    void sighup_requests_to_reload_and_does_not_terminate_the_program() throws Exception {
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        try (ProgramSignals _ = ProgramSignals.onReload(requests::add)) {
            Signal.raise(new Signal("HUP"));
            assertThat(requests.poll(20, TimeUnit.SECONDS)).isEqualTo("SIGHUP");
        }
    }
}
