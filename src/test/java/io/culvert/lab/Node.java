package io.culvert.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The box in which the program under test runs: the node's network, and a file system of its own where the program writes.
 * What it leaves in /run, /etc/wireguard and /etc/resolv.conf is there for the next program in the box, as in a restarted
 * container.
 */
public final class Node implements AutoCloseable {

    /** What was built: the launcher chooses, unless the property {@code culvert.program} names another. */
    static final String PROGRAM = System.getProperty(
            "culvert.program", Path.of("culvert").toAbsolutePath().toString());

    /** The line with which {@code culvert up} says that it works. */
    public static final String READY = "(?i)\\bready\\b";

    private final Namespace space;
    private final String uplink;
    private final Path files;
    private final List<Child> children = new ArrayList<>();
    private Box box = Box.CONTAINER;

    Node(Namespace space, String uplink) {
        this.space = space;
        this.uplink = uplink;
        try {
            files = Files.createTempDirectory("culvert-lab");
            Files.createDirectories(files.resolve("run/wireguard"));
            Files.createDirectories(files.resolve("wireguard"));
            Files.writeString(files.resolve("resolv.conf"), "nameserver " + Lab.ROUTER_4 + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // As container engines are told to set them, since /proc/sys is read-only inside.
        space.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
    }

    public Namespace space() {
        return space;
    }

    /** The confinement of what runs from now on. */
    public Node in(Box confinement) {
        box = confinement;
        return this;
    }

    /** The text of the node's /etc/resolv.conf. */
    public String resolvConf() {
        try {
            return Files.readString(files.resolve("resolv.conf"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Replaces the text of the node's /etc/resolv.conf. */
    public Node resolvConf(String text) {
        return write(files.resolve("resolv.conf"), text);
    }

    /** Puts a file into the node's /etc/wireguard. */
    public Node wireGuardFile(String name, String text) {
        return write(files.resolve("wireguard").resolve(name), text);
    }

    /** Puts a file somewhere in the node; its path there. */
    public String file(String name, String text) {
        Path path = files.resolve(name);
        write(path, text);
        return path.toString();
    }

    /** Where the node's /run is, seen from outside the box. */
    public Path run() {
        return files.resolve("run");
    }

    private Node write(Path path, String text) {
        try {
            Files.writeString(path, text);
            // Some hold secrets; nobody else may read them, as programs rightly warn.
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** Starts the program with these settings and no other environment. */
    public Child start(Map<String, String> settings, String... arguments) {
        Child child = Child.start("culvert " + String.join(" ", arguments), boxed(program(settings, arguments)));
        children.add(child);
        return child;
    }

    /** Runs the program to its end with these settings and no other environment. */
    public Outcome run(Map<String, String> settings, String... arguments) {
        return Outcome.of(boxed(program(settings, arguments)));
    }

    /** Runs another program in the same box, which sees the same files. */
    public Outcome attempt(String... command) {
        return Outcome.of(boxed(List.of(command)));
    }

    /**
     * Sends one frame that no guard can stop, since it goes out below them: if an observer does not see it, its silence means
     * nothing. It is for nobody, and of a type for experiments (IEEE 802, 0x88b5).
     */
    public void sendFramePastAnyGuard() {
        String frame = "ffffffffffff" + Lab.NODE_MAC.replace(":", "") + "88b5" + "00".repeat(46);
        try {
            space.call(() -> {
                try (PacketSocket socket = PacketSocket.on(uplink)) {
                    socket.send(HexFormat.of().parseHex(frame));
                }
                return true;
            });
        } catch (Exception e) {
            throw new AssertionError("sending a frame", e);
        }
    }

    private static List<String> program(Map<String, String> settings, String... arguments) {
        List<String> command = new ArrayList<>(List.of("env", "-i", "PATH=" + System.getenv("PATH"), "LANG=C.UTF-8"));
        settings.forEach((name, value) -> command.add(name + "=" + value));
        command.add(PROGRAM);
        command.addAll(Arrays.asList(arguments));
        return command;
    }

    private List<String> boxed(List<String> command) {
        StringBuilder script = new StringBuilder("set -e\n");
        if (box.readOnlySysctl()) {
            script.append("mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys\n");
        }
        if (!box.tun()) {
            script.append("mount -t tmpfs none /dev/net\n");
        }
        script.append("""
                mount --bind "$1/resolv.conf" /etc/resolv.conf
                mount --bind "$1/wireguard" /etc/wireguard
                mount -n --bind "$1/run" /run
                shift
                """);
        String bounds = box.capabilities().isEmpty()
                ? ""
                : "setpriv --bounding-set -all,+" + String.join(",+", box.capabilities()) + " ";
        script.append("exec ").append(bounds).append("\"$@\"\n");
        List<String> all = new ArrayList<>(space.inside(List.of("unshare", "--mount")));
        if (box.process1()) {
            all.addAll(List.of("--pid", "--fork", "--mount-proc", "--kill-child"));
        }
        all.addAll(List.of("sh", "-c", script.toString(), "box", files.toString()));
        all.addAll(command);
        return all;
    }

    @Override
    public void close() {
        children.reversed().forEach(Child::close);
        // Programs that were left behind, such as a killed node's children.
        Outcome.of(List.of("ip", "netns", "pids", space.name()))
                .out()
                .lines()
                .forEach(pid -> Outcome.of(List.of("kill", "-KILL", pid)));
        try (Stream<Path> all = Files.walk(files)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
