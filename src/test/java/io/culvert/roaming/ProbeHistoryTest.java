// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.roaming.Path.Reach;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ProbeHistoryTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private static Path by(int hardware) {
        return new Path(Reach.ON_LINK, "eth0 from 192.0.2.10 by " + hardware);
    }

    @Test
    void a_host_with_changing_hardware_addresses_is_probed_at_most_once_a_minute() {
        ProbeHistory history = ProbeHistory.NONE;
        int probes = 0;
        for (int second = 0; second < 3600; second++) {
            Instant now = START.plusSeconds(second);
            if (history.mayProbe(by(second), now)) {
                probes++;
                history = history.afterFailure(by(second), now);
            }
        }
        assertThat(probes).isBetween(50, 70);
    }

    @Test
    void a_candidate_is_probed_at_once_when_its_hardware_address_changes() {
        ProbeHistory failed = ProbeHistory.NONE.afterFailure(by(1), START);

        assertThat(failed.mayProbe(by(1), START)).isFalse();
        assertThat(failed.mayProbe(by(2), START)).isTrue();
    }
}
