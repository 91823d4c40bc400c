// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.run;
import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import io.culvert.lab.NamespaceTest;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.process.ChildEvent;
import io.culvert.process.ChildEvent.Exited;
import io.culvert.process.ChildEvent.Restarting;
import io.culvert.process.ChildEvent.Started;
import io.culvert.process.Children;
import io.culvert.process.Redactor;
import io.culvert.process.Supervisor;
import io.culvert.timing.Threads;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.device.WireGuardDevice.Implementation;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices are created, found again, and lose their programs, with the real userspace WireGuard. */
@NamespaceTest
class WireGuardDevicesTest {

    private static final Path SOCKETS = Path.of("/var/run/wireguard");

    private final String name = "cv" + ThreadLocalRandom.current().nextInt(1_000_000);
    private final SecretKey key = KeyGenerator.generatePrivate();
    private final DeviceConfig config = new DeviceConfig(key, 0, 0, List.of());
    private final UserspaceProgram program = UserspaceProgram.withDefaults(
            Optional.empty(), List.of(Path.of(".cache/bin").toAbsolutePath()));
    private final UserspaceProgram programWithShortTimeout = withTimeout(Duration.ofSeconds(1));
    private final BlockingQueue<ChildEvent> events = new LinkedBlockingQueue<>();
    private final Supervisor supervisor =
            new Supervisor(new Children(), Supervisor.RESTARTS, Threads.SYSTEM, new Redactor(List.of()), events::add);

    @AfterEach
    void stop_programs() throws Exception {
        supervisor.stopAll();
        Files.deleteIfExists(SOCKETS.resolve(name + ".sock"));
    }

    private UserspaceProgram withTimeout(Duration timeout) {
        return new UserspaceProgram(
                program.chosen(),
                program.directories(),
                program.sockets(),
                program.tunnelDevice(),
                program.memoryLimit(),
                timeout);
    }

    @Test
    void a_second_run_adopts_the_device_of_the_first() throws Exception {
        inside(() -> {
            WireGuardDevice first = detached().create(name, 0);
            first.configure(config);
            WireGuardDevice second = detached().create(name, 0);

            assertThat(second.read().publicKey()).contains(KeyGenerator.publicOf(key));
            assertThat(detached().find(name))
                    .map(WireGuardDevice::implementation)
                    .contains(Implementation.USERSPACE);
            second.remove();
            assertThat(detached().find(name)).isEmpty();
            assertThat(SOCKETS.resolve(name + ".sock")).doesNotExist();
        });
    }

    @Test
    void a_program_that_exits_is_reported_and_restarted_with_an_unconfigured_device() throws Exception {
        inside(() -> {
            WireGuardDevices devices = supervised();
            devices.create(name, 0).configure(config);
            ProcessHandle.of(next(Started.class).pid()).orElseThrow().destroyForcibly();

            assertThat(next(Exited.class).status()).isEqualTo(137);
            assertThat(next(Started.class).start()).isEqualTo(2);
            WireGuardDevice recreated = devices.create(name, 0);
            assertThat(recreated.read().publicKey()).isEmpty();
            recreated.configure(config);
            recreated.remove();
            assertThat(next(Exited.class).requested()).isTrue();
            assertThat(sh("ip -o link")).doesNotContain(name);
        });
    }

    @Test
    void a_device_whose_interface_was_deleted_is_recreated() throws Exception {
        inside(() -> {
            WireGuardDevices devices = supervised();
            devices.create(name, 0).configure(config);
            sh("ip link delete " + name);
            WireGuardDevice recreated = devices.create(name, 0);

            assertThat(recreated.read().publicKey()).isEmpty();
            recreated.remove();
        });
    }

