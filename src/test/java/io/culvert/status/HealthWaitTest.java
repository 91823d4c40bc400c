// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.status.StatusReport.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HealthWaitTest {

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    private Path run;

    private final AtomicReference<State> state = new AtomicReference<>(State.CONNECTING);
    private final CountDownLatch requested = new CountDownLatch(1);

    private StatusReport report() {
        StatusReport report = new StatusReport(
                state.get(),
                "",
                "",
                state.get() == State.CONNECTED,
                "",
                Optional.empty(),
                0,
                0,
                Map.of(),
                Map.of(),
                "",
                Optional.empty(),
                RuntimeFacts.NONE,
                ConfigurationState.NONE,
                List.of());
        requested.countDown();
        return report;
    }

    private CompletableFuture<StatusReport> waiting(Path socket) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return HealthWait.await(socket, LONG);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void health_wait_waits_for_the_socket_and_for_health() throws Exception {
        Path socket = run.resolve("culvert/status.sock");
        CompletableFuture<StatusReport> waiting = waiting(socket);

        try (StatusSocket _ = StatusSocket.serve(socket, this::report)) {
            HealthWait.setMarker(socket, false);
            // Whether it saw the socket or started late, it queries again when this file is created.
            Files.writeString(socket.resolveSibling("another"), "");
            assertThat(requested.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(waiting).isNotDone();
            state.set(State.CONNECTED);
            HealthWait.setMarker(socket, true);

            assertThat(waiting.get(LONG.toSeconds(), TimeUnit.SECONDS).healthy())
                    .isTrue();
        }
    }

    @Test
    void health_wait_returns_at_once_when_healthy() throws Exception {
        Path socket = run.resolve("status.sock");
        state.set(State.CONNECTED);
        try (StatusSocket _ = StatusSocket.serve(socket, this::report)) {
            assertThat(HealthWait.await(socket, LONG).healthy()).isTrue();
        }
    }

    /** A container that was paused has the file of its earlier health, and no event announces that it continues. */
    @Test
    void health_wait_notices_health_that_no_change_of_the_marker_announces() throws Exception {
        Path socket = run.resolve("culvert/status.sock");
        try (StatusSocket _ = StatusSocket.serve(socket, this::report)) {
            HealthWait.setMarker(socket, true);
            CompletableFuture<StatusReport> waiting = waiting(socket);
            assertThat(requested.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
            state.set(State.CONNECTED);

            assertThat(waiting.get(LONG.toSeconds() / 2, TimeUnit.SECONDS).healthy())
                    .isTrue();
        }
    }

    @Test
    void after_the_timeout_the_last_report_is_returned() throws Exception {
        Path socket = run.resolve("status.sock");
        assertThat(HealthWait.await(socket, Duration.ofMillis(10)).state()).isEqualTo(State.STOPPED);
        try (StatusSocket _ = StatusSocket.serve(socket, this::report)) {
            assertThat(HealthWait.await(socket, Duration.ZERO).state()).isEqualTo(State.CONNECTING);
        }
    }
}
