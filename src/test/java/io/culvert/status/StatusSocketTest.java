package io.culvert.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.status.StatusReport.State;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class StatusSocketTest {

    @TempDir
    Path directory;

    private Path path;

    @BeforeEach
    void place() {
        path = directory.resolve("status.sock");
    }

    @Test
    void who_asks_gets_the_report_of_the_moment() throws IOException {
        StatusReport report = new StatusReport(
                State.CONNECTED,
                "192.0.2.10",
                "kernel",
                Optional.empty(),
                1,
                2,
                Map.of("nftables", true),
                Map.of("dante", "runs"),
                "none",
                List.of("x".repeat(20_000)));
        try (StatusSocket _ = StatusSocket.serve(path, () -> report)) {
            assertThat(StatusSocket.ask(path)).isEqualTo(report);
        }
    }

    @Test
    void nobody_is_there() {
        assertThat(StatusSocket.ask(path).state()).isEqualTo(State.STOPPED);
    }

    @Test
    void a_chain_that_hangs_does_not_hang_who_asks_and_is_not_called_stopped() throws IOException {
        try (ServerSocketChannel hanging = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            hanging.bind(UnixDomainSocketAddress.of(path));

            StatusReport report = StatusSocket.ask(path, Duration.ofMillis(20));

            assertThat(report.state()).isEqualTo(State.UNRESPONSIVE);
            assertThat(report.healthy()).isFalse();
            assertThat(report.text(java.time.Instant.EPOCH))
                    .isEqualTo("State:       unresponsive\n# the exit node at " + path + " does not respond");
        }
    }

    @Test
    void a_chain_that_cannot_answer_is_not_called_stopped() throws IOException {
        try (StatusSocket _ = StatusSocket.serve(path, () -> {
            throw new IllegalStateException("not yet");
        })) {
            assertThat(StatusSocket.ask(path).state()).isEqualTo(State.UNRESPONSIVE);
        }
    }
}
