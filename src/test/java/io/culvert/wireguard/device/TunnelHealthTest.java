// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.TunnelHealth.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
        LastReceived since =
                new LastReceived(1000, 2000, HANDSHAKE, Map.of()).updated(responding, HANDSHAKE.plusSeconds(30));
        assertThat(TunnelHealth.of(responding, HANDSHAKE, since, HANDSHAKE.plusSeconds(30))
                        .verdict())
                .isEqualTo(Verdict.CONNECTED);
    }

    /** Data and keepalives are lost on the path to the server; its handshake responses are the only packets received. */
    @Test
    void handshakes_alone_mean_silent_until_data_is_received() {
        LastReceived received = LAST_RECEIVED;
        List<Verdict> verdicts = new ArrayList<>();
        for (int session = 0; session < 5; session++) {
            Instant handshake = HANDSHAKE.plusSeconds(15L * session);
            DeviceState device = device(Optional.of(handshake), 92L * (session + 1), 1000L * (session + 1));
            received = received.updated(device, handshake);
            TunnelHealth health = TunnelHealth.of(device, HANDSHAKE, received, handshake);
            verdicts.add(health.verdict());
            assertThat(health.nextCheck()).isEqualTo(handshake.plusSeconds(session == 0 ? 15 : 5));
        }
        assertThat(verdicts)
                .containsExactly(Verdict.CONNECTED, Verdict.CONNECTED, Verdict.SILENT, Verdict.SILENT, Verdict.SILENT);

        Instant later = HANDSHAKE.plusSeconds(70);
        DeviceState answered = device(Optional.of(HANDSHAKE.plusSeconds(60)), 92 * 5 + 32, 6000);
        assertThat(TunnelHealth.of(answered, HANDSHAKE, received.updated(answered, later), later)
                        .verdict())
                .isEqualTo(Verdict.CONNECTED);
    }

    @Test
    void a_tunnel_that_becomes_idle_after_lost_packets_is_connected() {
        LastReceived received = LAST_RECEIVED;
        DeviceState device = device(Optional.of(HANDSHAKE), 92, 180);
        for (long second : List.of(0L, 15L, 30L, 151L)) {
            Instant handshake = HANDSHAKE.plusSeconds(second);
            device = device(Optional.of(handshake), received.received() + 92, received.sent() + 180);
            received = received.updated(device, handshake);
        }
        assertThat(received.isOverdue(device, HANDSHAKE.plusSeconds(152))).isFalse();
    }

    /** An upload is answered by a keepalive every ten seconds, and then needs no new session. */
    @Test
    void sessions_in_which_anything_was_received_are_answered() {
        LastReceived received = LAST_RECEIVED;
        DeviceState device = device(Optional.empty());
        for (int session = 0; session < 10; session++) {
            Instant handshake = HANDSHAKE.plusSeconds(15L * session);
            device = device(Optional.of(handshake), (92L + 32) * (session + 1), 100_000L * (session + 1));
            received = received.updated(device, handshake);
            assertThat(received.isOverdue(device, handshake)).isFalse();
        }
    }

    @Test
    void handshakes_of_different_peers_are_not_mistaken_for_repeated_ones() {
        LastReceived received = LAST_RECEIVED;
        DeviceState device = device(Optional.empty());
        for (int i = 0; i < 6; i++) {
            Instant handshake = HANDSHAKE.plusSeconds(60L * i);
            Instant previous = HANDSHAKE.plusSeconds(60L * (i - 1));
            device = new DeviceState(
                    Optional.empty(),
                    51820,
                    0,
                    List.of(
                            peer(1, Optional.of(i % 2 == 0 ? handshake : previous), 92L * (i / 2 + 1), 0),
                            peer(2, Optional.of(i % 2 == 1 ? handshake : previous), 92L * ((i + 1) / 2), 0)));
            received = received.updated(device, handshake);
            assertThat(received.isOverdue(device, handshake)).isFalse();
        }
    }

    private static DeviceState device(Optional<Instant> handshake) {
        return device(handshake, 0, 0);
    }

    private static DeviceState device(Optional<Instant> handshake, long received, long sent) {
        return new DeviceState(Optional.empty(), 51820, 0, List.of(peer(0, handshake, received, sent)));
    }

    private static PeerState peer(int number, Optional<Instant> handshake, long received, long sent) {
        byte[] key = new byte[32];
        key[0] = (byte) number;
        return new PeerState(new PublicKey(key), false, Optional.empty(), handshake, received, sent, 25, List.of());
    }
}
