// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DeviceStateTest {

    private static final Instant HANDSHAKE = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void a_session_lasts_for_three_minutes() {
        PeerState peer = peer(Optional.of(HANDSHAKE));

        assertThat(peer.hasSession(HANDSHAKE.plusSeconds(179))).isTrue();
        assertThat(peer.hasSession(HANDSHAKE.plusSeconds(180))).isFalse();
        assertThat(peer(Optional.empty()).hasSession(HANDSHAKE)).isFalse();
    }

    @Test
    void the_last_handshake_is_that_of_any_peer() {
        assertThat(device(List.of(Optional.of(HANDSHAKE), Optional.empty(), Optional.of(HANDSHAKE.plusSeconds(1))))
                        .lastHandshake())
                .contains(HANDSHAKE.plusSeconds(1));
        assertThat(device(List.of(Optional.empty())).lastHandshake()).isEmpty();
    }

    private static DeviceState device(List<Optional<Instant>> handshakes) {
        return new DeviceState(
                Optional.empty(),
                51820,
                0,
                handshakes.stream().map(DeviceStateTest::peer).toList());
    }

    private static PeerState peer(Optional<Instant> handshake) {
        return new PeerState(new PublicKey(new byte[32]), false, Optional.empty(), handshake, 0, 0, 0, List.of());
    }
}
