package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.device.DeviceState;
import io.culvert.health.TunnelHealth.Verdict;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class StatusOfTest {

    private static StatusReport report(boolean nftables) {
        return report(nftables, Optional.empty());
    }

    private static StatusReport report(boolean nftables, Optional<DeviceState> device) {
        Map<String, Boolean> guard = Map.of("nftables", nftables, "routing", true);
        return StatusOf.chain(
                "here",
                "none",
                device,
                guard,
                Map.of(),
                "none",
                Verdict.CONNECTED,
                Optional.of("it was refused"),
                List.of());
    }

    @Test
    void a_layer_of_the_guard_that_is_gone_is_the_worst_that_can_be_said() {
        assertThat(report(false).state()).isEqualTo(State.EXPOSED);
        assertThat(report(false).healthy()).isFalse();
        assertThat(report(false).problems()).containsExactly("it was refused");
    }

    @Test
    void without_a_tunnel_all_is_blocked_whatever_was_known_of_it_before() {
        assertThat(report(true).state()).isEqualTo(State.BLOCKED);
    }

    @Test
    void what_cannot_be_done_as_planned_is_not_called_connected() {
        DeviceState device = new DeviceState(Optional.empty(), 51820, 0, List.of());

        assertThat(report(true, Optional.of(device)).state()).isEqualTo(State.DEGRADED);
        assertThat(report(true, Optional.of(device)).healthy()).isFalse();
    }
}
