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

    /** Where a test lets the node's tailscaled listen, so that it can be reached from outside the box. */
    public static final String TAILSCALE_SOCKET = "/run/tailscaled.sock";

    private final Namespace space;
    private final String uplink;
    private final Disk disk = new Disk(Lab.ROUTER_4);
    private final List<Child> children = new ArrayList<>();
    private Box box = Box.CONTAINER;

    Node(Namespace space, String uplink) {
        this.space = space;
        this.uplink = uplink;
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
        return disk.read("resolv.conf");
    }

    /** Waits until the node's /etc/resolv.conf holds this text; whatever it is at the deadline otherwise. */
    public String awaitResolvConf(String text, Duration deadline) {
        return disk.await("resolv.conf", text, Patience.of(deadline));
    }

    /** Replaces the text of the node's /etc/resolv.conf. */
    public Node resolvConf(String text) {
        disk.write("resolv.conf", text);
        return this;
    }

    /** Adds a line to the node's /etc/hosts. */
    public Node host(String address, String name) {
        disk.write("hosts", disk.read("hosts") + address + " " + name + "\n");
        return this;
    }

    /** Puts a file into the node's /etc/wireguard. */
    public Node wireGuardFile(String name, String text) {
        disk.write("wireguard/" + name, text);
        return this;
    }

    /** Puts a file somewhere in the node; its path there. */
    public String file(String name, String text) {
        return disk.write(name, text).toString();
    }

    /** Where the node's /run is, seen from outside the box. */
    public Path run() {
        return disk.root().resolve("run");
    }

    /** Where the node's /var/lib is, seen from outside the box. */
    public Path lib() {
        return disk.root().resolve("lib");
    }

    /** Makes the node's programs trust Headscale's certificate, as a mounted file does in a container. */
    Node trustHeadscale() {
        disk.trust(Certificate.HEADSCALE);
        return this;
    }

    /** The node's tailscaled, when its socket is {@link #TAILSCALE_SOCKET}. */
    public Tailscale tailscale() {
        return new Tailscale(disk.root().resolve(TAILSCALE_SOCKET.substring(1)));
    }

    /** Starts the program with these settings and no other environment. */
    public Child start(Map<String, String> settings, String... arguments) {
        return start("culvert " + String.join(" ", arguments), program(placed(settings), arguments));
    }

    /** Starts another program in the same box, with these settings and no other environment. */
    public Child startOther(Map<String, String> settings, String... command) {
        return start(command[0], environment(placed(settings), List.of(command)));
    }

    private Child start(String name, List<String> command) {
        Child child = Child.start(name, boxed(command));
        children.add(child);
        return child;
    }

    /** Runs the program to its end with these settings and no other environment. */
    public Outcome run(Map<String, String> settings, String... arguments) {
        return Outcome.of(boxed(program(placed(settings), arguments)));
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

    private Map<String, String> placed(Map<String, String> settings) {
        if (!box.isMachine() || settings.keySet().stream().anyMatch(name -> name.startsWith("CULVERT_CONTAINER"))) {
            return settings;
        }
        Map<String, String> placed = new HashMap<>(settings);
        placed.put("CULVERT_CONTAINER", "false");
        return placed;
    }

    private static List<String> program(Map<String, String> settings, String... arguments) {
        List<String> command = new ArrayList<>(List.of(PROGRAM));
        command.addAll(List.of(arguments));
        return environment(settings, command);
    }

    /** Whether the launcher is to take the JVM's program or the native one, where that is not left to it. */
    private static List<String> kind() {
        return Optional.ofNullable(System.getenv("CULVERT_PROGRAM")).map(kind -> "CULVERT_PROGRAM=" + kind).stream()
                .toList();
    }

    private static List<String> environment(Map<String, String> settings, List<String> command) {
        List<String> all = new ArrayList<>(List.of("env", "-i", "PATH=" + System.getenv("PATH"), "LANG=C.UTF-8"));
        all.addAll(kind());
        settings.forEach((name, value) -> all.add(name + "=" + value));
        all.addAll(command);
        return all;
    }

    private List<String> boxed(List<String> command) {
        return space.inside(box.around(disk, command));
    }

    @Override
    public void close() {
        children.reversed().forEach(Child::close);
        // Programs that were left behind, such as a killed node's children.
        Outcome.of(List.of("ip", "netns", "pids", space.name()))
                .out()
                .lines()
                .forEach(pid -> Outcome.of(List.of("kill", "-KILL", pid)));
        disk.close();
    }
}
