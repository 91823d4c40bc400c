// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.leaktest.LeakTestSummary;
import io.culvert.leaktest.LeakTestSummary.Verdict;
import io.culvert.net.Prefix;
import io.culvert.status.StatusReport.State;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatusSocketTest {

    @TempDir
    Path directory;

    private Path path;

    @BeforeEach
    void location() {
        path = directory.resolve("status.sock");
    }

    @Test
    void each_request_receives_the_current_report() throws IOException {
        StatusReport report = new StatusReport(
                State.CONNECTED,
                "192.0.2.10",
                "kernel",
                true,
                "loss 0 %, round trip 20 ms",
                Optional.empty(),
                1,
                2,
                Map.of("nftables", true),
                Map.of("dante", "runs"),
                "none",
                Optional.of(new LeakTestSummary(
                        Instant.EPOCH, Verdict.LEAK, 3, 1, 2, List.of("IPv4 UDP to 192.0.2.1 port 9"), "")),
                new RuntimeFacts(
                        "/etc/wireguard/wg0.conf",
                        OptionalInt.of(61001),
                        List.of(new InetSocketAddress(Prefix.parseAddress("2001:db8::10"), 51820)),
                        Map.of("hs.example.net", List.of(Prefix.parseAddress("203.0.113.9"))),
                        List.of(Prefix.parseAddress("100.64.0.1")),
                        List.of(8443),
                        OptionalInt.of(5053),
                        new ForwardedPort(true, OptionalInt.of(51413), "NAT-PMP, 10.2.0.1")),
                new ConfigurationState(
                        List.of("a.conf", "b.conf"), Instant.EPOCH, List.of("CULVERT_DNS: 'x' is not an address")),
                List.of("x".repeat(20_000)));
        try (StatusSocket _ = StatusSocket.serve(path, () -> report)) {
            assertThat(StatusSocket.query(path)).isEqualTo(report);
        }
    }

    @Test
    void without_a_socket_the_state_is_stopped() {
        assertThat(StatusSocket.query(path).state()).isEqualTo(State.STOPPED);
    }

    @Test
    void an_exit_node_that_does_not_respond_is_reported_as_unresponsive() throws IOException {
        try (ServerSocketChannel hanging = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            hanging.bind(UnixDomainSocketAddress.of(path));

            StatusReport report = StatusSocket.query(path, Duration.ofMillis(20));

            assertThat(report.state()).isEqualTo(State.UNRESPONSIVE);
            assertThat(report.healthy()).isFalse();
            assertThat(report.text(java.time.Instant.EPOCH))
                    .isEqualTo("State:       unresponsive\n# the exit node at " + path + " does not respond");
        }
    }

    @Test
    void an_exit_node_that_fails_to_report_is_unresponsive_and_not_stopped() throws IOException {
        try (StatusSocket _ = StatusSocket.serve(path, () -> {
            throw new IllegalStateException("not yet");
        })) {
            assertThat(StatusSocket.query(path).state()).isEqualTo(State.UNRESPONSIVE);
        }
    }
}
