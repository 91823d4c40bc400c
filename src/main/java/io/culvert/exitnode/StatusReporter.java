// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.leaktest.LeakTestSummary;
import io.culvert.status.ConfigurationState;
import io.culvert.status.RuntimeFacts;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.TunnelHealth.Verdict;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Builds the status report of a running exit node. */
final class StatusReporter {

    private StatusReporter() {}

    /** @param blockedAfterLeak whether all traffic is blocked, as read back, because of a leak */
    static StatusReport report(
            String server,
            String implementation,
            Optional<DeviceState> device,
            Map<String, Boolean> killSwitch,
            Map<String, String> children,
            String mesh,
            RuntimeFacts facts,
            Connection connection,
            Optional<String> lastError,
            Optional<LeakTestSummary> leakTest,
            boolean blockedAfterLeak,
            boolean paused,
            ConfigurationState configuration,
            List<String> remarks) {
        List<PeerState> peers = device.map(DeviceState::peers).orElse(List.of());
        State state = blockedAfterLeak
                ? State.BLOCKED
                : state(killSwitch, device.isPresent(), paused, connection, lastError.isPresent());
        return new StatusReport(
                state,
                server,
                implementation,
                (state == State.CONNECTED || state == State.DEGRADED) && lastError.isEmpty() && connection.healthy(),
                connection.quality().isKnown() ? connection.quality().toString() : "",
                device.flatMap(DeviceState::lastHandshake),
                peers.stream().mapToLong(PeerState::receivedBytes).sum(),
                peers.stream().mapToLong(PeerState::sentBytes).sum(),
                killSwitch,
                children,
                mesh,
                leakTest,
                facts,
                configuration,
                Stream.concat(lastError.stream(), remarks.stream()).toList());
    }

    /**
     * The connection to the server.
     *
     * @param healthy whether data gets through, as far as it is known
     * @param failingOver whether another server is being tried
     * @param allFailed whether all servers were tried since one responded
     */
    record Connection(Verdict verdict, boolean healthy, boolean failingOver, boolean allFailed, PathQuality quality) {}

    private static State state(
            Map<String, Boolean> killSwitch, boolean tunnel, boolean paused, Connection connection, boolean lastError) {
        if (killSwitch.containsValue(false)) {
            return State.EXPOSED;
        }
        if (!tunnel) {
            return State.BLOCKED;
        }
        if (paused) {
            return State.PAUSED;
        }
        if (connection.failingOver()) {
            return State.FAILING_OVER;
        }
        return switch (connection.verdict()) {
            case CONNECTED ->
                lastError || !connection.healthy() || connection.quality().degraded()
                        ? State.DEGRADED
                        : State.CONNECTED;
            case CONNECTING -> connection.allFailed() ? State.BLOCKED : State.CONNECTING;
            case SILENT, LOST -> State.BLOCKED;
        };
    }
}
