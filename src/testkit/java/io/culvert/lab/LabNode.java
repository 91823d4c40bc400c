// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The node on which the program under test runs: a network namespace, and a sandbox with files of its own where the program
 * writes. Its /run, /etc/wireguard and /etc/resolv.conf are kept for the next program, as in a restarted container.
 */
public final class LabNode implements AutoCloseable {

    /** The launcher, which chooses between native and JVM, unless the property {@code culvert.program} names another program. */
    static final String PROGRAM = System.getProperty(
            "culvert.program", Path.of("culvert").toAbsolutePath().toString());

    /** The line that {@code culvert up} logs when it is ready. */
    public static final String READY = "(?i)\\bready\\b";

    /** The socket of the node's tailscaled, which is reachable from outside the sandbox too. */
    public static final String TAILSCALE_SOCKET = "/run/tailscaled.sock";

    private final LabNamespace namespace;
    private final String uplink;
    private final SandboxFiles files = new SandboxFiles(Lab.ROUTER_IPV4);
    private final List<RunningProgram> children = new ArrayList<>();
    private Sandbox sandbox = Sandbox.CONTAINER;

    LabNode(LabNamespace namespace, String uplink) {
        this.namespace = namespace;
        this.uplink = uplink;
        // As set by a container engine, since /proc/sys is read-only in a container.
        namespace.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
    }

    public LabNamespace namespace() {
        return namespace;
    }

    /** Sets the sandbox of the programs started from now on. */
    public LabNode in(Sandbox newSandbox) {
        sandbox = newSandbox;
        return this;
    }

    /** Returns the text of the node's /etc/resolv.conf. */
    public String resolvConf() {
        return files.read("resolv.conf");
    }

    /** Waits until the node's /etc/resolv.conf contains this text, or for the timeout, and returns the whole text. */
    public String awaitResolvConf(String text, Duration timeout) {
        return files.await("resolv.conf", text, ScaledTimeout.of(timeout));
    }

    /** Replaces the text of the node's /etc/resolv.conf. */
    public LabNode resolvConf(String text) {
        files.write("resolv.conf", text);
        return this;
    }

    /** Adds a line to the node's /etc/hosts. */
    public LabNode host(String address, String name) {
        files.write("hosts", files.read("hosts") + address + " " + name + "\n");
        return this;
    }

    /** Writes a file to the node's /etc/wireguard. */
    public LabNode wireGuardFile(String name, String text) {
        files.write("wireguard/" + name, text);
        return this;
    }

    /** Writes a file to the node and returns its path there. */
    public String file(String name, String text) {
        return files.write(name, text).toString();
    }

    /** Returns the node's /run, as seen from outside the sandbox. */
    public Path run() {
        return files.root().resolve("run");
    }

    /** Returns the node's /var/lib, as seen from outside the sandbox. */
    public Path lib() {
        return files.root().resolve("lib");
    }

    /** Makes the node's programs trust Headscale's certificate, as a file mounted into a container does. */
    LabNode trustHeadscale() {
        files.trust(Certificate.HEADSCALE);
        return this;
    }

    /** Returns the node's tailscaled, if its socket is {@link #TAILSCALE_SOCKET}. */
    public TailscaleCli tailscale() {
        return new TailscaleCli(files.root().resolve(TAILSCALE_SOCKET.substring(1)));
    }

    /** Starts the program with these settings and no other environment. */
    public RunningProgram start(Map<String, String> settings, String... arguments) {
        return start("culvert " + String.join(" ", arguments), program(withContainerSetting(settings), arguments));
    }

    /** Starts another program in the same sandbox, with these settings and no other environment. */
    public RunningProgram startOther(Map<String, String> settings, String... command) {
        return start(command[0], environment(withContainerSetting(settings), List.of(command)));
    }

    /** Starts the program with these settings under nohup, which has it begin with SIGHUP ignored. */
    public RunningProgram startUnderNohup(Map<String, String> settings, String... arguments) {
        List<String> command = new ArrayList<>(List.of("nohup", PROGRAM));
        command.addAll(List.of(arguments));
        return startOther(settings, command.toArray(String[]::new));
    }

