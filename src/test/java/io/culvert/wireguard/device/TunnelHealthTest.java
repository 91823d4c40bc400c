// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.TunnelHealth.Verdict;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TunnelHealthTest {

    private static final Instant HANDSHAKE = Instant.parse("2026-01-01T00:00:00Z");
    private static final LastReceived LAST_RECEIVED = LastReceived.initial(HANDSHAKE);

    @Test
    void a_tunnel_without_a_handshake_is_connecting() {
        assertThat(TunnelHealth.of(device(Optional.empty()), HANDSHAKE, LAST_RECEIVED, HANDSHAKE)
                        .verdict())
                .isEqualTo(Verdict.CONNECTING);
    }

    @Test
    void a_recent_session_is_connected_and_checked_again_soon() {
        TunnelHealth health =
                TunnelHealth.of(device(Optional.of(HANDSHAKE)), HANDSHAKE, LAST_RECEIVED, HANDSHAKE.plusSeconds(10));
        assertThat(health.verdict()).isEqualTo(Verdict.CONNECTED);
        assertThat(health.nextCheck()).isEqualTo(HANDSHAKE.plusSeconds(25));
    }

    @Test
    void an_overdue_handshake_means_silent() {
        assertThat(TunnelHealth.of(device(Optional.of(HANDSHAKE)), HANDSHAKE, LAST_RECEIVED, HANDSHAKE.plusSeconds(155))
                        .verdict())
                .isEqualTo(Verdict.SILENT);
    }

    @Test
    void a_handshake_may_be_delayed_by_a_keepalive_interval() {
        Instant lastPacket = HANDSHAKE.plusSeconds(119);
        assertThat(TunnelHealth.of(
                                device(Optional.of(HANDSHAKE)),
                                HANDSHAKE,
                                LAST_RECEIVED,
                                lastPacket.plusSeconds(25 + 2 * 5))
                        .verdict())
                .isEqualTo(Verdict.CONNECTED);
    }

    @Test
    void an_expired_session_is_lost() {
        assertThat(TunnelHealth.of(device(Optional.of(HANDSHAKE)), HANDSHAKE, LAST_RECEIVED, HANDSHAKE.plusSeconds(180))
                        .verdict())
                .isEqualTo(Verdict.LOST);
    }

    @Test
    void a_missing_first_handshake_is_polled_at_growing_intervals() {
        Instant soon = HANDSHAKE.plusMillis(40);
        Instant late = HANDSHAKE.plusSeconds(600);
        assertThat(TunnelHealth.of(device(Optional.empty()), HANDSHAKE, LAST_RECEIVED, soon)
                        .nextCheck())
                .isEqualTo(soon.plusMillis(5));
        assertThat(TunnelHealth.of(device(Optional.empty()), HANDSHAKE, LAST_RECEIVED, late)
                        .nextCheck())
                .isEqualTo(late.plusSeconds(5));
    }

    @Test
    void unanswered_traffic_means_silent_before_a_handshake_is_due() {
        DeviceState busy = device(Optional.of(HANDSHAKE), 1000, 2000);
        LastReceived since = LAST_RECEIVED.updated(busy, HANDSHAKE);
        DeviceState later = device(Optional.of(HANDSHAKE), 1000, 2400);

        assertThat(TunnelHealth.of(later, HANDSHAKE, since, HANDSHAKE.plusSeconds(14))
                        .verdict())
                .isEqualTo(Verdict.CONNECTED);
        assertThat(TunnelHealth.of(later, HANDSHAKE, since.updated(later, HANDSHAKE), HANDSHAKE.plusSeconds(15))
                        .verdict())
                .isEqualTo(Verdict.SILENT);
    }

    @Test
    void unanswered_keepalives_do_not_mean_silent() {
        DeviceState idle = device(Optional.of(HANDSHAKE), 0, 4 * 32);
        assertThat(TunnelHealth.of(idle, HANDSHAKE, LAST_RECEIVED, HANDSHAKE.plusSeconds(110))
                        .verdict())
                .isEqualTo(Verdict.CONNECTED);
    }

    @Test
    void a_response_means_connected_again() {
        DeviceState responding = device(Optional.of(HANDSHAKE), 1100, 2500);
        LastReceived since = new LastReceived(1000, 2000, HANDSHAKE).updated(responding, HANDSHAKE.plusSeconds(30));
        assertThat(TunnelHealth.of(responding, HANDSHAKE, since, HANDSHAKE.plusSeconds(30))
                        .verdict())
                .isEqualTo(Verdict.CONNECTED);
    }

    private static DeviceState device(Optional<Instant> handshake) {
        return device(handshake, 0, 0);
    }

    private static DeviceState device(Optional<Instant> handshake, long received, long sent) {
        PeerState peer = new PeerState(
                new PublicKey(new byte[32]), false, Optional.empty(), handshake, received, sent, 25, List.of());
        return new DeviceState(Optional.empty(), 51820, 0, List.of(peer));
    }
}
