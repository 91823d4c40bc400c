// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.exitnode.LoadedConfiguration.Server;
import io.culvert.exitnode.ServerSelection.Situation;
import io.culvert.settings.ServerOrder;
import io.culvert.wireguard.config.WireGuardFile;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ServerSelectionTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration RETURN_AFTER = Duration.ofMinutes(5);
    private static final Server A = server("a.conf");
    private static final Server B = server("b.conf");
    private static final Server C = server("c.conf");

    private Instant now = START;

    private static Server server(String name) {
        Path file = Path.of(name);
        return new Server(file, WireGuardFile.parse(file, """
                        [Interface]
                        PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                        Address = 10.64.0.2/32
                        [Peer]
                        PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                        AllowedIPs = 0.0.0.0/0
                        Endpoint = 192.0.2.10:51820
                        """).config().orElseThrow());
    }

    private static ServerSelection of(ServerOrder order, String host, Server... servers) {
        return new ServerSelection(List.of(servers), order, host, Optional.of(RETURN_AFTER), new Random(1), START);
    }

    private static Situation silent(int addresses) {
        return new Situation(true, false, false, true, addresses, true, Duration.ofMillis(20), Duration.ZERO);
    }

    private static Situation responding(boolean busy) {
        return new Situation(true, true, true, busy, 1, true, Duration.ofMillis(20), Duration.ZERO);
    }

    /** Returns the next step that is not NONE, within a time. */
    private RecoveryStep await(ServerSelection selection, Situation situation, Duration limit) {
        Instant end = now.plus(limit);
        while (now.isBefore(end)) {
            now = now.plusMillis(100);
            RecoveryStep step = selection.next(situation, now);
            if (step != RecoveryStep.NONE) {
                return step;
            }
        }
        return RecoveryStep.NONE;
    }

    @Test
    void each_address_is_tried_before_the_next_server() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B);

        assertThat(await(selection, silent(3), Duration.ofSeconds(5))).isEqualTo(RecoveryStep.NEXT_ADDRESS);
        assertThat(await(selection, silent(3), Duration.ofSeconds(5))).isEqualTo(RecoveryStep.NEXT_ADDRESS);
        assertThat(selection.current()).isEqualTo(A);
        assertThat(await(selection, silent(3), Duration.ofSeconds(5))).isEqualTo(RecoveryStep.SWITCH_SERVER);
        assertThat(selection.current()).isEqualTo(B);
        assertThat(Duration.between(START, now)).isLessThan(Duration.ofSeconds(12));
    }

    @Test
    void a_server_that_is_lost_gets_a_new_session_for_a_moment_and_then_the_next_one_is_used() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B);
        assertThat(selection.next(responding(true), now)).isEqualTo(RecoveryStep.NONE);

        assertThat(selection.next(silent(1), now)).isEqualTo(RecoveryStep.RESET_PEER);
        assertThat(await(selection, silent(1), Duration.ofMillis(600))).isEqualTo(RecoveryStep.SWITCH_SERVER);
        assertThat(selection.current()).isEqualTo(B);
    }

    /** The handshake succeeds after the reset, and data is lost again. */
    @Test
    void a_server_that_answers_handshakes_only_is_not_reset_twice() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B);
        Situation handshake = new Situation(true, true, false, true, 1, true, Duration.ZERO, Duration.ZERO);
        selection.next(handshake, now);
        assertThat(selection.next(silent(1), now)).isEqualTo(RecoveryStep.RESET_PEER);
        selection.next(handshake, now);

        assertThat(selection.next(silent(1), now)).isEqualTo(RecoveryStep.SWITCH_SERVER);
    }

    @Test
    void when_all_servers_are_dead_all_are_tried_at_growing_intervals_and_the_process_is_replaced() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B, C);
        List<RecoveryStep> steps = IntStream.range(0, 40)
                .mapToObj(_ -> await(selection, silent(1), Duration.ofSeconds(60)))
                .toList();

        assertThat(steps).doesNotContain(RecoveryStep.NONE).contains(RecoveryStep.RECREATE_DEVICE);
        assertThat(selection.haveAllFailed()).isTrue();
        assertThat(Duration.between(START, now)).isGreaterThan(Duration.ofMinutes(12));
    }

    @Test
    void the_only_server_is_tried_again_and_again() {
        ServerSelection selection = of(ServerOrder.FILE, "", A);
        for (int i = 0; i < 20; i++) {
            assertThat(await(selection, silent(1), Duration.ofSeconds(60)))
                    .isIn(RecoveryStep.RESET_PEER, RecoveryStep.RECREATE_DEVICE);
            assertThat(selection.current()).isEqualTo(A);
        }
    }

    @Test
    void without_an_uplink_nothing_rotates_and_the_server_gets_its_time_afterwards() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B);
        Situation offline = new Situation(false, false, false, true, 1, true, Duration.ZERO, Duration.ZERO);

        selection.next(responding(true), now);
        assertThat(await(selection, offline, Duration.ofHours(1))).isEqualTo(RecoveryStep.NONE);
        assertThat(selection.next(silent(1), now.plusSeconds(2))).isEqualTo(RecoveryStep.NONE);
        assertThat(selection.current()).isEqualTo(A);
    }

    private void failOver(ServerSelection selection) {
        selection.next(responding(true), now);
        selection.next(silent(1), now);
        await(selection, silent(1), Duration.ofSeconds(5));
    }

    @Test
    void the_preferred_server_is_used_again_after_a_while_without_traffic() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B);
        failOver(selection);
        assertThat(selection.current()).isEqualTo(B);

        Instant failed = now;
        assertThat(await(selection, responding(true), RETURN_AFTER.plusSeconds(10)))
                .isEqualTo(RecoveryStep.NONE);
        assertThat(await(selection, responding(false), Duration.ofSeconds(1))).isEqualTo(RecoveryStep.SWITCH_SERVER);
        assertThat(selection.current()).isEqualTo(A);
        assertThat(Duration.between(failed, now)).isGreaterThan(RETURN_AFTER);
    }

    @Test
    void a_return_that_fails_leads_back_and_the_next_one_takes_twice_as_long() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B, C);
        failOver(selection);
        assertThat(await(selection, responding(false), RETURN_AFTER.plusSeconds(1)))
                .isEqualTo(RecoveryStep.SWITCH_SERVER);
        assertThat(selection.current()).isEqualTo(A);

        assertThat(await(selection, silent(1), Duration.ofSeconds(4))).isEqualTo(RecoveryStep.SWITCH_SERVER);
        assertThat(selection.current()).isEqualTo(B);
        Instant failed = now;
        await(selection, responding(false), Duration.ofHours(1));
        assertThat(selection.current()).isEqualTo(A);
        assertThat(Duration.between(failed, now)).isGreaterThan(RETURN_AFTER.multipliedBy(2));
    }

    @Test
    void a_selected_server_is_preferred() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B, C);
        selection.select(C, now);

        assertThat(selection.current()).isEqualTo(C);
        assertThat(await(selection, responding(false), Duration.ofHours(1))).isEqualTo(RecoveryStep.NONE);
        assertThatThrownBy(() -> selection.select(server("d.conf"), now)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void the_random_order_depends_on_the_host() {
        List<List<Server>> orders = IntStream.range(0, 50)
                .mapToObj(host ->
                        of(ServerOrder.RANDOM, "replica-" + host, A, B, C).servers())
                .toList();

        assertThat(orders.stream().map(List::getFirst)).contains(A, B, C);
        assertThat(of(ServerOrder.RANDOM, "replica-7", A, B, C).servers()).isEqualTo(orders.get(7));
    }

    @Test
    void by_latency_each_server_is_measured_once_and_the_fastest_is_used() {
        ServerSelection selection = of(ServerOrder.LATENCY, "", A, B, C);
        assertThat(selection.isMeasuring()).isTrue();
        assertThat(selection.next(measured(80), now)).isEqualTo(RecoveryStep.SWITCH_SERVER);
        assertThat(await(selection, silent(1), Duration.ofSeconds(5))).isEqualTo(RecoveryStep.SWITCH_SERVER);
        assertThat(selection.current()).isEqualTo(C);
        assertThat(selection.next(measured(20), now)).isEqualTo(RecoveryStep.NONE);

        assertThat(selection.isMeasuring()).isFalse();
        assertThat(selection.servers()).containsExactly(C, A, B);
        assertThat(selection.current()).isEqualTo(C);
    }

    private static Situation measured(long millis) {
        return new Situation(true, true, false, false, 1, true, Duration.ZERO, Duration.ofMillis(millis));
    }

    @Test
    void replaced_servers_keep_the_one_in_use_by_its_file_and_the_preferred_one() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B, C);
        selection.select(B, now);
        Server changed = server("b.conf");

        assertThat(selection.currentOf(List.of(A, changed))).isSameAs(changed);
        assertThat(selection.currentOf(List.of(A, C))).isEqualTo(C);
        selection.setServers(List.of(A, C), now);

        assertThat(selection.current()).isEqualTo(C);
        assertThat(selection.servers()).containsExactly(A, C);
        assertThat(await(selection, silent(1), Duration.ofSeconds(5))).isEqualTo(RecoveryStep.SWITCH_SERVER);
        assertThat(selection.current()).isEqualTo(A);
    }

    @Test
    void a_handshake_without_a_response_is_repeated_twice_in_each_attempt() {
        ServerSelection selection = of(ServerOrder.FILE, "", A, B);

        assertThat(repeats(selection)).containsExactly(1000L, 2000L);
        selection.next(silent(1), START.plusSeconds(4));
        assertThat(selection.current()).isEqualTo(B);
        assertThat(repeats(selection)).containsExactly(5000L, 6000L);

        selection.next(responding(true), START.plusSeconds(10));
        assertThat(repeats(selection)).as("the server responds").isEmpty();
    }

    /** Returns when handshakes are repeated in the next seven seconds without a step, in milliseconds after the start. */
    private List<Long> repeats(ServerSelection selection) {
        return LongStream.range(0, 70)
                .map(tenth -> tenth * 100)
                .filter(millis -> selection.repeatsHandshake(START.plusMillis(millis)))
                .boxed()
                .toList();
    }

    @Test
    void time_in_which_this_process_was_not_scheduled_does_not_count() {
        ServerSelection selection = of(ServerOrder.FILE, "host", A, B);
        selection.configured(now);
        now = now.plusSeconds(5);
        selection.delayed(Duration.ofSeconds(4));

        assertThat(selection.next(silent(1), now)).isEqualTo(RecoveryStep.NONE);
        now = now.plusSeconds(2);
        assertThat(selection.next(silent(1), now)).as("at most 3 s").isEqualTo(RecoveryStep.SWITCH_SERVER);
    }
}
