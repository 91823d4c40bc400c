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
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * In a container, however it is detected, the kill switch stays active after a stop, a crash and a refused start, while
 * another process sends continuously; on a machine, a stop leaves nothing behind.
 */
@NamespaceTest
class ContainerKillSwitchTest {

    private static final Map<String, String> REFUSED = Map.of("CULVERT_SOCKS_PORT", "99999");

    /** How the container is detected. */
    enum Kind {
        PROCESS_1,
        BELOW_AN_INIT,
        IMAGE,
        SETTING;

        private Sandbox box() {
            return switch (this) {
                case PROCESS_1 -> Sandbox.CONTAINER;
                case BELOW_AN_INIT -> Sandbox.CONTAINER.withInit();
                case IMAGE -> Sandbox.MACHINE.withImageMarker();
                case SETTING -> Sandbox.MACHINE;
            };
        }

        private Map<String, String> settings() {
            return this == SETTING ? Map.of("CULVERT_CONTAINER", "true") : Map.of();
        }
    }

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private static Map<String, String> with(Map<String, String> settings, Map<String, String> more) {
        Map<String, String> all = new HashMap<>(settings);
        all.putAll(more);
        return ExitNodeFixture.withoutMesh(all);
    }

    private void assertRefused(Map<String, String> settings) {
        CommandResult refused = fixture.run(settings, "up");
        assertThat(refused.status()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err()).contains("CULVERT_SOCKS_PORT", "kill switch: stays active");
        fixture.assertNothingReachable(Family.values());
    }

    private static void stop(RunningProgram culvert) {
        culvert.signal("TERM");
        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void the_kill_switch_of_a_container_stays_active_after_a_refused_start_a_stop_and_a_crash(Kind kind) {
        fixture.in(kind.box());
        fixture.verifyObserverDetectsLeaks(Family.values());
        assertRefused(with(kind.settings(), REFUSED));
        fixture.observer.reset();
        try (ContinuousProbe ipv4 = ContinuousProbe.of(fixture.namespace(), Family.IPV4);
                ContinuousProbe ipv6 = ContinuousProbe.of(fixture.namespace(), Family.IPV6)) {
            try (RunningProgram culvert = fixture.connect(with(kind.settings(), Map.of()))) {
                ipv4.awaitReply(fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
                ipv6.awaitReply(fixture.provider(Family.IPV6), ExitNodeFixture.TIMEOUT);
                stop(culvert);
                assertThat(culvert.output()).contains("kill switch: stays active");
            }
            fixture.assertNothingReachable(Family.values());
            assertRefused(with(kind.settings(), REFUSED));
            try (RunningProgram culvert = fixture.connect(with(kind.settings(), Map.of()))) {
                if (kind == Kind.BELOW_AN_INIT) {
                    culvert.descendant("culvert.programs=", "up").destroyForcibly();
                    culvert.awaitExit(ExitNodeFixture.TIMEOUT);
                } else {
                    culvert.kill();
                }
            }
            assertRefused(with(kind.settings(), REFUSED));
            fixture.connect(with(kind.settings(), Map.of()));
            ipv4.awaitReply(fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
            ipv6.awaitReply(fixture.provider(Family.IPV6), ExitNodeFixture.TIMEOUT);
            assertThat(ipv4.seenAddresses()).containsExactly(fixture.provider(Family.IPV4));
            assertThat(ipv6.seenAddresses()).containsExactly(fixture.provider(Family.IPV6));
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void with_CULVERT_CONTAINER_false_a_stop_restores_the_machine() {
        Map<String, String> none = Map.of("CULVERT_CONTAINER", "false");
        for (Sandbox box :
                new Sandbox[] {Sandbox.CONTAINER, Sandbox.CONTAINER.withInit(), Sandbox.CONTAINER.withImageMarker()}) {
            fixture.in(box);
            String before = fixture.footprint();
            assertThat(fixture.run(with(none, REFUSED), "up").status()).isEqualTo(2);
            assertThat(fixture.footprint()).isEqualTo(before);
            stop(fixture.connect(with(none, Map.of())));
            assertThat(fixture.footprint()).isEqualTo(before);
        }
    }

    @Test
    void with_the_setting_in_a_file_traffic_is_blocked_only_until_the_file_is_read() {
        fixture.in(Sandbox.MACHINE);
        String before = fixture.footprint();
        Map<String, String> file =
                Map.of("CULVERT_CONTAINER_FILE", fixture.lab.node().file("container", "false\n"));

        assertThat(fixture.run(with(file, REFUSED), "up").status()).isEqualTo(2);
        assertThat(fixture.footprint()).isEqualTo(before);
        stop(fixture.connect(with(file, Map.of())));
        assertThat(fixture.footprint()).isEqualTo(before);
    }

    @Test
    void an_invalid_value_is_rejected_and_treated_as_true() {
        fixture.in(Sandbox.MACHINE);
        fixture.verifyObserverDetectsLeaks(Family.values());

        CommandResult refused = fixture.run(ExitNodeFixture.withoutMesh(Map.of("CULVERT_CONTAINER", "ture")), "up");

        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.err()).contains("CULVERT_CONTAINER: 'ture'").contains("use auto, true or false");
        fixture.assertLocalTrafficBlocked(Family.values());
    }

    @ParameterizedTest
    @ValueSource(strings = {"up --no-such-option", "--no-such-option", "up here"})
    void an_invalid_command_line_is_a_refused_start(String arguments) {
        fixture.verifyObserverDetectsLeaks(Family.values());

        CommandResult refused = fixture.run(ExitNodeFixture.withoutMesh(Map.of()), arguments.split(" ", -1));

        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.err()).contains("kill switch: stays active");
        fixture.assertLocalTrafficBlocked(Family.values());
    }

    @Test
    void no_DNS_query_leaves_before_the_plan_whatever_its_mark() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        assertRefused(ExitNodeFixture.withoutMesh(REFUSED));
        String marked =
                "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(1, 36, 0x51000000);"
                        + " s.sendto(b'x' * 30, ('198.51.100.53', 53))";

        assertThat(fixture.namespace().attempt("python3", "-c", marked).err()).contains("Operation not permitted");
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void an_unprivileged_process_cannot_claim_to_be_another_Culvert() {
        fixture.namespace()
                .start("setpriv", "--inh-caps=-all", "--bounding-set=-all", "python3", "-u", "-c", """
                        import socket, time
                        held = []
                        for name in 'culvert', 'culvert-runs':
                            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(chr(0) + name); held.append(s)
                        print('held')
                        time.sleep(1000)
                        """)
                .awaitLine("held", ExitNodeFixture.TIMEOUT);
        fixture.verifyObserverDetectsLeaks(Family.values());

        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        fixture.observer.reset();
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void a_second_Culvert_is_refused_and_the_first_keeps_running() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram first = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        fixture.observer.reset();
        try (ContinuousProbe ipv4 = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            CommandResult second = fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "up");

            assertThat(second.status()).isEqualTo(3);
            assertThat(second.err()).contains("another Culvert is running in it");
            ipv4.awaitReply(fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
        }
        assertThat(first.output()).doesNotContain("reverted an external change");
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }
}
