package io.culvert.exitnode;

import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.health.TunnelHealth.Verdict;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Builds the status report of a running exit node. */
final class StatusOf {

    private StatusOf() {}

    static StatusReport chain(
            String server,
            String implementation,
            Optional<DeviceState> device,
            Map<String, Boolean> guard,
            Map<String, String> children,
            String mesh,
            Verdict verdict,
            Optional<String> trouble,
            List<String> remarks) {
        List<PeerState> peers = device.map(DeviceState::peers).orElse(List.of());
        Optional<Instant> handshake = peers.stream()
                .map(PeerState::lastHandshake)
                .flatMap(Optional::stream)
                .max(Instant::compareTo);
        return new StatusReport(
                state(guard, device.isPresent(), verdict, trouble.isPresent()),
                server,
                implementation,
                handshake,
                peers.stream().mapToLong(PeerState::receivedBytes).sum(),
                peers.stream().mapToLong(PeerState::sentBytes).sum(),
                guard,
                children,
                mesh,
                Stream.concat(trouble.stream(), remarks.stream()).toList());
    }

    private static State state(Map<String, Boolean> guard, boolean tunnel, Verdict verdict, boolean trouble) {
        if (guard.containsValue(false)) {
            return State.EXPOSED;
        }
        if (!tunnel) {
            return State.BLOCKED;
        }
        return switch (verdict) {
            case CONNECTED -> trouble ? State.DEGRADED : State.CONNECTED;
            case CONNECTING -> State.CONNECTING;
            case SILENT, LOST -> State.BLOCKED;
        };
    }
}
