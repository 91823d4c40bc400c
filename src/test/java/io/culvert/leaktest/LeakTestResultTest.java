// SPDX-License-Identifier: Apache-2.0
package io.culvert.leaktest;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.leaktest.LeakProbe.Purpose;
import io.culvert.leaktest.LeakTest.Attempt;
import io.culvert.leaktest.LeakTestResult.Entry;
import io.culvert.leaktest.LeakTestResult.Outcome;
import io.culvert.leaktest.LeakTestSummary.Verdict;
import io.culvert.leaktest.ProbeObserver.Sightings;
import io.culvert.linux.Egress;
import io.culvert.linux.Errno;
import io.culvert.linux.OneHopSocket.Kind;
import io.culvert.net.Family;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the sightings of leak probe 0, its control 1 on loopback and a control 2 on an uplink mean. */
class LeakTestResultTest {

    private static final String SEEN_INSIDE = "probe 1 inside";
    private static final String SEEN_OUTSIDE = "probe 2 outside";

    private static final Attempt BLOCKED = Attempt.sent(Errno.EPERM);

    private static final List<LeakProbe> PROBES = List.of(
            probe(Purpose.BLOCKED, "leak"), probe(Purpose.SEEN_INSIDE, "lo"), probe(Purpose.SEEN_OUTSIDE, "eth0"));

    private static LeakProbe probe(Purpose purpose, String name) {
        return new LeakProbe(
                purpose,
                name,
                Family.IPV4,
                Kind.UDP,
                Egress.ANY,
                Optional.empty(),
                new InetSocketAddress("192.0.2.1", 9),
                Optional.empty());
    }

    private static LeakTestResult result(Attempt leak, Attempt outside, Map<String, Long> packets) {
        return LeakTest.evaluate(Instant.EPOCH, PROBES, List.of(leak, BLOCKED, outside), new Sightings(packets));
    }

    @Test
    void a_probe_that_was_not_seen_has_passed() {
        LeakTestResult result = result(BLOCKED, BLOCKED, Map.of(SEEN_INSIDE, 1L, SEEN_OUTSIDE, 1L));

        assertThat(result.verdict()).isEqualTo(Verdict.PASSED);
        assertThat(result.text()).isEqualTo("leak: passed\nlo: passed\neth0: passed\n3 passed, 0 failed, 0 skipped");
    }

    @Test
    void a_probe_into_the_tunnel_has_passed() {
        assertThat(result(Attempt.sent(0), BLOCKED, Map.of("probe 0 inside", 1L, SEEN_INSIDE, 1L, SEEN_OUTSIDE, 1L))
                        .verdict())
                .isEqualTo(Verdict.PASSED);
    }

    @Test
    void a_probe_on_an_uplink_is_a_leak_even_if_a_control_failed() {
        LeakTestResult result = result(BLOCKED, BLOCKED, Map.of("probe 0 outside", 1L));

        assertThat(result.verdict()).isEqualTo(Verdict.LEAK);
        assertThat(result.summary().leaks()).containsExactly("leak");
    }

    @Test
    void a_test_says_nothing_if_the_observer_does_not_see_a_control() {
        assertThat(result(BLOCKED, BLOCKED, Map.of(SEEN_OUTSIDE, 1L)).verdict()).isEqualTo(Verdict.NOT_RUN);
        assertThat(result(BLOCKED, BLOCKED, Map.of(SEEN_INSIDE, 1L)).verdict()).isEqualTo(Verdict.NOT_RUN);
        assertThat(result(BLOCKED, BLOCKED, Map.of(SEEN_INSIDE, 1L)).unproven()).contains("failed eth0");
    }

    @Test
    void a_control_that_cannot_be_sent_on_the_uplink_is_skipped() {
        LeakTestResult result =
                result(BLOCKED, Attempt.failed("bind: permission denied (errno 13)"), Map.of(SEEN_INSIDE, 1L));

        assertThat(result.verdict()).isEqualTo(Verdict.PASSED);
        assertThat(result.entries()).contains(new Entry("eth0", Outcome.SKIPPED, "bind: permission denied (errno 13)"));
    }

    @Test
    void a_test_without_a_single_packet_says_nothing() {
        LeakTestResult result = result(Attempt.sent(Errno.ENOBUFS), BLOCKED, Map.of(SEEN_INSIDE, 1L, SEEN_OUTSIDE, 1L));

        assertThat(result.verdict()).isEqualTo(Verdict.NOT_RUN);
        assertThat(result.text()).startsWith("leak: skipped: no buffer space available (errno 105)");
    }

    @Test
    void json_contains_all_of_a_result() {
        LeakTestResult result = result(Attempt.sent(Errno.ENOBUFS), BLOCKED, Map.of(SEEN_INSIDE, 1L));

        assertThat(LeakTestResult.fromJson(result.toJson())).isEqualTo(result);
        assertThat(LeakTestSummary.fromJson(result.summary().toJson())).isEqualTo(result.summary());
    }
}
