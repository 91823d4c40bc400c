// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlSocketTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    @Test
    void a_request_is_handled_and_its_result_returned() throws IOException {
        Path path = directory.resolve("run/control.sock");
        ControlResult result = new ControlResult(
                1, "not done", List.of(Problem.failure(Location.machine("a.conf"), "is the only file", "add one")));
        try (ControlSocket _ = ControlSocket.listen(path, pending -> {
            assertThat(ControlRequest.fromJson(pending.body()))
                    .contains(new ControlRequest(ControlRequest.Kind.USE, "a"));
            pending.respond(result.toJson());
        })) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                    .isEqualTo("rw-------");
            assertThat(ControlSocket.send(path, new ControlRequest(ControlRequest.Kind.USE, "a").toJson(), TIMEOUT)
                            .map(ControlResult::fromJson))
                    .contains(result);
        }
        assertThat(ControlSocket.send(
                        path, ControlRequest.of(ControlRequest.Kind.NEXT).toJson(), TIMEOUT))
                .isEqualTo(Optional.empty());
    }

    @Test
    void a_client_that_sends_nothing_keeps_no_other_one_waiting() throws IOException {
        Path path = directory.resolve("control.sock");
        try (ControlSocket _ = ControlSocket.listen(
                        path,
                        pending -> pending.respond(ControlResult.done("paused").toJson()));
                SocketChannel _ = SocketChannel.open(UnixDomainSocketAddress.of(path));
                SocketChannel halfLine = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            halfLine.write(ByteBuffer.wrap(new byte[] {'{'}));

            assertThat(ControlSocket.send(
                                    path,
                                    ControlRequest.of(ControlRequest.Kind.PAUSE).toJson(),
                                    TIMEOUT)
                            .map(ControlResult::fromJson))
                    .contains(ControlResult.done("paused"));
        }
    }

    @Test
    void a_program_that_does_not_respond_is_not_waited_for_for_ever() throws IOException {
        Path path = directory.resolve("control.sock");
        try (ServerSocketChannel silent = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            silent.bind(UnixDomainSocketAddress.of(path));

            assertThatThrownBy(() -> ControlSocket.send(
                            path, ControlRequest.of(ControlRequest.Kind.PAUSE).toJson(), Duration.ofMillis(50)))
                    .isInstanceOf(SocketTimeoutException.class);
        }
    }

    @Test
    void a_request_that_this_version_does_not_know_is_recognized() {
        assertThat(ControlRequest.fromJson(jakarta.json.Json.createObjectBuilder()
                        .add("request", "dance")
                        .build()))
                .isEmpty();
    }
}
