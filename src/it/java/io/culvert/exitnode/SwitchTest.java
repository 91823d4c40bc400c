// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TcpTransfer;
import io.culvert.net.Family;
import io.culvert.status.StatusReport.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Switching between servers, pausing and resuming, while the exit node runs. */
@NamespaceTest
class SwitchTest {

    /** How many times the exit node is reloaded and switched in one test. */
    private static final int REPETITIONS = Integer.getInteger("culvert.switches", 50);

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.providers(2));

    @BeforeEach
    void writeFiles() {
        fixture.lab
                .node()
                .wireGuardFile("provider.conf", fixture.lab.provider(0).file());
        fixture.lab.node().wireGuardFile("second.conf", fixture.lab.provider(1).file());
    }

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private CommandResult run(String... command) {
        return fixture.run(Map.of(), command);
    }

    private String provider(int number) {
        return fixture.lab.provider(number).publicIpv4();
    }

    @Test
    void a_switch_under_traffic_leaks_nothing_and_leaves_connections_outside_the_tunnel_alone() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.addPrivateNetwork();
        fixture.observer.allow("the private network", packet -> packet.isTo(ExitNodeFixture.PRIVATE_LAN_HOST_4));
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        String link = fixture.namespace().run("ip", "-o", "link", "show", "wg0").split(":", 2)[0];
        try (TcpTransfer lan = TcpTransfer.start(
                        fixture.namespace(), fixture.lab.lanHost(), ExitNodeFixture.PRIVATE_LAN_HOST_4, 9000);
                ContinuousProbe four = ContinuousProbe.of(fixture.namespace(), Family.IPV4);
                ContinuousProbe six = ContinuousProbe.of(fixture.namespace(), Family.IPV6)) {
            four.awaitReply(provider(0), ExitNodeFixture.TIMEOUT);

            CommandResult use = run("use", "second");
            assertThat(use.status()).as(use.toString()).isZero();
            assertThat(use.out()).contains("connected to the server of second.conf");
            four.awaitReply(provider(1), ExitNodeFixture.TIMEOUT);
            six.awaitReply(fixture.lab.provider(1).publicIpv6(), ExitNodeFixture.TIMEOUT);

            assertThat(run("next").status()).isZero();
            four.awaitReply(provider(0), ExitNodeFixture.TIMEOUT);
            lan.awaitMore();
            lan.finish();
            assertThat(four.seenAddresses()).containsExactlyInAnyOrder(provider(0), provider(1));
        }
        assertThat(fixture.namespace().run("ip", "-o", "link", "show", "wg0")).startsWith(link + ":");
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void an_unknown_name_is_refused_with_the_list_of_names() {
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        CommandResult use = run("use", "third");

        assertThat(use.status()).isEqualTo(2);
        assertThat(use.toString()).contains("provider.conf, second.conf");
        assertThat(fixture.node.whoami(Family.IPV4)).contains(provider(0));
    }

    @Test
    void a_switch_to_a_server_that_does_not_respond_is_undone() {
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        fixture.lab.provider(1).stop();

        CommandResult use = run("use", "second.conf");

        assertThat(use.status()).as(use.toString()).isEqualTo(1);
        assertThat(use.toString()).contains("returned to provider.conf");
        try (ContinuousProbe probe = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            probe.awaitReply(provider(0), ExitNodeFixture.TIMEOUT);
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void the_choice_survives_a_reload() {
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        assertThat(run("use", "second").status()).isZero();

        fixture.lab.node().wireGuardFile("another.conf", fixture.lab.provider(0).file());
        culvert.awaitLine("configuration: reloaded", ExitNodeFixture.TIMEOUT);

        assertThat(fixture.status().server()).contains("second.conf");
        assertThat(fixture.status().configuration().files())
                .containsExactly("another.conf", "provider.conf", "second.conf");
        assertThat(fixture.node.whoami(Family.IPV4)).contains(provider(1));
    }

    @Test
    void a_paused_tunnel_blocks_and_connects_again_when_resumed() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        assertThat(run("pause").status()).isZero();

        assertThat(fixture.status().state()).isEqualTo(State.PAUSED);
        assertThat(run("health").status()).isEqualTo(1);
        fixture.assertLocalTrafficBlocked(Family.values());
        assertThat(run("use", "second").out()).contains("will be used when resumed");
        fixture.assertLocalTrafficBlocked(Family.values());

        CommandResult resume = run("resume");
        assertThat(resume.status()).as(resume.toString()).isZero();
        assertThat(fixture.node.whoami(Family.IPV4)).contains(provider(1));
        assertThat(run("health").status()).isZero();
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void only_its_own_user_may_control_it() {
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        String socket = fixture.lab.node().run().resolve("culvert/control.sock").toString();
        String send = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect('" + socket + "');"
                + " s.sendall(b'{\"request\":\"pause\"}\\n'); print(s.recv(999))";

        CommandResult refused = fixture.namespace()
                .attempt("setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all", "python3", "-c", send);

        assertThat(refused.toString()).contains("Permission");
        assertThat(fixture.status().state()).isEqualTo(State.CONNECTED);
        assertThat(fixture.namespace().attempt("python3", "-c", send).out()).contains("paused");
        assertThat(fixture.status().state()).isEqualTo(State.PAUSED);
    }

    @Test
    void repeated_reloads_and_switches_leave_nothing_behind() throws IOException {
        fixture.verifyObserverDetectsLeaks(Family.values());
        Path settings = Path.of(fixture.lab.node().file("settings.env", ""));
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of(
                "CULVERT_SETTINGS", settings.toString(), "CULVERT_LEAK_TEST", "off", "CULVERT_LAN_ALLOW", "none")));
        String socket = fixture.lab.node().run().resolve("culvert/control.sock").toString();
        round(socket, settings, 0, culvert::output);
        round(socket, settings, 1, culvert::output);
        String before = fixture.footprint();
        long files = openFiles(culvert);
        long threads = threads(culvert);
        try (ContinuousProbe _ = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            for (int number = 0; number < REPETITIONS; number += 2) {
                round(socket, settings, 0, culvert::output);
                round(socket, settings, 1, culvert::output);
            }
        }
        assertThat(fixture.footprint()).isEqualTo(before);
        assertThat(openFiles(culvert)).as("open files").isLessThanOrEqualTo(files + 4);
        assertThat(threads(culvert)).as("threads").isLessThanOrEqualTo(threads + 4);
        assertThat(fixture.observer.leaks()).isEmpty();
        assertThat(fixture.status().healthy()).isTrue();
    }

    /** Switches to the other server, changes a setting and reloads. */
    private void round(String socket, Path settings, int number, Supplier<String> output) throws IOException {
        Files.writeString(settings, number == 0 ? "CULVERT_PUBLISH=8001\n" : "CULVERT_MTU=1300\n");
        String send = "import socket,sys\nfor r in sys.argv[1:]:\n s=socket.socket(socket.AF_UNIX); s.connect('"
                + socket + "'); s.sendall((r+'\\n').encode()); print(s.makefile().readline())";
        String results =
                fixture.namespace().run("python3", "-c", send, "{\"request\":\"reload\"}", "{\"request\":\"next\"}");
        assertThat(results)
                .as(output.get())
                .contains("connected to the server of")
                .doesNotContain("not done");
    }

    private static long openFiles(RunningProgram culvert) throws IOException {
        return count(Path.of("/proc/" + culvert.programPid() + "/fd"));
    }

    private static long threads(RunningProgram culvert) throws IOException {
        return count(Path.of("/proc/" + culvert.programPid() + "/task"));
    }

    private static long count(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.count();
        }
    }
}
