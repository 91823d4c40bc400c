// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.linux.Account;
import io.culvert.linux.Capabilities;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The directory with the node's state: the one in {@code TS_STATE_DIR}, or {@code state} in it. If its name is
 * {@code tailscale}, tailscaled makes it private, and if it may not, as the directory belongs to another user, it never
 * logs in (tailscale: paths/paths_unix.go, ensureStateDirPermsUnix; ipn/ipnlocal/local.go, StateStoreHealth). This is
 * the case for the directory of an image or a volume if Culvert does not run as root.
 *
 * @param root {@code /} except in tests
 * @param named the value of {@code TS_STATE_DIR}
 */
record StateDirectory(Path root, Path named) {

    private static final Location SETTING = Location.setting("TS_STATE_DIR");
    private static final String SUBDIRECTORY = "state";

    /** tailscaled's state file (tailscale: cmd/tailscaled/tailscaled.go, statePathOrDefault). */
    private static final String FILE = "tailscaled.state";

    /** File systems in memory or of the container's own layer, which do not outlive the container. */
    private static final Set<String> VOLATILE_FILE_SYSTEMS = Set.of("overlay", "tmpfs", "ramfs", "fuse.fuse-overlayfs");

    /**
     * Returns the directory for tailscaled. State that is in the inner one is used there, whoever owns the outer one
     * now.
     */
    Path effective() {
        Path subdirectory = named.resolve(SUBDIRECTORY);
        return !canBePrivate() || (hasState(subdirectory) && !hasState(named)) ? subdirectory : named;
    }

    /** Creates the directory, and returns why the node's state cannot be kept there, if it cannot. */
    List<Problem> prepare() {
        Path directory = onThisMachine(named);
        try {
            Files.createDirectories(directory);
        } catch (IOException _) {
            return List.of(Problem.machine(
                    SETTING, named + " does not exist and cannot be created", "mount a writable volume at this path"));
        }
        Path effective = effective();
        Optional<Path> unwritable = List.of(named, effective).stream()
                .filter(it -> Files.exists(onThisMachine(it)) && !Files.isWritable(onThisMachine(it)))
                .findFirst();
        if (unwritable.isPresent()) {
            return List.of(Problem.machine(
                    SETTING,
                    unwritable.get() + " is not writable",
                    "mount it without :ro, and make it writable for this user"));
        }
        List<Problem> remarks = new ArrayList<>();
        if (!effective.equals(named)) {
            remarks.add(Problem.note(
                    SETTING, named + " belongs to another user: the node's state is kept in " + effective));
        }
        if (isVolatile(directory)) {
            remarks.add(Problem.warning(
                    SETTING,
                    named + " is part of the container: the node's state is lost with it, and the next container is a"
                            + " new node",
                    "mount a volume at this path"));
        }
        return remarks;
    }

    /** Returns whether the directories or a file in them belong to another user, so that writing needs capabilities. */
    boolean belongsToAnotherUser() {
        Path effective = onThisMachine(effective());
        try (Stream<Path> files = Files.isDirectory(effective) ? Files.list(effective) : Stream.empty()) {
            return Stream.concat(Stream.of(onThisMachine(named), effective), files)
                    .filter(Files::exists)
                    .anyMatch(StateDirectory::belongsToAnotherUser);
        } catch (IOException | UncheckedIOException _) {
            return true;
        }
    }

    private static boolean belongsToAnotherUser(Path file) {
        try {
            return !Files.getAttribute(file, "unix:uid").equals(Account.effectiveUser());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path onThisMachine(Path path) {
        return root.resolve(Path.of("/").relativize(path));
    }

    private boolean hasState(Path directory) {
        return Files.exists(onThisMachine(directory).resolve(FILE));
    }

    private boolean canBePrivate() {
        if (!named.endsWith("tailscale")) {
            return true;
        }
        try {
            Path directory = onThisMachine(named);
            return Files.getAttribute(directory, "unix:uid").equals(Account.effectiveUser())
                    || Files.getPosixFilePermissions(directory).equals(PosixFilePermissions.fromString("rwx------"))
                    || Capabilities.read(root.resolve("proc")).has(Capabilities.FOWNER);
        } catch (IOException _) {
            // It does not exist yet, or tailscaled reports the error.
            return true;
        }
    }

    private static boolean isVolatile(Path directory) {
        try {
            return VOLATILE_FILE_SYSTEMS.contains(Files.getFileStore(directory).type());
        } catch (IOException _) {
            return false;
        }
    }
}
