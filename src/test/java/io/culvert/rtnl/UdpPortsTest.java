// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UdpPortsTest {

    private static final String HEAD = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n";

    @TempDir
    private Path root;

    @Test
    void ports_of_both_families_are_read() throws IOException {
        Path net = Files.createDirectories(root.resolve("proc/thread-self/net"));
        Files.writeString(net.resolve("udp"), HEAD + """
                  12: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 0
                1234: 0100007F:1F90 0100007F:0035 01 00000000:00000000 00:00000000 00000000     0        0 1 2 0 0
                """);

        assertThat(UdpPorts.inUse(root)).as("where there is no IPv6").containsExactly(53, 8080);

        Files.writeString(net.resolve("udp6"), HEAD + """
                  77: 00000000000000000000000000000000:CA6C 00000000000000000000000000000000:0000 07 0 0
                """);

        assertThat(UdpPorts.inUse(root)).containsExactly(53, 8080, 51820);
    }

    @Test
    void an_unreadable_file_is_reported() {
        assertThatThrownBy(() -> UdpPorts.inUse(root)).isInstanceOf(ProblemException.class);
    }
}