    @Test
    void a_hanging_program_is_killed_and_replaced() throws Exception {
        inside(() -> {
            ManagedDevice device = WireGuardDevices.supervised(
                            ImplementationChoice.USERSPACE,
                            programWithShortTimeout,
                            supervisor,
                            "culvert",
                            NetlinkSockets.KERNEL)
                    .managed(name);
            device.ensure(config);
            long hanging = next(Started.class).pid();
            hang(hanging);

            assertThat(device.ensure(config)).isTrue();
            assertThat(device.read().flatMap(DeviceState::publicKey)).contains(KeyGenerator.publicOf(key));
            assertThat(next(Exited.class).status()).isEqualTo(137);
            assertThat(next(Started.class).pid()).isNotEqualTo(hanging);
            device.remove();
        });
    }

    @Test
    void a_hanging_program_of_another_process_is_replaced_too() throws Exception {
        inside(() -> {
            detached().create(name, 0).configure(config);
            long hanging = Long.parseLong(program());
            hang(hanging);

            try {
                ManagedDevice device = WireGuardDevices.detached(
                                ImplementationChoice.USERSPACE, programWithShortTimeout, "culvert")
                        .managed(name);
                assertThatThrownBy(() -> device.ensure(config))
                        .isInstanceOf(ProblemException.class)
                        .hasMessageContaining("does not respond");
                device.ensure(config);
                assertThat(device.read().flatMap(DeviceState::publicKey)).contains(KeyGenerator.publicOf(key));
                device.remove();
            } finally {
                run("kill", "-KILL", Long.toString(hanging));
            }
        });
    }

    @Test
    void a_program_that_does_not_exit_in_time_loses_its_interface_and_is_waited_for() throws Exception {
        inside(() -> {
            detached().create(name, 0).configure(config);
            String hanging = program();
            hang(Long.parseLong(hanging));
            Process continuing = new ProcessBuilder(
                            "timeout",
                            "60",
                            "sh",
                            "-c",
                            "while ip link show " + name + " > /dev/null 2>&1; do :; done; kill -CONT " + hanging)
                    .start();

            WireGuardDevices devices = WireGuardDevices.detached(
                    ImplementationChoice.USERSPACE, withTimeout(Duration.ofSeconds(5)), "culvert");
            devices.find(name).orElseThrow().remove();

            assertThat(continuing.waitFor()).isZero();
            assertThat(devices.find(name)).isEmpty();
        });
    }

    @Test
    void a_restarting_program_is_recognized_as_own() throws Exception {
        inside(() -> {
            DeviceLinks links = new DeviceLinks(KernelNetlinkSocket::route, "culvert");
            ManagedDevice device = supervised().managed(name);
            for (int i = 0;
                    i < 5;
                    i++) { // The socket follows the interface after a millisecond, which is not hit every time.
                device.ensure(config);
                sh("ip link delete " + name);
                next(Restarting.class);
                next(Started.class);
                await(() -> links.find(name).isPresent());
                device.ensure(config);
                assertThat(device.read().flatMap(DeviceState::publicKey)).contains(KeyGenerator.publicOf(key));
                events.clear();
            }
            device.remove();
        });
    }

