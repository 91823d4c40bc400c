// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.roaming.EndpointPolicy.ProbeResult;
import io.culvert.roaming.Path.Reach;
import io.culvert.roaming.PeerStatus.State;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class EndpointPolicyTest {

    private static final InetSocketAddress LAN = new InetSocketAddress("192.168.7.5", 51820);
    private static final InetSocketAddress PUBLIC = new InetSocketAddress("203.0.113.5", 51820);
    private static final InetSocketAddress BACKUP = new InetSocketAddress("198.51.100.5", 51820);
    private static final InetSocketAddress CAFE = new InetSocketAddress("192.0.2.77", 40000);

    private final EndpointPolicy chooser = new EndpointPolicy().setCandidates(List.of(LAN, PUBLIC));
    private final Map<InetSocketAddress, Path> paths = new HashMap<>();
    private final List<SelectionStep> steps = new ArrayList<>();
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private Optional<InetSocketAddress> endpoint = Optional.of(PUBLIC);
    private long received;
    private long sent;

    /** The real endpoint of the peer. */
    private Optional<InetSocketAddress> actualEndpoint = Optional.of(PUBLIC);

    private boolean respondsEverywhere;

    EndpointPolicyTest() {
        leaveHome();
    }

    private void leaveHome() {
        paths.put(LAN, new Path(Reach.ROUTED, "1 by router"));
        paths.put(PUBLIC, new Path(Reach.ROUTED, "1 by router"));
        paths.put(BACKUP, new Path(Reach.ROUTED, "1 by router"));
        paths.put(CAFE, new Path(Reach.ROUTED, "1 by router"));
    }

    private void joinHome(String neighbour) {
        paths.put(LAN, new Path(Reach.ON_LINK, "1 by " + neighbour));
    }

    /** Runs one step per second for a while, with the results that the simulated network gives. */
    private List<SelectionStep> run(Duration time) {
        steps.clear();
        for (long second = 0; second < time.toSeconds(); second++) {
            now = now.plusSeconds(1);
            runStep();
        }
        return List.copyOf(steps);
    }

    private Optional<SelectionStep> runStep() {
        Optional<SelectionStep> next = chooser.nextStep(peer(), this::pathTo, now);
        next.ifPresent(step -> {
            steps.add(step);
            ProbeResult result = switch (step) {
                case SelectionStep.ProbeCurrent() -> responds(endpoint) ? ProbeResult.ECHO : ProbeResult.NONE;
                case SelectionStep.ProbeCandidate(InetSocketAddress to) -> {
                    if (responds(Optional.of(to))) {
                        endpoint = Optional.of(to);
                        yield ProbeResult.ECHO;
                    }
                    yield ProbeResult.NONE;
                }
                case SelectionStep.SwitchTo(InetSocketAddress to) -> {
                    endpoint = Optional.of(to);
                    yield ProbeResult.NONE;
                }
            };
            chooser.recordResult(step, result, this::pathTo, now);
        });
        return next;
    }

    private boolean responds(Optional<InetSocketAddress> candidate) {
        return respondsEverywhere || (candidate.isPresent() && candidate.equals(actualEndpoint));
    }

    private Path pathTo(InetSocketAddress candidate) {
        return paths.getOrDefault(candidate, Path.NONE);
    }

    private PeerState peer() {
        return new PeerState(
                new PublicKey(new byte[32]), false, endpoint, Optional.of(now), received, sent, 25, List.of());
    }

    private void transfer() {
        received += 10_000;
        sent += 10_000;
    }

    @Test
    void the_endpoint_is_kept_while_no_preferred_candidate_is_on_a_connected_network() {
        assertThat(run(Duration.ofMinutes(10))).isEmpty();
        assertThat(chooser.status().state()).isEqualTo(State.FALLBACK);
    }

    @Test
    void a_preferred_candidate_is_probed_as_soon_as_its_host_answers_and_used_if_the_peer_responds() {
        joinHome("peer");
        respondsEverywhere = true;

        assertThat(run(Duration.ofMinutes(10))).containsExactly(new SelectionStep.ProbeCandidate(LAN));
        assertThat(chooser.status().state()).isEqualTo(State.PREFERRED);
        assertThat(chooser.status().changes()).isEqualTo(1);
    }

    @Test
    void a_candidate_where_another_host_answers_is_probed_less_and_less_often() {
        joinHome("other host");

        assertThat(run(Duration.ofSeconds(25))).containsExactly(new SelectionStep.ProbeCandidate(LAN));
        assertThat(run(Duration.ofSeconds(10))).hasSize(1);
        assertThat(run(Duration.ofSeconds(50))).isEmpty();
        assertThat(run(Duration.ofDays(1)).size()).isLessThan(35);
        assertThat(chooser.status().state()).isEqualTo(State.FALLBACK);
        assertThat(chooser.status().changes()).isZero();
    }

    @Test
    void a_candidate_is_probed_at_once_when_another_host_answers_for_its_address() {
        joinHome("other host");
        run(Duration.ofMinutes(1));
        joinHome("peer");
        actualEndpoint = Optional.of(LAN);

        assertThat(run(Duration.ofSeconds(3))).containsExactly(new SelectionStep.ProbeCandidate(LAN));
        assertThat(endpoint).contains(LAN);
    }

    @Test
    void when_the_link_is_lost_the_endpoint_is_changed_at_once_and_then_probed() {
        joinHome("peer");
        respondsEverywhere = true;
        run(Duration.ofSeconds(5));
        leaveHome();

        assertThat(run(Duration.ofSeconds(5)))
                .containsExactly(new SelectionStep.SwitchTo(PUBLIC), new SelectionStep.ProbeCurrent());
        assertThat(chooser.status().state()).isEqualTo(State.FALLBACK);
    }

    @Test
    void when_sent_traffic_is_unanswered_other_candidates_are_probed() {
        joinHome("peer");
        respondsEverywhere = true;
        run(Duration.ofSeconds(5));
        respondsEverywhere = false;
        sent += 5000;

        assertThat(run(Duration.ofSeconds(20)))
                .containsSubsequence(new SelectionStep.ProbeCurrent(), new SelectionStep.ProbeCandidate(PUBLIC));
        assertThat(endpoint).contains(PUBLIC);
        assertThat(chooser.status().state()).isEqualTo(State.FALLBACK);
    }

    @Test
    void a_candidate_on_a_flapping_link_is_used_less_and_less_often() {
        respondsEverywhere = true;
        int changes = 0;
        for (int i = 0; i < 200; i++) {
            joinHome("peer");
            run(Duration.ofSeconds(3));
            leaveHome();
            changes += run(Duration.ofSeconds(3)).size();
        }
        assertThat(chooser.status().changes()).isLessThan(50);
        assertThat(changes).isLessThan(50);
    }

    @Test
    void one_way_traffic_causes_echo_requests_and_no_endpoint_change() {
        for (int i = 0; i < 100; i++) {
            sent += 100_000;
            run(Duration.ofSeconds(1)).forEach(step -> assertThat(step).isEqualTo(new SelectionStep.ProbeCurrent()));
        }
        assertThat(chooser.status().changes()).isZero();
    }

    @Test
    void an_endpoint_that_the_peer_roamed_to_is_kept_while_it_responds() {
        chooser.setCandidates(List.of(LAN, PUBLIC, BACKUP));
        run(Duration.ofSeconds(5));
        endpoint = Optional.of(CAFE);
        actualEndpoint = endpoint;

        assertThat(run(Duration.ofHours(1))).isEmpty();
        assertThat(chooser.status().state()).isEqualTo(State.ROAMED);
        assertThat(chooser.status().rank()).isZero();

        actualEndpoint = Optional.of(BACKUP);
        sent += 5000;
        run(Duration.ofMinutes(1));

        assertThat(endpoint).contains(BACKUP);
    }

    @Test
    void a_lost_peer_is_set_to_a_routed_candidate_and_probed_occasionally() {
        chooser.setCandidates(List.of(LAN, PUBLIC, BACKUP));
        joinHome("peer");
        respondsEverywhere = true;
        run(Duration.ofSeconds(5));
        respondsEverywhere = false;
        actualEndpoint = Optional.empty();
        sent += 5000;

        assertThat(run(Duration.ofMinutes(10)).size()).isBetween(10, 60);
        assertThat(endpoint).contains(PUBLIC);
        assertThat(chooser.status().state()).isEqualTo(State.LOST);

        received += 100;
        run(Duration.ofSeconds(1));
        assertThat(chooser.status().state()).isEqualTo(State.FALLBACK);
    }

    @Test
    void a_preferred_candidate_behind_a_router_is_probed_rarely_and_only_with_little_traffic() {
        chooser.setCandidates(List.of(PUBLIC, BACKUP));
        endpoint = Optional.of(BACKUP);
        actualEndpoint = Optional.of(BACKUP);
        for (int i = 0; i < 900; i++) {
            transfer();
            assertThat(run(Duration.ofSeconds(1))).isEmpty();
        }
        assertThat(run(Duration.ofHours(1)).size()).isBetween(1, 7);
        actualEndpoint = Optional.of(PUBLIC);
        run(Duration.ofHours(2));
        assertThat(endpoint).contains(PUBLIC);
    }

    @Test
    void two_peers_that_prefer_different_links_settle_on_one() {
        // Each probe succeeds, and each time the other side changes the endpoint to the one that it prefers.
        InetSocketAddress wifi = new InetSocketAddress("192.168.8.5", 51820);
        chooser.setCandidates(List.of(LAN, wifi, PUBLIC));
        joinHome("peer");
        paths.put(wifi, new Path(Reach.ON_LINK, "2 by peer"));
        respondsEverywhere = true;
        for (int i = 0; i < 600; i++) {
            run(Duration.ofSeconds(1));
            endpoint = Optional.of(wifi);
        }
        assertThat(chooser.status().changes()).isLessThan(12);
    }

    @Test
    void the_initial_endpoint_is_on_a_connected_network_else_behind_a_router() {
        List<InetSocketAddress> candidates = List.of(LAN, PUBLIC);
        assertThat(EndpointPolicy.initialEndpoint(candidates, this::pathTo)).contains(PUBLIC);
        joinHome("peer");
        assertThat(EndpointPolicy.initialEndpoint(candidates, this::pathTo)).contains(LAN);
        assertThat(EndpointPolicy.initialEndpoint(List.of(LAN), _ -> Path.NONE)).contains(LAN);
        assertThat(EndpointPolicy.initialEndpoint(List.of(), this::pathTo)).isEmpty();
    }

    /** In any case, a wrong endpoint is corrected soon, and only candidates are used. */
    @RepeatedTest(200)
    void the_peers_actual_endpoint_is_found_after_random_events(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        List<InetSocketAddress> candidates = List.of(LAN, PUBLIC, BACKUP);
        chooser.setCandidates(candidates);
        for (int i = 0; i < 100; i++) {
            switch (random.nextInt(6)) {
                case 0 -> joinHome("peer");
                case 1 -> leaveHome();
                case 2 -> paths.put(PUBLIC, Path.NONE);
                case 3 -> actualEndpoint = Optional.of(candidates.get(random.nextInt(3)));
                case 4 -> actualEndpoint = Optional.empty();
                default -> joinHome("other host" + random.nextInt(3));
            }
            for (int second = random.nextInt(20); second > 0; second--) {
                sent += 500;
                received += responds(endpoint) ? 500 : 0;
                run(Duration.ofSeconds(1)).forEach(step -> {
                    if (step instanceof SelectionStep.ProbeCandidate(InetSocketAddress to)) {
                        assertThat(candidates).contains(to);
                    }
                });
            }
        }
        leaveHome();
        actualEndpoint = Optional.of(BACKUP);
        for (int second = 0; second < 200; second++) {
            sent += 500;
            received += responds(endpoint) ? 500 : 0;
            run(Duration.ofSeconds(1));
        }
        assertThat(endpoint).contains(BACKUP);
    }
}
