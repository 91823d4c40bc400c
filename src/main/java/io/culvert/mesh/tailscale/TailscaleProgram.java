package io.culvert.mesh.tailscale;

import io.culvert.linux.Capabilities;
import io.culvert.linux.Privileges;
import io.culvert.network.Machine;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import io.culvert.process.ChildSpec;
import io.culvert.process.Kin;
import io.culvert.process.ProgramDirectories;
import io.culvert.settings.TailscaleSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Containerboot and what it starts in turn, and what they need of the machine.
 *
 * @param directories where the programs are looked for first, before the system's
 * @param root {@code /} but in tests
 */
public record TailscaleProgram(TailscaleSettings settings, List<Path> directories, Path root) {

    static final String NAME = "containerboot";

    private static final List<String> PROGRAMS = List.of(NAME, "tailscaled", "tailscale");

    /**
     * A stop takes a quarter of a second as a rule; services that have to be withdrawn, 25 s at most (tailscale:
     * cmd/containerboot/main.go).
     */
    private static final Duration GRACE = Duration.ofSeconds(30);

    /** What containerboot left behind ends by SIGTERM within half a second, its rules and routes with it. */
    private static final Duration LEFT_BEHIND = Duration.ofSeconds(1);

    public TailscaleProgram {
        directories = List.copyOf(directories);
    }

    /** All that keeps it from running, and what will surprise later; makes the directory of the state. */
    public List<Problem> missing(Machine machine) {
        Problems problems = new Problems();
        directory().map(Omissions::of).ifPresent(it -> it.missed(settings).forEach(problems::add));
        if (directory().isEmpty()) {
            problems.add(Problem.machine(
                    Place.machine(NAME),
                    "there is no Tailscale here: " + String.join(", ", PROGRAMS) + " have to be in one directory",
                    "use Culvert's image, which has them, or set CULVERT_MESH=none"));
        }
        if (!machine.tunDevice()) {
            problems.add(Problem.machine(
                    Place.machine("/dev/net/tun"),
                    "cannot be opened, and Tailscale makes its interface by it",
                    Hints.here().tunDevice()));
        }
        state().map(StateDirectory::prepare).ifPresent(problems::addAll);
        problems.addAll(ConfigDirectory.of(settings, root).problems());
        if (settings.ephemeral()) {
            problems.add(Problem.warning(
                    Place.setting("TS_STATE_DIR"),
                    "is not set, so the node's identity is kept nowhere: each start makes another node",
                    "mount a volume and name it: TS_STATE_DIR=/var/lib/tailscale"));
        }
        return problems.all();
    }

    private Optional<StateDirectory> state() {
        return settings.stateDirectory().map(named -> new StateDirectory(root, named));
    }

    /** With which it is started now, after what an earlier one left behind was cleared away. */
    ChildSpec next(boolean offered, boolean reset) {
        clearAway();
        Path programs = directory().orElse(ProgramDirectories.SYSTEM.getFirst());
        Map<String, String> environment = new TreeMap<>(settings.environment());
        environment.putAll(kin().environment());
        environment.put("PATH", path(programs));
        state().ifPresent(it -> environment.put("TS_STATE_DIR", it.used().toString()));
        if (!settings.configured()) {
            environment.put("TS_EXTRA_ARGS", arguments(offered, reset));
        }
        return new ChildSpec(NAME, programs.resolve(NAME), List.of(), environment, privileges(), GRACE);
    }

    /**
     * Its interface, its nftables, rules and routes, and the mark of its sockets take {@code NET_ADMIN}; finding paths to peers
     * by raw sockets takes {@code NET_RAW} (tailscale: wgengine/magicsock/magicsock_linux.go); its proxies and its metrics may
     * listen on low ports. Files of others it uses only where its state is kept in a directory of theirs. Its SSH server makes
     * users of its clients, and needs all that there is.
     */
    private Privileges privileges() {
        if (settings.upArguments().truth("ssh").orElse(false)) {
            return Privileges.ALL;
        }
        Set<Integer> capabilities =
                new HashSet<>(Set.of(Capabilities.NET_ADMIN, Capabilities.NET_RAW, Capabilities.NET_BIND_SERVICE));
        if (state().filter(StateDirectory::isOfAnother).isPresent()) {
            capabilities.addAll(Set.of(Capabilities.DAC_OVERRIDE, Capabilities.FOWNER));
        }
        return Privileges.keeping(capabilities);
    }

    /**
     * The offer is always mentioned, also when it is none: a node that remembers having offered the exit would otherwise
     * refuse all arguments.
     */
    private String arguments(boolean offered, boolean reset) {
        List<String> all = new ArrayList<>();
        all.add(settings.upArguments().toString());
        all.add("--advertise-exit-node=" + offered);
        if (reset) {
            all.add("--reset");
        }
        return String.join(" ", all).strip();
    }

    /**
     * Ends what outlived its containerboot, and removes the socket, which containerboot would take for that of its own
     * tailscaled, and the link to it, over which it stumbles.
     */
    void clearAway() {
        kin().end(LEFT_BEHIND);
        delete(settings.socket());
        Path link = root.resolve("var/run/tailscale/tailscaled.sock");
        if (Files.isSymbolicLink(link)) {
            delete(link);
        }
    }

    /** Everything that was started for the same socket, by an earlier run of ours too. */
    Kin kin() {
        return new Kin(NAME + " " + settings.socket());
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException _) {
            // Containerboot says what comes of it.
        }
    }

    private Optional<Path> directory() {
        return Stream.concat(directories.stream(), ProgramDirectories.SYSTEM.stream())
                .filter(directory -> PROGRAMS.stream().allMatch(it -> Files.isExecutable(directory.resolve(it))))
                .findFirst();
    }

    private static String path(Path first) {
        return String.join(
                ":",
                Stream.concat(Stream.of(first), ProgramDirectories.SYSTEM.stream())
                        .distinct()
                        .map(Path::toString)
                        .toList());
    }
}
