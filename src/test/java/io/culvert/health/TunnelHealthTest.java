package io.culvert.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.health.TunnelHealth.Verdict;
import io.culvert.wireguard.PublicKey;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TunnelHealthTest {

    private static final Instant HANDSHAKE = Instant.parse("2026-01-01T00:00:00Z");
    private static final Heard HEARD = Heard.nothing(HANDSHAKE);

    @Test
    void before_the_first_handshake_it_connects() {
        assertThat(TunnelHealth.of(device(Optional.empty()), HANDSHAKE, HEARD, HANDSHAKE)
                        .verdict())
                .isEqualTo(Verdict.CONNECTING);
    }

    @Test
    void a_young_session_is_connected_and_looked_at_again_soon() {
        TunnelHealth health =
                TunnelHealth.of(device(Optional.of(HANDSHAKE)), HANDSHAKE, HEARD, HANDSHAKE.plusSeconds(10));
        assertThat(health.verdict()).isEqualTo(Verdict.CONNECTED);
        assertThat(health.nextLook()).isEqualTo(HANDSHAKE.plusSeconds(25));
    }

    @Test
    void an_overdue_renewal_is_silence() {
        assertThat(TunnelHealth.of(device(Optional.of(HANDSHAKE)), HANDSHAKE, HEARD, HANDSHAKE.plusSeconds(155))
                        .verdict())
                .isEqualTo(Verdict.SILENT);
    }

    @Test
    void traffic_that_ends_just_before_a_renewal_is_due_puts_the_renewal_off_by_a_keepalive() {
        Instant lastPacket = HANDSHAKE.plusSeconds(119);
        assertThat(TunnelHealth.of(device(Optional.of(HANDSHAKE)), HANDSHAKE, HEARD, lastPacket.plusSeconds(25 + 2 * 5))
                        .verdict())
                .isEqualTo(Verdict.CONNECTED);
    }

    @Test
    void an_ended_session_is_lost() {
        assertThat(TunnelHealth.of(device(Optional.of(HANDSHAKE)), HANDSHAKE, HEARD, HANDSHAKE.plusSeconds(180))
                        .verdict())
                .isEqualTo(Verdict.LOST);
    }

    @Test
    void a_first_handshake_that_does_not_come_is_looked_for_less_and_less() {
        Instant soon = HANDSHAKE.plusMillis(40);
        Instant late = HANDSHAKE.plusSeconds(600);
        assertThat(TunnelHealth.of(device(Optional.empty()), HANDSHAKE, HEARD, soon)
                        .nextLook())
                .isEqualTo(soon.plusMillis(5));
        assertThat(TunnelHealth.of(device(Optional.empty()), HANDSHAKE, HEARD, late)
                        .nextLook())
                .isEqualTo(late.plusSeconds(5));
    }

    @Test
    void what_stays_unanswered_is_silence_long_before_the_renewal() {
        DeviceState busy = device(Optional.of(HANDSHAKE), 1000, 2000);
        Heard heard = HEARD.and(busy, HANDSHAKE);
        DeviceState later = device(Optional.of(HANDSHAKE), 1000, 2400);

        assertThat(TunnelHealth.of(later, HANDSHAKE, heard, HANDSHAKE.plusSeconds(14))
                        .verdict())
                .isEqualTo(Verdict.CONNECTED);
        assertThat(TunnelHealth.of(later, HANDSHAKE, heard.and(later, HANDSHAKE), HANDSHAKE.plusSeconds(15))
                        .verdict())
                .isEqualTo(Verdict.SILENT);
    }

    @Test
    void keepalives_that_nobody_answers_are_no_silence() {
        DeviceState idle = device(Optional.of(HANDSHAKE), 0, 4 * 32);
        assertThat(TunnelHealth.of(idle, HANDSHAKE, HEARD, HANDSHAKE.plusSeconds(110))
                        .verdict())
                .isEqualTo(Verdict.CONNECTED);
    }

    @Test
    void an_answer_ends_the_silence() {
        DeviceState answered = device(Optional.of(HANDSHAKE), 1100, 2500);
        Heard heard = new Heard(1000, 2000, HANDSHAKE).and(answered, HANDSHAKE.plusSeconds(30));
        assertThat(TunnelHealth.of(answered, HANDSHAKE, heard, HANDSHAKE.plusSeconds(30))
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
