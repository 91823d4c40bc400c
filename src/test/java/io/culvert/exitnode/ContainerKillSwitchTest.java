package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Outcome;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * In a container, whatever shows that it is one, the kill switch stays active after a stop, a crash and a refused
 * start, while a process beside it never ceases to send; on a machine, a stop leaves nothing.
 */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ContainerKillSwitchTest {

    private static final Map<String, String> REFUSED = Map.of("CULVERT_SOCKS_PORT", "99999");

    /** How it is known. */
    enum Kind {
        PROCESS_1,
        BELOW_AN_INIT,
        IMAGE,
        SETTING;

        private Box box() {
            return switch (this) {
                case PROCESS_1 -> Box.CONTAINER;
                case BELOW_AN_INIT -> Box.CONTAINER.belowInit();
                case IMAGE -> Box.MACHINE.ofImage();
                case SETTING -> Box.MACHINE;
            };
        }

        private Map<String, String> settings() {
            return this == SETTING ? Map.of("CULVERT_CONTAINER", "true") : Map.of();
        }
    }

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    private static Map<String, String> with(Map<String, String> settings, Map<String, String> more) {
        Map<String, String> all = new HashMap<>(settings);
        all.putAll(more);
        return World.alone(all);
    }

    private void refused(Map<String, String> settings) {
        Outcome refused = world.run(settings, "up");
        assertThat(refused.status()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err()).contains("CULVERT_SOCKS_PORT", "kill switch: stays active");
        world.nobodyIsReached(Family.values());
    }

    private static void stop(Child culvert) {
        culvert.signal("TERM");
        assertThat(culvert.awaitExit(World.SOON)).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void a_container_stays_closed_after_a_refusal_a_stop_and_a_crash(Kind kind) {
        world.in(kind.box());
        world.observerIsNotBlind(Family.values());
        refused(with(kind.settings(), REFUSED));
        world.observer.forget();
        try (Pulse ipv4 = Pulse.of(world.space(), Family.IPV4);
                Pulse ipv6 = Pulse.of(world.space(), Family.IPV6)) {
            try (Child culvert = world.connect(with(kind.settings(), Map.of()))) {
                ipv4.awaitAnswer(world.provider(Family.IPV4), World.SOON);
                ipv6.awaitAnswer(world.provider(Family.IPV6), World.SOON);
                stop(culvert);
                assertThat(culvert.output()).contains("kill switch: stays active");
            }
            world.nobodyIsReached(Family.values());
            refused(with(kind.settings(), REFUSED));
            try (Child culvert = world.connect(with(kind.settings(), Map.of()))) {
                if (kind == Kind.BELOW_AN_INIT) {
                    culvert.descendant("culvert.programs=", "up").destroyForcibly();
                    culvert.awaitExit(World.SOON);
                } else {
                    culvert.kill();
                }
            }
            refused(with(kind.settings(), REFUSED));
            world.connect(with(kind.settings(), Map.of()));
            ipv4.awaitAnswer(world.provider(Family.IPV4), World.SOON);
            ipv6.awaitAnswer(world.provider(Family.IPV6), World.SOON);
            assertThat(ipv4.seen()).containsExactly(world.provider(Family.IPV4));
            assertThat(ipv6.seen()).containsExactly(world.provider(Family.IPV6));
        }
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void whoever_says_that_it_is_none_finds_everything_as_it_was_before() {
        Map<String, String> none = Map.of("CULVERT_CONTAINER", "false");
        for (Box box : new Box[] {Box.CONTAINER, Box.CONTAINER.belowInit(), Box.CONTAINER.ofImage()}) {
            world.in(box);
            String before = world.footprint();
            assertThat(world.run(with(none, REFUSED), "up").status()).isEqualTo(2);
            assertThat(world.footprint()).isEqualTo(before);
            stop(world.connect(with(none, Map.of())));
            assertThat(world.footprint()).isEqualTo(before);
        }
    }

    @Test
    void a_machine_whose_word_is_in_a_file_is_closed_until_it_is_read_and_no_longer() {
        world.in(Box.MACHINE);
        String before = world.footprint();
        Map<String, String> file =
                Map.of("CULVERT_CONTAINER_FILE", world.lab.node().file("container", "false\n"));

        assertThat(world.run(with(file, REFUSED), "up").status()).isEqualTo(2);
        assertThat(world.footprint()).isEqualTo(before);
        stop(world.connect(with(file, Map.of())));
        assertThat(world.footprint()).isEqualTo(before);
    }

    @Test
    void a_word_that_is_none_is_refused_and_counts_as_true() {
        world.in(Box.MACHINE);
        world.observerIsNotBlind(Family.values());

        Outcome refused = world.run(World.alone(Map.of("CULVERT_CONTAINER", "ture")), "up");

        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.err()).contains("CULVERT_CONTAINER: 'ture'").contains("use auto, true or false");
        world.localTrafficIsClosed(Family.values());
    }

    @ParameterizedTest
    @ValueSource(strings = {"up --no-such-option", "--no-such-option", "up here"})
    void a_command_line_that_is_wrong_is_a_refused_start(String arguments) {
        world.observerIsNotBlind(Family.values());

        Outcome refused = world.run(World.alone(Map.of()), arguments.split(" ", -1));

        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.err()).contains("kill switch: stays active");
        world.localTrafficIsClosed(Family.values());
    }

    @Test
    void nothing_is_asked_before_the_plan_whatever_the_mark() {
        world.observerIsNotBlind(Family.values());
        refused(World.alone(REFUSED));
        String marked =
                "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(1, 36, 0x51000000);"
                        + " s.sendto(b'x' * 30, ('198.51.100.53', 53))";

        assertThat(world.space().attempt("python3", "-c", marked).err()).contains("Operation not permitted");
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void a_process_without_privileges_cannot_pass_for_another_Culvert() {
        world.space()
                .start("setpriv", "--inh-caps=-all", "--bounding-set=-all", "python3", "-u", "-c", """
                        import socket, time
                        held = []
                        for name in 'culvert', 'culvert-runs':
                            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(chr(0) + name); held.append(s)
                        print('held')
                        time.sleep(1000)
                        """)
                .awaitLine("held", World.SOON);
        world.observerIsNotBlind(Family.values());

        world.connect(World.alone(Map.of()));

        world.observer.forget();
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @Test
    void a_second_Culvert_is_refused_and_the_first_one_goes_on() {
        world.observerIsNotBlind(Family.values());
        Child first = world.connect(World.alone(Map.of()));
        world.observer.forget();
        try (Pulse ipv4 = Pulse.of(world.space(), Family.IPV4)) {
            Outcome second = world.run(World.alone(Map.of()), "up");

            assertThat(second.status()).isEqualTo(3);
            assertThat(second.err()).contains("another Culvert is running in it");
            ipv4.awaitAnswer(world.provider(Family.IPV4), World.SOON);
        }
        assertThat(first.output()).doesNotContain("reverted an external change");
        world.localTrafficGoesByTheProvider(Family.values());
    }
}