    /** Starts the program with these settings; strace, as its descendant, writes its system calls to a file. */
    public RunningProgram startTraced(Path trace, String calls, Map<String, String> settings, String... arguments) {
        List<String> command = new ArrayList<>(
                List.of("strace", "--daemonize", "--follow-forks", "--output=" + trace, "--trace=" + calls, PROGRAM));
        command.addAll(List.of(arguments));
        return startOther(settings, command.toArray(String[]::new));
    }

    /** Starts the program with these settings; strace, as its descendant, holds every access to a file up for a minute. */
    public RunningProgram startHeldUpAt(String file, Map<String, String> settings, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                "strace",
                "--daemonize",
                "--follow-forks",
                "--output=/run/strace",
                "--trace=%file",
                "--trace-path=" + file,
                "--inject=%file:delay_enter=60000000",
                PROGRAM));
        command.addAll(List.of(arguments));
        return startOther(settings, command.toArray(String[]::new));
    }

    private RunningProgram start(String name, List<String> command) {
        RunningProgram child = RunningProgram.start(name, sandboxed(command));
        children.add(child);
        return child;
    }

    /** Runs the program to its end with these settings and no other environment. */
    public CommandResult run(Map<String, String> settings, String... arguments) {
        return CommandResult.of(sandboxed(program(withContainerSetting(settings), arguments)));
    }

    /** Runs another program in the same sandbox to its end. */
    public CommandResult attempt(String... command) {
        return CommandResult.of(sandboxed(List.of(command)));
    }

    /**
     * Sends a frame that nftables cannot block, as a packet socket bypasses it: an observer that does not see it cannot detect
     * leaks. It is a broadcast of an experimental type (IEEE 802, 0x88b5).
     */
    public void sendFrameBypassingNetfilter() {
        String frame = "ffffffffffff" + Lab.NODE_MAC.replace(":", "") + "88b5" + "00".repeat(46);
        try {
            namespace.call(() -> {
                try (PacketSocket socket = PacketSocket.on(uplink)) {
                    socket.send(HexFormat.of().parseHex(frame));
                }
                return true;
            });
        } catch (Exception e) {
            throw new AssertionError("sending a frame", e);
        }
    }

    private Map<String, String> withContainerSetting(Map<String, String> settings) {
        if (!sandbox.isMachine() || settings.keySet().stream().anyMatch(name -> name.startsWith("CULVERT_CONTAINER"))) {
            return settings;
        }
        Map<String, String> all = new HashMap<>(settings);
        all.put("CULVERT_CONTAINER", "false");
        return all;
    }

    private static List<String> program(Map<String, String> settings, String... arguments) {
        List<String> command = new ArrayList<>(List.of(PROGRAM));
        command.addAll(List.of(arguments));
        return environment(settings, command);
    }

    /** Returns the variable that selects the JVM or the native program, if it is set for the tests. */
    private static List<String> programSelection() {
        return Optional.ofNullable(System.getenv("CULVERT_PROGRAM")).map(kind -> "CULVERT_PROGRAM=" + kind).stream()
                .toList();
    }

    private static List<String> environment(Map<String, String> settings, List<String> command) {
        List<String> all = new ArrayList<>(List.of("env", "-i", "PATH=" + System.getenv("PATH"), "LANG=C.UTF-8"));
        all.addAll(programSelection());
        settings.forEach((name, value) -> all.add(name + "=" + value));
        all.addAll(command);
        return all;
    }

    private List<String> sandboxed(List<String> command) {
        return namespace.inside(sandbox.command(files, command));
    }

    @Override
    public void close() {
        children.reversed().forEach(RunningProgram::close);
        // Programs that still run, such as a killed node's children.
        CommandResult.of(List.of("ip", "netns", "pids", namespace.name()))
                .out()
                .lines()
                .forEach(pid -> CommandResult.of(List.of("kill", "-KILL", pid)));
        files.close();
    }
}