    @Test
    void the_device_of_a_killed_run_is_adopted_with_its_configuration() throws Exception {
        inside(() -> {
            Process run = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-Djna.platform.library.path=" + System.getProperty("jna.platform.library.path", ""),
                            "-cp",
                            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                            EarlierRun.class.getName(),
                            name,
                            Base64.getEncoder().encodeToString(key.bytes()))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            BufferedReader output = run.inputReader(StandardCharsets.UTF_8);
            assertThat(output.readLine()).isEqualTo("configured");
            run.destroyForcibly().waitFor();

            WireGuardDevice adopted = supervised().create(name, 0);
            assertThat(adopted.read().publicKey()).contains(KeyGenerator.publicOf(key));
            assertThat(events).isEmpty();
            adopted.remove();
            assertThat(sh("ip -o link")).doesNotContain(name);
        });
    }

    @Test
    void the_socket_of_a_killed_program_is_replaced() throws Exception {
        inside(() -> {
            detached().create(name, 0);
            String pid = program();
            ProcessHandle process = ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
            process.destroyForcibly();
            process.onExit().get(20, TimeUnit.SECONDS);
            assertThat(SOCKETS.resolve(name + ".sock")).exists();

            WireGuardDevice device = supervised().create(name, 0);
            assertThat(device.read().publicKey()).isEmpty();
            device.remove();
        });
    }

    @Test
    void a_foreign_interface_is_not_changed() throws Exception {
        inside(() -> {
            sh("ip tuntap add " + name + " mode tun");

            assertThatThrownBy(() -> detached().create(name, 0))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("it is not Culvert's")
                    .hasMessageContaining("ip link delete " + name);
            assertThat(detached().find(name)).isEmpty();
            assertThat(sh("ip -o link")).contains(name);
        });
    }

    @Test
    void an_unconfigured_userspace_device_without_an_alias_is_adopted() throws Exception {
        inside(() -> {
            WireGuardDevice device = detached().create(name, 0);
            run("ip", "link", "set", name, "alias", "");

            assertThat(detached().create(name, 0).read().publicKey()).isEmpty();
            assertThat(sh("ip -d link show " + name)).contains("alias culvert");
            device.remove();
        });
    }

    @Test
    void a_userspace_device_in_another_namespace_keeps_its_name() throws Exception {
        inside(() -> {
            WireGuardDevice device = detached().create(name, 0);
            inside(() -> assertThatThrownBy(() -> detached().create(name, 0))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("in another network namespace"));
            assertThat(device.read().peers()).isEmpty();
            device.remove();
        });
    }

    @Test
    void a_program_that_cannot_create_an_interface_is_reported_and_not_restarted(@TempDir Path directory)
            throws Exception {
        inside(() -> {
            Path notResponding = directory.resolve("wireguard-go");
            Files.writeString(notResponding, "#!/bin/sh\necho Failed to create TUN device: no\nexit 1\n");
            sh("chmod 755 " + notResponding);
            UserspaceProgram chosen = UserspaceProgram.withDefaults(Optional.of(notResponding), List.of());

            assertThatThrownBy(() -> WireGuardDevices.supervised(
                                    ImplementationChoice.USERSPACE,
                                    chosen,
                                    supervisor,
                                    "culvert",
                                    NetlinkSockets.KERNEL)
                            .create(name, 0))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("does not start: Failed to create TUN device: no");
            assertThatThrownBy(() -> WireGuardDevices.detached(ImplementationChoice.USERSPACE, chosen, "culvert")
                            .create(name, 0))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("does not start: Failed to create TUN device: no");
        });
    }

    private WireGuardDevices detached() {
        return WireGuardDevices.detached(ImplementationChoice.USERSPACE, program, "culvert");
    }

    private WireGuardDevices supervised() {
        return WireGuardDevices.supervised(
                ImplementationChoice.USERSPACE, program, supervisor, "culvert", NetlinkSockets.KERNEL);
    }

    /** Returns the process id of the program of Culvert's interface. */
    private String program() throws Exception {
        return ProcessHandle.allProcesses()
                .filter(process -> List.of(process.info().arguments().orElse(new String[0]))
                        .contains(name))
                .map(process -> Long.toString(process.pid()))
                .findFirst()
                .orElseThrow();
    }

    /** Stops all its threads and waits until they have stopped, as the signal takes effect asynchronously. */
    private static void hang(long pid) throws Exception {
        run("kill", "-STOP", Long.toString(pid));
        await(() -> hasStopped(Path.of("/proc", Long.toString(pid), "task")));
    }

    private static boolean hasStopped(Path threads) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(threads)) {
            for (Path thread : all) {
                if (!Files.readString(thread.resolve("status")).contains("\nState:\tT")) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Polls without pause, to hit the millisecond. */
    private static void await(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.call()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
        }
    }

    private <E extends ChildEvent> E next(Class<E> kind) throws InterruptedException {
        while (true) {
            ChildEvent event = events.poll(20, TimeUnit.SECONDS);
            assertThat(event).as("an event of kind " + kind.getSimpleName()).isNotNull();
            if (kind.isInstance(event)) {
                return kind.cast(event);
            }
        }
    }
}
