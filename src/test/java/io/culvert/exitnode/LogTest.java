package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.TextFile;
import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Shape;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The log lines that users search for and monitoring matches: they change on purpose only. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class LogTest {

    /** A server counts as dead after 15 s without a response, and the next file has a handshake of its own. */
    private static final Duration FAIL_OVER = Duration.ofMinutes(2);

    @Test
    void the_log_of_a_start_a_drift_repair_a_fail_over_and_a_stop() {
        try (World world = World.of(Shape.USUAL.providers(2))) {
            world.lab.node().wireGuardFile("second.conf", world.lab.provider(1).file());
            Child culvert = world.start(world.settings(Map.of()));
            culvert.awaitLine("^ready", World.SOON);

            world.space().run("nft", "delete", "table", "inet", "culvert");
            culvert.awaitLine("kill switch: reverted", World.SOON);
            world.lab.provider().die();
            // Somebody has to send something, or nobody could miss the answer.
            assertThat(world.node.whoami(Family.IPV4)).isEmpty();
            culvert.awaitLine("connected to " + world.lab.provider(1).outer4(), FAIL_OVER);
            culvert.signal("TERM");
            assertThat(culvert.awaitExit(World.SOON)).isZero();

            TextFile.mustBe(Path.of("src/test/resources/log/exit-node.txt"), normalized(culvert.output()));
        }
    }

    private static String normalized(String log) {
        return log.replaceAll("/[^ ]*culvert-lab[0-9]*", "LAB")
                .replaceAll("[0-9]+ ms", "N ms")
                .replaceAll("pid [0-9]+", "pid N")
                .replaceAll("(?m)\\s+$", "")
                .concat("\n");
    }
}
