// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clients that disconnect before they have read the response, and a closed log, do not stop the exit node; and no query
 * is sent before the kill switch is active.
 */
@NamespaceTest
class DisconnectedReadersTest {

    /** Many DNS queries in one segment, with no response read; the connection is reset, not closed. */
    private static final String PIPELINE = """
            import socket, struct
            question = b'\\x00\\x07\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x07example\\x00\\x00\\x01\\x00\\x01'
            for reset in 0, 1:
                s = socket.create_connection(('127.0.0.1', 53), 5)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', reset, 0))
                s.sendall((struct.pack('!H', len(question)) + question) * 20)
                s.close()
            """;

    /** Connects to the status socket and closes the connection without reading. */
    private static final String HANG_UP = """
            import socket
            for n in range(20):
                s = socket.socket(socket.AF_UNIX); s.connect('/run/culvert/status.sock'); s.close()
            """;

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private static String program() {
        return Path.of("culvert").toAbsolutePath().toString();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void status_clients_that_disconnect_do_not_stop_it(boolean process1) {
        fixture.in(process1 ? Sandbox.CONTAINER : Sandbox.CONTAINER.withInit());
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);

        for (int round = 0; round < 3; round++) {
            fixture.namespace().run("setpriv", "--bounding-set=-all", "python3", "-c", PIPELINE);
            assertThat(fixture.lab.node().attempt("python3", "-c", HANG_UP).status())
                    .isZero();
        }

        // Its response comes after all the others.
        assertThat(fixture.status().healthy()).isTrue();
        assertThat(culvert.isAlive()).isTrue();
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_closed_log_pipe_does_not_stop_it(boolean process1) {
        fixture.in(process1 ? Sandbox.CONTAINER : Sandbox.CONTAINER.withInit());
        fixture.verifyObserverDetectsLeaks(Family.values());
        try (ContinuousProbe ipv4 = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            // The reader exits after the first line; all others are written to a closed pipe.
            RunningProgram pipeline = fixture.lab
                    .node()
                    .startOther(
                            ExitNodeFixture.withoutMesh(Map.of()),
                            "sh",
                            "-c",
                            "(" + program() + " up 2>&1; echo $? > /run/ended) | head -n 1");
            pipeline.awaitLine("Settings", ExitNodeFixture.TIMEOUT);
            ipv4.awaitReply(fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
            fixture.observer.reset();
            // Causes a new log line; without deleting the whole table, connections that begin in between would not be
            // tracked.
            fixture.namespace().run("nft", "add", "chain", "inet", "culvert", "foreign");
            ipv4.awaitReply(fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
            fixture.assertLocalTrafficUsesTunnel(Family.values());
            assertThat(fixture.lab.node().run().resolve("ended")).doesNotExist();

            pipeline.descendant("culvert.programs=", "up").destroy();
            pipeline.awaitExit(ExitNodeFixture.TIMEOUT);
            assertThat(fixture.lab.node().run().resolve("ended")).hasContent("0");
        }
    }

    /** As systemd sets for services; unanswered queries to the stub would use up all file descriptors. */
    @Test
    void a_low_open_files_limit_is_raised() throws IOException {
        RunningProgram shell = fixture.lab
                .node()
                .startOther(
                        ExitNodeFixture.withoutMesh(Map.of()),
                        "sh",
                        "-c",
                        "ulimit -Sn 512; " + program() + " up; exit $?");
        shell.awaitLine("^ready", ExitNodeFixture.TIMEOUT);

        long pid = shell.descendant("culvert.programs=", "up").pid();
        assertThat(Files.readString(Path.of("/proc/" + pid + "/limits")))
                .containsPattern("Max open files +([0-9]{5,}|[4-9][0-9]{3}) ");
    }

    @Test
    void commands_with_closed_output_exit_quietly() {
        CommandResult outcome =
                fixture.lab.node().attempt("sh", "-c", program() + " up --help | true; " + program() + " plan | true");

        assertThat(outcome.err()).doesNotContain("Exception").doesNotContain("Broken pipe");
    }

    @Test
    void the_machine_s_own_name_is_not_queried() {
        fixture.in(Sandbox.MACHINE);
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.lab.node().resolvConf("nameserver 198.51.100.99\n");

        RunningProgram culvert = fixture.lab
                .node()
                .startOther(
                        ExitNodeFixture.withoutMesh(Map.of()),
                        "unshare",
                        "--uts",
                        "sh",
                        "-c",
                        "hostname unknown-to-all.example; exec " + program() + " up");
        culvert.awaitLine("connected to", ExitNodeFixture.TIMEOUT);

        assertThat(fixture.observer.leaks()).isEmpty();
    }
}
