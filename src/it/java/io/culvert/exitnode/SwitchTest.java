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
import io.culvert.status.ControlRequest;
import io.culvert.status.ControlResult;
import io.culvert.status.ControlSocket;
import io.culvert.status.StatusReport.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Switching between servers, pausing and resuming, while the exit node runs. */
@NamespaceTest
class SwitchTest {

    /** How many times the exit node is reloaded and switched in one test. */
    private static final int REPETITIONS = Integer.getInteger("culvert.switches", 50);

    /** What is done, by chance. */
    private static final long SEED = Long.getLong("culvert.switches.seed", System.nanoTime());

    private static final int ACTIONS = 7;

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
    void repeated_reloads_and_switches_under_traffic_leak_nothing_and_leave_nothing_behind() throws IOException {
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.addPrivateNetwork();
        fixture.observer.allow("the private network", packet -> packet.isTo(ExitNodeFixture.PRIVATE_LAN_HOST_4));
        fixture.lab.node().file("settings.env", "");
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of(
                "CULVERT_SETTINGS",
                fixture.lab.node().run().resolveSibling("settings.env").toString(),
                "CULVERT_LEAK_TEST",
                "off")));
        Random random = new Random(SEED);
        try (TcpTransfer lan = TcpTransfer.start(
                        fixture.namespace(), fixture.lab.lanHost(), ExitNodeFixture.PRIVATE_LAN_HOST_4, 9000);
                ContinuousProbe four = ContinuousProbe.of(fixture.namespace(), Family.IPV4);
                ContinuousProbe six = ContinuousProbe.of(fixture.namespace(), Family.IPV6)) {
            for (int kind = 0; kind < ACTIONS; kind++) {
                act(kind, random, culvert::output);
            }
            returnToStart();
            String before = fixture.footprint();
            ProcessUsage first = ProcessUsage.of(culvert);

            for (int number = 0; number < REPETITIONS; number++) {
                act(random.nextInt(ACTIONS), random, culvert::output);
            }

            returnToStart();
            four.awaitReply(provider(0), ExitNodeFixture.TIMEOUT);
            six.awaitReply(fixture.lab.provider(0).publicIpv6(), ExitNodeFixture.TIMEOUT);
            ProcessUsage last = ProcessUsage.of(culvert);
            System.out.println(REPETITIONS + " reloads and switches, seed " + SEED + ": " + first + ", then " + last);
            assertThat(fixture.footprint()).as("seed " + SEED).isEqualTo(before);
            last.assertNotGrownSince(first);
            assertThat(four.seenAddresses()).containsOnly(provider(0), provider(1));
            assertThat(six.seenAddresses())
                    .containsOnly(
                            fixture.lab.provider(0).publicIpv6(),
                            fixture.lab.provider(1).publicIpv6());
            lan.awaitMore();
            lan.finish();
        }
        assertThat(fixture.observer.leaks()).as("seed " + SEED).isEmpty();
        assertThat(fixture.status().healthy()).isTrue();
    }

    /** Switches, pauses, or changes a file and reloads, which the watch of the files does too a moment later. */
    private void act(int kind, Random random, Supplier<String> output) {
        switch (kind) {
            case 0 -> assertConnects(ControlRequest.of(ControlRequest.Kind.NEXT), output);
            case 1 -> {
                ControlResult use = send(
                        new ControlRequest(ControlRequest.Kind.USE, random.nextBoolean() ? "provider" : "second.conf"));
                assertThat(use.exitStatus()).as(() -> use + "\n" + output.get()).isZero();
            }
            case 2 -> {
                assertThat(send(ControlRequest.of(ControlRequest.Kind.PAUSE)).exitStatus())
                        .isZero();
                assertConnects(ControlRequest.of(ControlRequest.Kind.RESUME), output);
            }
            case 3 -> {
                fixture.lab
                        .node()
                        .file(
                                "settings.env",
                                "CULVERT_MTU=" + random.nextInt(1300, 1400) + "\nCULVERT_PUBLISH="
                                        + random.nextInt(8000, 8010) + "\n");
                assertReloads(0, output);
            }
            case 4 -> {
                fixture.lab.node().file("settings.env", "CULVERT_MTU=many\n");
                assertReloads(2, output);
                fixture.lab.node().file("settings.env", "");
                assertReloads(0, output);
            }
            case 5 -> {
                writeFiles(random.nextInt(20, 30));
                assertReloads(0, output);
            }
            default -> assertReloads(0, output);
        }
    }

    private void returnToStart() {
        fixture.lab.node().file("settings.env", "");
        writeFiles(25);
        assertReloads(0, () -> "");
        send(new ControlRequest(ControlRequest.Kind.USE, "provider"));
        assertThat(send(ControlRequest.of(ControlRequest.Kind.RELOAD)).toString())
                .contains("unchanged");
    }

    private void writeFiles(int keepalive) {
        for (int number = 0; number < 2; number++) {
            fixture.lab
                    .node()
                    .wireGuardFile(
                            number == 0 ? "provider.conf" : "second.conf",
                            fixture.lab.provider(number).file().replace("Keepalive = 25", "Keepalive = " + keepalive));
        }
    }

    private void assertConnects(ControlRequest request, Supplier<String> output) {
        ControlResult result = send(request);
        assertThat(result.toString()).as(output.get()).contains("connected to the server of");
    }

    private void assertReloads(int status, Supplier<String> output) {
        ControlResult result = send(ControlRequest.of(ControlRequest.Kind.RELOAD));
        assertThat(result.exitStatus())
                .as(() -> "seed " + SEED + ": " + result + "\n" + output.get())
                .isEqualTo(status);
    }

    private ControlResult send(ControlRequest request) {
        try {
            return ControlSocket.send(
                            fixture.lab.node().run().resolve("culvert/control.sock"),
                            request.toJson(),
                            ExitNodeFixture.TIMEOUT)
                    .map(ControlResult::fromJson)
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
