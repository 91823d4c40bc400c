package io.culvert.confinement;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Node;
import io.culvert.lab.Observer;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
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
 * A machine in the lab on which programs are confined. In contrast to a box, which has new mounts for each command, it
 * stays the same machine between commands.
 */
final class ConfinementLab implements AutoCloseable {

    /** In the command line of the userspace WireGuard of a namespace. */
    static final String WIREGUARD = " cv-";

    /** In the command line of a namespace daemon. */
    static final String KEEPER = "netns keep";

    /**
     * A shell command that waits for the test. It is run by a child, as the shell may be the parent of the daemon,
     * which it has to reap meanwhile.
     */
    static final String AWAIT_LEAVE = "cat /run/leave > /dev/null";

    static final Duration SOON = Duration.ofSeconds(60);

    private static final String PROGRAM = System.getProperty(
            "culvert.program", Path.of("culvert").toAbsolutePath().toString());

    private final Lab lab;
    private final Node node;
    private final long machine;

    ConfinementLab(Shape shape) {
        this.lab = Lab.open(shape);
        this.node = lab.node().in(Box.MACHINE);
        Child holder = node.startOther(Map.of(), "sh", "-c", "echo machine $$; exec sleep infinity");
        this.machine = Long.parseLong(holder.awaitLine("machine ([0-9]+)", SOON).group(1));
        run("mkfifo", "/run/leave").orFail();
    }

    Lab lab() {
        return lab;
    }

    Node node() {
        return node;
    }

    /**
     * Watches the machine's uplink. Apart from WireGuard to the provider, the machine itself may reject packets to a
     * tunnel that was taken down by ICMP.
     */
    Observer observe() {
        String server = lab.provider().outer4();
        return lab.observe()
                .allowWireGuardTo(server, Provider.PORT)
                .allow(
                        "port unreachable",
                        packet -> packet.summary().equals("ICMP type 3 " + Lab.NODE_4 + " to " + server));
    }

    /** Writes a file and returns its path. */
    String file(String name, String text) {
        return node.file(name, text);
    }

    /** Runs {@code culvert} with these arguments. */
    Outcome culvert(String... arguments) {
        return run(with(PROGRAM, arguments));
    }

    /** Starts {@code culvert} with these arguments. */
    Child start(String... arguments) {
        return node.startOther(Map.of(), onMachine(with(PROGRAM, arguments)));
    }

    /** Starts another program on the machine itself. */
    Child startHere(String... command) {
        return node.startOther(Map.of(), onMachine(command));
    }

    /** Runs another program on the machine itself. */
    Outcome run(String... command) {
        return Outcome.of(List.of(onMachine(command)));
    }

    /** Lets a program continue that waits, or is about to wait. */
    void leave() {
        run("timeout", Long.toString(SOON.toSeconds()), "sh", "-c", "echo > /run/leave")
                .orFail();
    }

    private static String[] with(String first, String... others) {
        return Stream.concat(Stream.of(first), Arrays.stream(others)).toArray(String[]::new);
    }

    private String[] onMachine(String... command) {
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
    static String[] escape() {
        return escape(System.getProperty("user.dir"));
    }

    /** Returns the same command for a checkout that is mounted at another path. */
    static String[] escape(String checkout) {
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
            "io.culvert.lab.Escape",
            "eth0"
        };
    }

    /** Returns everything on the machine that may have been left behind. */
    String everything() {
        return run("ip", "-o", "link").orFail().replaceAll("qdisc \\S+", "")
                + run("ip", "route", "show", "table", "all").orFail()
                + run("ip", "rule").orFail()
                + run("nft", "list", "ruleset").orFail()
                + run("ls", "/run/wireguard").out()
                + run("ls", "/run/netns").out()
                + run("cat", "/etc/resolv.conf").orFail();
    }

    /** Returns the ids of this machine's processes, in any namespace, whose command line contains these words. */
    List<Long> pids(String words) {
        return ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> {
                    try {
                        return Files.readString(Path.of("/proc", pid.toString(), "cmdline"))
                                        .replace('\0', ' ')
                                        .contains(words)
                                && Files.isSameFile(leave(pid), leave(machine));
                    } catch (IOException e) {
                        return false; // It has exited.
                    }
                })
                .toList();
    }

    /** Returns the path as a process sees it, as another machine has other files. */
    private static Path leave(long pid) {
        return Path.of("/proc", Long.toString(pid), "root/run/leave");
    }

    /** Kills the only process whose command line contains these words. */
    void kill(String words) {
        List<Long> found = pids(words);
        assertThat(found).as(words).hasSize(1);
        ProcessHandle process = ProcessHandle.of(found.getFirst()).orElseThrow();
        process.destroyForcibly();
        assertThat(process.onExit()).succeedsWithin(SOON);
    }

    /** Waits until no daemon is left. */
    void awaitNoKeeper() {
        for (long pid : pids(KEEPER)) {
            ProcessHandle.of(pid)
                    .ifPresent(keeper -> assertThat(keeper.onExit()).succeedsWithin(SOON));
        }
    }

    @Override
    public void close() {
        for (long pid : pids(KEEPER)) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
        }
        awaitNoKeeper();
        lab.close();
    }
}
