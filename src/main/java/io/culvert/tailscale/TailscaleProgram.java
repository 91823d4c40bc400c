// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.linux.Capabilities;
import io.culvert.linux.Privileges;
import io.culvert.process.ChildSpec;
import io.culvert.process.ProgramDirectories;
import io.culvert.process.TaggedProcesses;
import io.culvert.rtnl.Machine;
import io.culvert.settings.TailscaleSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Containerboot, the programs that it starts, and what they require of the machine.
 *
 * @param directories searched for the programs before those of the system
 * @param root {@code /} except in tests
 */
public record TailscaleProgram(TailscaleSettings settings, List<Path> directories, Path root) {

    static final String NAME = "containerboot";

    private static final List<String> PROGRAMS = List.of(NAME, "tailscaled", "tailscale");

    /**
     * A stop usually takes a quarter of a second; withdrawing services takes up to 25 s (tailscale:
     * cmd/containerboot/main.go).
     */
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(30);

    /**
     * Processes that containerboot left behind exit within half a second of SIGTERM, and remove their rules and routes.
     */
    private static final Duration LEFTOVER_TIMEOUT = Duration.ofSeconds(1);

    public TailscaleProgram {
        directories = List.copyOf(directories);
    }

    /** Returns missing requirements and warnings, and creates the state directory. */
    public List<Problem> unmetRequirements(Machine machine) {
        Problems problems = new Problems();
        programDirectory()
                .map(BuildOmissions::of)
                .ifPresent(it -> it.requiredFeatures(settings).forEach(problems::add));
        if (programDirectory().isEmpty()) {
            problems.add(noPrograms());
        }
        if (!machine.tunDevice()) {
            problems.add(Problem.machine(
                    Location.machine("/dev/net/tun"),
                    "cannot be opened, but Tailscale requires it",
                    Hints.here().tunDevice()));
        }
        state().map(StateDirectory::prepare).ifPresent(problems::addAll);
        unwritableSocketDirectory().ifPresent(problems::add);
        problems.addAll(ConfigDirectory.of(settings, root).problems());
        if (settings.ephemeral()) {
            problems.add(Problem.warning(
                    Location.setting("TS_STATE_DIR"),
                    "is not set, so the node's state is not kept: each start registers a new node",
                    "mount a volume and set TS_STATE_DIR to its path: TS_STATE_DIR=/var/lib/tailscale"));
        }
        return problems.all();
    }

    /** Without its socket, tailscaled ends, and containerboot waits for it for a minute and says only that. */
    private Optional<Problem> unwritableSocketDirectory() {
        return Stream.iterate(settings.socket().getParent(), Objects::nonNull, Path::getParent)
                .filter(Files::exists)
                .findFirst()
                .filter(directory -> !Files.isWritable(directory))
                .map(directory -> Problem.machine(
                        Location.setting("TS_SOCKET"),
                        directory + " is not writable, so tailscaled cannot create its socket there",
                        "set TS_SOCKET=/run/tailscaled.sock, or " + Hints.here().makeWritable(directory.toString())));
    }

    private Problem noPrograms() {
        if (searchedDirectories().anyMatch(it -> BuildOmissions.of(it).isWholeTailscale())) {
            return Problem.input(
                    Location.setting("CULVERT_MESH"),
                    "is tailscale, its default, but the wireguard image does not include Tailscale",
                    "use the full or the minimal image (a tag without '-wireguard'), or set CULVERT_MESH=wireguard or"
                            + " CULVERT_MESH=none");
        }
        return Problem.machine(
                Location.machine(NAME),
                "Tailscale is not installed: " + String.join(", ", PROGRAMS) + " must be in one directory",
                "use the Culvert image, which contains them, or set CULVERT_MESH=none");
    }

    private Optional<StateDirectory> state() {
        return settings.stateDirectory().map(named -> new StateDirectory(root, named));
    }

    /** Returns the specification of the next start, after cleaning up what an earlier run left behind. */
    ChildSpec nextStart(boolean offered, boolean reset) {
        removeLeftovers();
        Path programs = programDirectory().orElse(ProgramDirectories.SYSTEM.getFirst());
        Map<String, String> environment = new TreeMap<>(settings.environment());
        environment.putAll(taggedProcesses().environment());
        environment.put("PATH", path(programs));
        state().ifPresent(it -> environment.put("TS_STATE_DIR", it.effective().toString()));
        if (!settings.configured()) {
            environment.put("TS_EXTRA_ARGS", arguments(offered, reset));
        }
        return new ChildSpec(NAME, programs.resolve(NAME), List.of(), environment, privileges(), STOP_TIMEOUT);
    }

    /**
     * The interface, nftables, rules, routes and socket marks need {@code NET_ADMIN}; finding paths to peers by raw
     * sockets needs {@code NET_RAW} (tailscale: wgengine/magicsock/magicsock_linux.go); its proxies and metrics may
     * listen on low ports. It needs access to files of other users only if its state is in a directory of another user.
     * Its SSH server switches to the users of its clients, and needs all capabilities.
     */
    private Privileges privileges() {
        if (settings.upArguments().booleanValue("ssh").orElse(false)) {
            return Privileges.ALL;
        }
        Set<Integer> capabilities =
                new HashSet<>(Set.of(Capabilities.NET_ADMIN, Capabilities.NET_RAW, Capabilities.NET_BIND_SERVICE));
        if (state().filter(StateDirectory::belongsToAnotherUser).isPresent()) {
            capabilities.addAll(Set.of(Capabilities.DAC_OVERRIDE, Capabilities.FOWNER));
        }
        return Privileges.withCapabilities(capabilities);
    }

    /**
     * Always includes --advertise-exit-node, even if false: a node that has it in its saved state would otherwise
     * reject all arguments.
     */
    private String arguments(boolean offered, boolean reset) {
        List<String> words = new ArrayList<>();
        words.add(settings.upArguments().toString());
        words.add("--advertise-exit-node=" + offered);
        if (reset) {
            words.add("--reset");
        }
        return String.join(" ", words).strip();
    }

    /**
     * Ends processes that outlived their containerboot, and removes the socket, which containerboot would mistake for
     * that of its own tailscaled, and the symbolic link to it, which would make it fail.
     */
    void removeLeftovers() {
        taggedProcesses().stopAll(LEFTOVER_TIMEOUT);
        delete(settings.socket());
        Path link = root.resolve("var/run/tailscale/tailscaled.sock");
        if (Files.isSymbolicLink(link)) {
            delete(link);
        }
    }

    /** Returns the processes that were started for the same socket, including those of an earlier run. */
    TaggedProcesses taggedProcesses() {
        return new TaggedProcesses(NAME + " " + settings.socket());
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException _) {
            // Containerboot reports an error if that is a problem.
        }
    }

    private Optional<Path> programDirectory() {
        return searchedDirectories()
                .filter(programDirectory ->
                        PROGRAMS.stream().allMatch(it -> Files.isExecutable(programDirectory.resolve(it))))
                .findFirst();
    }

    private Stream<Path> searchedDirectories() {
        return Stream.concat(directories.stream(), ProgramDirectories.SYSTEM.stream());
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
