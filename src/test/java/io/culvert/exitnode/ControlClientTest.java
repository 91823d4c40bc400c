// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.ProblemException;
import io.culvert.runtime.Environment;
import io.culvert.status.ControlRequest;
import io.culvert.timing.MonotonicClock;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlClientTest {

    @TempDir
    private Path root;

    private Environment environment() {
        return new Environment(
                Map.of(),
                root,
                Clock.systemUTC(),
                MonotonicClock.system(),
                new Log(new PrintWriter(Writer.nullWriter())));
    }

    @Test
    void an_exit_node_that_hangs_is_reported() throws IOException {
        Environment environment = environment();
        Files.createDirectories(environment.runDirectory());
        try (ServerSocketChannel hangs = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            hangs.bind(UnixDomainSocketAddress.of(environment.controlSocket()));

            assertThatThrownBy(() -> ControlClient.send(
                            environment, ControlRequest.of(ControlRequest.Kind.RELOAD), Duration.ofSeconds(1)))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("exit node: has not responded within 1 s")
                    .hasMessageContaining("culvert status");
        }
    }

    @Test
    void without_an_exit_node_the_start_is_named() {
        assertThatThrownBy(() -> ControlClient.send(environment(), ControlRequest.of(ControlRequest.Kind.RELOAD)))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("no exit node is running here")
                .hasMessageContaining("culvert up");
    }
}
