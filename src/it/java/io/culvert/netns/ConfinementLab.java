// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNode;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Observer;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A machine in the lab on which programs are confined. Unlike a container, which has new mounts for each command, it
 * stays the same machine between commands.
 */
final class ConfinementLab implements AutoCloseable {

    /** In the command line of the userspace WireGuard of a namespace. */
    static final String USERSPACE_WIREGUARD = " cv-";

    /** In the command line of a namespace daemon. */
    static final String DAEMON = "netns keep";

    /**
     * A shell command that waits for the test. It is run by a child, as the shell may be the parent of the daemon,
     * which it has to reap meanwhile.
     */
    static final String AWAIT_CONTINUE = "cat /run/leave > /dev/null";

    static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final String PROGRAM = System.getProperty(
            "culvert.program", Path.of("culvert").toAbsolutePath().toString());

    private final Lab lab;
    private final LabNode node;
    private final long machine;

    ConfinementLab(LabOptions shape) {
        this.lab = Lab.open(shape);
        this.node = lab.node().in(Sandbox.MACHINE);
        RunningProgram holder = node.startOther(Map.of(), "sh", "-c", "echo machine $$; exec sleep infinity");
        this.machine =
                Long.parseLong(holder.awaitLine("machine ([0-9]+)", TIMEOUT).group(1));
        run("mkfifo", "/run/leave").outputOrFail();
    }

    Lab lab() {
        return lab;
    }

    LabNode node() {
        return node;
    }

    /**
     * Watches the machine's uplink. Apart from WireGuard to the provider, the machine itself may reject packets to a
     * tunnel that was taken down by ICMP.
     */
    Observer observe() {
        String server = lab.provider().publicIpv4();
        return lab.observe()
                .allowWireGuardTo(server, Provider.PORT)
                .allow(
                        "port unreachable",
                        packet -> packet.summary().equals("ICMP type 3 " + Lab.NODE_IPV4 + " to " + server));
    }

    /** Writes a file and returns its path. */
    String file(String name, String text) {
        return node.file(name, text);
    }

    /** Runs {@code culvert} with these arguments. */
    CommandResult culvert(String... arguments) {
        return run(with(PROGRAM, arguments));
    }

    /** Starts {@code culvert} with these arguments. */
    RunningProgram start(String... arguments) {
        return node.startOther(Map.of(), commandOnMachine(with(PROGRAM, arguments)));
    }

    /** Starts another program on the machine itself. */
    RunningProgram startOnMachine(String... command) {
        return node.startOther(Map.of(), commandOnMachine(command));
    }

    /** Runs another program on the machine itself. */
    CommandResult run(String... command) {
        return CommandResult.of(List.of(commandOnMachine(command)));
    }

    /** Lets a program continue that waits, or is about to wait. */
    void continueProgram() {
        run("timeout", Long.toString(TIMEOUT.toSeconds()), "sh", "-c", "echo > /run/leave")
                .outputOrFail();
    }

    private static String[] with(String first, String... others) {
        return Stream.concat(Stream.of(first), Arrays.stream(others)).toArray(String[]::new);
    }

    private String[] commandOnMachine(String... command) {
        List<String> all = new ArrayList<>(List.of(
                "nsenter",
                "--target",
                Long.toString(machine),
                "--mount",
                "--net",
                "--",
                "env",
                "-i",
                "PATH=" + System.getenv("PATH"),
                "LANG=C.UTF-8",
                // The tests themselves may run in a container.
                "CULVERT_CONTAINER=false"));
        all.addAll(List.of(command));
        return all.toArray(String[]::new);
    }

    /** Returns the command that tries all ways to send packets outside the tunnel. */
    static String[] leakAttempts() {
        return leakAttempts(System.getProperty("user.dir"));
    }

    /** Returns the same command for a checkout that is mounted at another path. */
    static String[] leakAttempts(String checkout) {
        // The classes depend on the last build: for the JVM or native.
        String absolute = Stream.of(
                        "test-classes",
                        "classes",
                        "culvert-app/lib/main/*",
                        "culvert-app/culvert-native-image-source-jar/lib/*")
                .map(one -> checkout + "/target/" + one)
                .collect(Collectors.joining(File.pathSeparator));
        return new String[] {
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            absolute,
            "io.culvert.lab.LeakAttempts",
            "eth0"
        };
    }

    /** Returns everything on the machine that may have been left behind. */
    String machineState() {
        return run("ip", "-o", "link").outputOrFail().replaceAll("qdisc \\S+", "")
                + run("ip", "route", "show", "table", "all").outputOrFail()
                + run("ip", "rule").outputOrFail()
                + run("nft", "list", "ruleset").outputOrFail()
                + run("ls", "/run/wireguard").out()
                + run("ls", "/run/netns").out()
                + run("cat", "/etc/resolv.conf").outputOrFail();
    }

    /** Returns the ids of this machine's processes, in any namespace, whose command line contains these words. */
    List<Long> pidsByCommandLine(String words) {
        return ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> {
                    try {
                        return Files.readString(Path.of("/proc", pid.toString(), "cmdline"))
                                        .replace('\0', ' ')
                                        .contains(words)
                                && Files.isSameFile(pipePath(pid), pipePath(machine));
                    } catch (IOException e) {
                        return false; // It has exited.
                    }
                })
                .toList();
    }

    /** Returns the path of the pipe as seen by a process; a process of another machine sees another file. */
    private static Path pipePath(long pid) {
        return Path.of("/proc", Long.toString(pid), "root/run/leave");
    }

    /** Kills the only process whose command line contains these words. */
    void killByCommandLine(String words) {
        List<Long> pids = pidsByCommandLine(words);
        assertThat(pids).as(words).hasSize(1);
        ProcessHandle process = ProcessHandle.of(pids.getFirst()).orElseThrow();
        process.destroyForcibly();
        assertThat(process.onExit()).succeedsWithin(TIMEOUT);
    }

    /** Waits until no daemon is left. */
    void awaitDaemonExit() {
        for (long pid : pidsByCommandLine(DAEMON)) {
            ProcessHandle.of(pid)
                    .ifPresent(daemon -> assertThat(daemon.onExit()).succeedsWithin(TIMEOUT));
        }
    }

    @Override
    public void close() {
        for (long pid : pidsByCommandLine(DAEMON)) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
        }
        awaitDaemonExit();
        lab.close();
    }
}
