package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Outcome;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whoever asks and does not wait for the answer, or reads no more, ends nothing; and nothing is asked before the kill switch. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class GoneReadersTest {

    /** So many questions for a name in one segment, none of whose answers is read; reset and not closed. */
    private static final String PIPELINE = """
            import socket, struct
            question = b'\\x00\\x07\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x07example\\x00\\x00\\x01\\x00\\x01'
            for reset in 0, 1:
                s = socket.create_connection(('127.0.0.1', 53), 5)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', reset, 0))
                s.sendall((struct.pack('!H', len(question)) + question) * 20)
                s.close()
            """;

    /** At the status socket: connected and closed, without a word or a look. */
    private static final String HANG_UP = """
            import socket
            for n in range(20):
                s = socket.socket(socket.AF_UNIX); s.connect('/run/culvert/status.sock'); s.close()
            """;

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    private static String program() {
        return Path.of("culvert").toAbsolutePath().toString();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void askers_that_hang_up_do_not_end_it(boolean process1) {
        world.in(process1 ? Box.CONTAINER : Box.CONTAINER.belowInit());
        Child culvert = world.connect(World.alone(Map.of()));
        culvert.awaitLine("^ready", World.SOON);

        for (int round = 0; round < 3; round++) {
            world.space().run("setpriv", "--bounding-set=-all", "python3", "-c", PIPELINE);
            assertThat(world.lab.node().attempt("python3", "-c", HANG_UP).status())
                    .isZero();
        }

        // Its answer comes after all of theirs.
        assertThat(world.status().healthy()).isTrue();
        assertThat(culvert.isAlive()).isTrue();
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_log_that_nobody_reads_any_more_does_not_end_it(boolean process1) {
        world.in(process1 ? Box.CONTAINER : Box.CONTAINER.belowInit());
        world.observerIsNotBlind(Family.values());
        try (Pulse ipv4 = Pulse.of(world.space(), Family.IPV4)) {
            // The reader ends with the first line; all others are written to nobody.
            Child pipeline = world.lab
                    .node()
                    .startOther(
                            World.alone(Map.of()),
                            "sh",
                            "-c",
                            "(" + program() + " up 2>&1; echo $? > /run/ended) | head -n 1");
            pipeline.awaitLine("Settings", World.SOON);
            ipv4.awaitAnswer(world.provider(Family.IPV4), World.SOON);
            world.observer.forget();
            // A new line to be written; without the whole table, connections that begin in between would not be
            // tracked.
            world.space().run("nft", "add", "chain", "inet", "culvert", "foreign");
            ipv4.awaitAnswer(world.provider(Family.IPV4), World.SOON);
            world.localTrafficGoesByTheProvider(Family.values());
            assertThat(world.lab.node().run().resolve("ended")).doesNotExist();

            pipeline.descendant("culvert.programs=", "up").destroy();
            pipeline.awaitExit(World.SOON);
            assertThat(world.lab.node().run().resolve("ended")).hasContent("0");
        }
    }

    /** As systemd gives services; a client of the stub whose queries nobody answers would leave no descriptor to anything else. */
    @Test
    void a_low_limit_of_open_files_is_raised() throws IOException {
        Child shell = world.lab
                .node()
                .startOther(World.alone(Map.of()), "sh", "-c", "ulimit -Sn 512; " + program() + " up; exit $?");
        shell.awaitLine("^ready", World.SOON);

        long pid = shell.descendant("culvert.programs=", "up").pid();
        assertThat(Files.readString(Path.of("/proc/" + pid + "/limits")))
                .containsPattern("Max open files +([0-9]{5,}|[4-9][0-9]{3}) ");
    }

    @Test
    void commands_whose_result_nobody_reads_end_quietly() {
        Outcome outcome =
                world.lab.node().attempt("sh", "-c", program() + " up --help | true; " + program() + " plan | true");

        assertThat(outcome.err()).doesNotContain("Exception").doesNotContain("Broken pipe");
    }

    @Test
    void the_machine_s_own_name_is_asked_of_nobody() {
        world.in(Box.MACHINE);
        world.observerIsNotBlind(Family.values());
        world.lab.node().resolvConf("nameserver 198.51.100.99\n");

        Child culvert = world.lab
                .node()
                .startOther(
                        World.alone(Map.of()),
                        "unshare",
                        "--uts",
                        "sh",
                        "-c",
                        "hostname unknown-to-all.example; exec " + program() + " up");
        culvert.awaitLine("connected to", World.SOON);

        assertThat(world.observer.leaks()).isEmpty();
    }
}
