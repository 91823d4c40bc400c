// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.TextFile;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The log lines that users search for and that monitoring matches: they change on purpose only. */
@NamespaceTest
class GoldenLogTest {

    /** A server counts as unresponsive after two seconds of traffic, and the next file has a handshake of its own. */
    private static final Duration FAIL_OVER = Duration.ofMinutes(2);

    @Test
    void the_log_of_a_start_a_drift_repair_a_fail_over_and_a_stop_is_as_recorded() {
        try (ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.providers(2))) {
            fixture.lab
                    .node()
                    .wireGuardFile("second.conf", fixture.lab.provider(1).file());
            RunningProgram culvert = fixture.start(fixture.settings(Map.of()));
            culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);

            fixture.namespace().run("nft", "delete", "table", "inet", "culvert");
            culvert.awaitLine("kill switch: reverted", ExitNodeFixture.TIMEOUT);
            culvert.awaitLine("leak test: passed", ExitNodeFixture.TIMEOUT);
            fixture.lab.provider().stop();
            // Traffic is needed for WireGuard to notice that responses are missing.
            assertThat(fixture.node.whoami(Family.IPV4)).isEmpty();
            culvert.awaitLine("connected to " + fixture.lab.provider(1).publicIpv4(), FAIL_OVER);
            culvert.signal("TERM");
            assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();

            TextFile.assertContent(Path.of("src/test/resources/log/exit-node.txt"), normalized(culvert.output()));
        }
    }

    private static String normalized(String log) {
        return log.replaceAll("/[^ ]*culvert-lab[0-9]*", "LAB")
                .replaceAll("[0-9]+ ms", "N ms")
                .replaceAll("[0-9]+ passed", "N passed")
                .replaceAll("[0-9]+ skipped", "N skipped")
                .replaceAll("pid [0-9]+", "pid N")
                .replaceAll("(?m)\\s+$", "")
                .concat("\n");
    }
}
