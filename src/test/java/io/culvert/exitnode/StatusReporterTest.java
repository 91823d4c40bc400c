// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.status.RuntimeFacts;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.TunnelHealth.Verdict;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StatusReporterTest {

    private static StatusReport report(boolean nftables) {
        return report(nftables, Optional.empty());
    }

    private static StatusReport report(boolean nftables, Optional<DeviceState> device) {
        return report(nftables, device, false);
    }

    private static StatusReport report(boolean nftables, Optional<DeviceState> device, boolean blockedAfterLeak) {
        Map<String, Boolean> killSwitch = Map.of("nftables", nftables, "routing", true);
        return StatusReporter.report(
                "here",
                "none",
                device,
                killSwitch,
                Map.of(),
                "none",
                RuntimeFacts.NONE,
                Verdict.CONNECTED,
                Optional.of("it was refused"),
                Optional.empty(),
                blockedAfterLeak,
                List.of());
    }

    @Test
    void a_missing_kill_switch_layer_overrides_every_other_state() {
        assertThat(report(false).state()).isEqualTo(State.EXPOSED);
        assertThat(report(false).healthy()).isFalse();
        assertThat(report(false).problems()).containsExactly("it was refused");
    }

    @Test
    void a_block_after_a_leak_overrides_even_that() {
        assertThat(report(false, Optional.empty(), true).state()).isEqualTo(State.BLOCKED);
    }

    @Test
    void without_a_tunnel_the_state_is_blocked() {
        assertThat(report(true).state()).isEqualTo(State.BLOCKED);
    }

    @Test
    void an_error_makes_the_state_degraded() {
        DeviceState device = new DeviceState(Optional.empty(), 51820, 0, List.of());

        assertThat(report(true, Optional.of(device)).state()).isEqualTo(State.DEGRADED);
        assertThat(report(true, Optional.of(device)).healthy()).isFalse();
    }
}
