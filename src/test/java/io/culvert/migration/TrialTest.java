package io.culvert.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.migration.Way.Reach;
import java.time.Instant;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TrialTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private static Way by(int hardware) {
        return new Way(Reach.NEAR, "eth0 from 192.0.2.10 by " + hardware);
    }

    @Test
    void a_host_that_answers_with_ever_new_hardware_addresses_is_visited_once_a_minute_at_most() {
        Trial trial = Trial.NONE;
        int visits = 0;
        for (int second = 0; second < 3600; second++) {
            Instant now = START.plusSeconds(second);
            if (trial.allows(by(second), now)) {
                visits++;
                trial = trial.refused(by(second), now);
            }
        }
        assertThat(visits).isBetween(50, 70);
    }

    @Test
    void who_comes_home_from_another_network_is_found_at_once() {
        Trial abroad = Trial.NONE.refused(by(1), START);

        assertThat(abroad.allows(by(1), START)).isFalse();
        assertThat(abroad.allows(by(2), START)).isTrue();
    }
}
