// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.exitnode.StatusReporter.Connection;
import io.culvert.status.ConfigurationState;
import io.culvert.status.RuntimeFacts;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.TunnelHealth.Verdict;
import java.util.Collections;
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
        return report(
                nftables,
                device,
                blockedAfterLeak,
                new Connection(Verdict.CONNECTED, true, false, false, PathQuality.UNKNOWN),
                Optional.of("it was refused"));
    }

    private static StatusReport report(Connection connection) {
        return report(
                true,
                Optional.of(new DeviceState(Optional.empty(), 51820, 0, List.of())),
                false,
                connection,
                Optional.empty());
    }

    private static StatusReport report(
            boolean nftables,
            Optional<DeviceState> device,
            boolean blockedAfterLeak,
            Connection connection,
            Optional<String> error) {
        return report(nftables, device, blockedAfterLeak, connection, error, false);
    }

    private static StatusReport report(
            boolean nftables,
            Optional<DeviceState> device,
            boolean blockedAfterLeak,
            Connection connection,
            Optional<String> error,
            boolean paused) {
        Map<String, Boolean> killSwitch = Map.of("nftables", nftables, "routing", true);
        return StatusReporter.report(
                "here",
                "none",
                device,
                killSwitch,
                Map.of(),
                "none",
                RuntimeFacts.NONE,
                connection,
                error,
                Optional.empty(),
                blockedAfterLeak,
                paused,
                ConfigurationState.NONE,
                List.of());
    }

    private static StatusReport paused(boolean nftables) {
        return report(
                nftables,
                Optional.of(new DeviceState(Optional.empty(), 51820, 0, List.of())),
                false,
                new Connection(Verdict.CONNECTING, false, false, false, PathQuality.UNKNOWN),
                Optional.empty(),
                true);
    }

    @Test
    void a_paused_tunnel_is_not_healthy_and_does_not_hide_that_a_layer_of_the_kill_switch_is_missing() {
        assertThat(paused(true).state()).isEqualTo(State.PAUSED);
        assertThat(paused(true).healthy()).isFalse();
        assertThat(paused(false).state()).isEqualTo(State.EXPOSED);
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

    @Test
    void loss_makes_the_state_degraded_and_the_node_stays_ready() {
        PathQuality bad = PathQuality.of(Collections.nCopies(10, Optional.empty()), false);

        StatusReport report = report(new Connection(Verdict.CONNECTED, true, false, false, bad));

        assertThat(report.state()).isEqualTo(State.DEGRADED);
        assertThat(report.healthy()).isTrue();
        assertThat(report.path()).isEqualTo("loss 100 %, round trip unknown");
    }

    @Test
    void a_server_that_answers_no_data_makes_the_state_degraded_and_the_node_not_ready() {
        StatusReport report = report(new Connection(Verdict.CONNECTED, false, false, false, PathQuality.UNKNOWN));

        assertThat(report.state()).isEqualTo(State.DEGRADED);
        assertThat(report.healthy()).isFalse();
    }

    @Test
    void while_another_server_is_tried_the_state_is_failing_over_until_all_have_failed() {
        assertThat(report(new Connection(Verdict.CONNECTING, false, true, false, PathQuality.UNKNOWN))
                        .state())
                .isEqualTo(State.FAILING_OVER)
                .hasToString("failing-over");
        assertThat(report(new Connection(Verdict.CONNECTING, false, false, true, PathQuality.UNKNOWN))
                        .state())
                .isEqualTo(State.BLOCKED);
        assertThat(report(new Connection(Verdict.CONNECTING, false, false, false, PathQuality.UNKNOWN))
                        .state())
                .isEqualTo(State.CONNECTING);
    }
}
