// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.mesh.Mesh;
import io.culvert.plan.ExitNodePlan;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ExitOfferTest {

    private static final Instant START = Instant.EPOCH;
    private static final Optional<Duration> MINUTE = Optional.of(Duration.ofMinutes(1));

    private final List<String> calls = new ArrayList<>();
    private final StringWriter output = new StringWriter();

    private ExitOffer offer(Optional<Duration> withdrawAfter) {
        Mesh mesh = new Mesh() {
            @Override
            public void attach(ExitNodePlan plan) {}

            @Override
            public void offerExit() {
                calls.add("offer");
            }

            @Override
            public void withdrawExit() {
                calls.add("withdraw");
            }

            @Override
            public String describe() {
                return "";
            }

            @Override
            public void detach() {}
        };
        return new ExitOffer(() -> mesh, withdrawAfter, new Log(new PrintWriter(output, /* autoFlush= */ true)));
    }

    private static Instant at(long seconds) {
        return START.plusSeconds(seconds);
    }

    @Test
    void the_exit_node_is_withdrawn_when_the_connection_was_lost_for_too_long_and_offered_again() {
        ExitOffer offer = offer(MINUTE);

        assertThat(offer.update(true, at(0))).isEmpty();
        assertThat(offer.update(false, at(10))).contains(at(70));
        assertThat(offer.update(false, at(69))).contains(at(70));
        assertThat(calls).containsExactly("offer");
        assertThat(offer.update(false, at(70))).isEmpty();
        assertThat(offer.update(false, at(999))).isEmpty();
        assertThat(offer.update(true, at(1000))).isEmpty();

        assertThat(calls).containsExactly("offer", "withdraw", "offer");
        assertThat(output.toString())
                .containsOnlyOnce("mesh: exit node withdrawn, as the tunnel has not been connected for 60 s");
    }

    @Test
    void a_shorter_loss_does_not_count_for_the_next_one() {
        ExitOffer offer = offer(MINUTE);
        offer.update(true, at(0));
        offer.update(false, at(10));
        offer.update(true, at(60));

        assertThat(offer.update(false, at(80))).contains(at(140));
    }

    @Test
    void what_was_not_offered_yet_is_not_withdrawn_nor_is_anything_without_the_setting() {
        assertThat(offer(MINUTE).update(false, at(0))).isEmpty();
        ExitOffer unlimited = offer(Optional.empty());
        unlimited.update(true, at(0));

        assertThat(unlimited.update(false, at(9999))).isEmpty();
        assertThat(calls).containsExactly("offer");
    }
}
