package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Probe;
import io.culvert.lab.Shape;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The proxy of a chain, as its guests and its owner live with it. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class SocksTest {

    private static final int PORT = 1080;

    private final World world = World.of(Shape.USUAL);
    private final Probe neighbour = Probe.from(world.lab.neighbour());

    @AfterEach
    void closeLab() {
        world.close();
    }

    private static Map<String, String> open(Map<String, String> more) {
        Map<String, String> settings = World.alone(more);
        settings.put("CULVERT_SOCKS", "true");
        settings.put("CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        return settings;
    }

    private Optional<String> seenAs(String... options) {
        return neighbour.whoamiBySocks(Lab.NODE_4, PORT, Family.IPV4, options);
    }

    @Test
    void a_password_from_a_file_that_ends_in_a_newline_is_the_password() {
        String file = world.lab.node().file("password", "open sesame\n");
        Child culvert = world.connect(open(Map.of("CULVERT_SOCKS_USER", "lotte", "CULVERT_SOCKS_PASSWORD_FILE", file)));
        culvert.awaitLine("^ready", World.SOON);

        assertThat(seenAs("--proxy-user", "lotte:open sesame")).contains(world.provider(Family.IPV4));
        assertThat(seenAs("--proxy-user", "lotte:open")).isEmpty();
        assertThat(seenAs()).isEmpty();
        assertThat(culvert.output()).doesNotContain("sesame");
    }

    @Test
    void a_proxy_that_a_killed_run_left_is_replaced() {
        world.in(Box.MACHINE);
        Child first = world.connect(open(Map.of()));
        first.awaitLine("^ready", World.SOON);
        first.kill();

        Child second = world.connect(open(Map.of()));
        second.awaitLine("^ready", World.SOON);

        assertThat(seenAs()).contains(world.provider(Family.IPV4));
        assertThat(second.output()).doesNotContain("ended unexpectedly");
    }
}
