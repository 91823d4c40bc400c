// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.lab.NamespaceTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

@NamespaceTest
class NetworkNamespaceTest {

    private static final Path OWN = Path.of("/proc/thread-self/ns/net");

    @Test
    void a_task_runs_inside_and_the_caller_stays_in_its_namespace() throws Exception {
        Process holder = new ProcessBuilder("unshare", "-n", "sh", "-c", "echo in; exec sleep 60")
                .redirectErrorStream(true)
                .start();
        try (var output = holder.inputReader()) {
            assertThat(output.readLine()).isEqualTo("in");
            NetworkNamespace namespace = NetworkNamespace.ofProcess(holder.pid());
            Path outside = Files.readSymbolicLink(OWN);
            Path inside = namespace.call(() -> Files.readSymbolicLink(OWN));
            assertThat(inside)
                    .isEqualTo(Files.readSymbolicLink(namespace.path()))
                    .isNotEqualTo(outside);
            assertThat(Files.readSymbolicLink(OWN)).isEqualTo(outside);
            assertThatThrownBy(() -> namespace.call(() -> {
                        throw new IOException("as it is");
                    }))
                    .isInstanceOf(IOException.class)
                    .hasMessage("as it is");
        } finally {
            holder.destroyForcibly();
        }
    }

    @Test
    void the_error_names_a_namespace_that_does_not_exist() {
        assertThatThrownBy(() -> NetworkNamespace.named("no-such").call(() -> 1))
                .isInstanceOf(SystemCallException.class)
                .hasMessage("open /run/netns/no-such: no such object (errno 2)");
    }
}
