package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import sun.misc.Signal;

@DisplayNameGeneration(ReplaceUnderscores.class)
class StopSignalsTest {

    @Test
    void a_request_to_stop_is_delivered_instead_of_ending_the_program() throws Exception {
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        try (StopSignals _ = StopSignals.deliverTo(requests::add)) {
            Signal.raise(new Signal("TERM"));
            assertThat(requests.poll(20, TimeUnit.SECONDS)).isEqualTo("SIGTERM");
        }
    }
}
