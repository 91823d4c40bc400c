// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlSocketTest {

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
            assertThat(ControlSocket.send(path, new ControlRequest(ControlRequest.Kind.USE, "a").toJson())
                            .map(ControlResult::fromJson))
                    .contains(result);
        }
        assertThat(ControlSocket.send(
                        path, ControlRequest.of(ControlRequest.Kind.NEXT).toJson()))
                .isEqualTo(Optional.empty());
    }

    @Test
    void a_request_that_this_version_does_not_know_is_recognized() {
        assertThat(ControlRequest.fromJson(jakarta.json.Json.createObjectBuilder()
                        .add("request", "dance")
                        .build()))
                .isEmpty();
    }
}
