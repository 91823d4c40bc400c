package io.culvert.mesh.tailscale;

import io.culvert.linux.Account;
import io.culvert.linux.Capabilities;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
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
 * Where the node's identity is kept: the directory that {@code TS_STATE_DIR} names, or {@code state} in it. What is called
 * {@code tailscale} tailscaled makes private, and where it may not, since the directory is another user's, it never logs in
 * (tailscale: paths/paths_unix.go, ensureStateDirPermsUnix; ipn/ipnlocal/local.go, StateStoreHealth). So it is with an image's
 * or a volume's directory for whoever is not root.
 *
 * @param root {@code /} but in tests
 */
record StateDirectory(Path root, Path named) {

    private static final Place SETTING = Place.setting("TS_STATE_DIR");
    private static final String INNER = "state";

    /** tailscaled's name for it (tailscale: cmd/tailscaled/tailscaled.go, statePathOrDefault). */
    private static final String FILE = "tailscaled.state";

    /** Files that live in memory or in the container's own layer are gone with the container. */
    private static final Set<String> PASSING = Set.of("overlay", "tmpfs", "ramfs", "fuse.fuse-overlayfs");

    /** The one that tailscaled is told. Whoever has begun in the inner one stays there, whosoever the outer one is now. */
    Path used() {
        Path inner = named.resolve(INNER);
        return !canBePrivate() || (hasState(inner) && !hasState(named)) ? inner : named;
    }

    /** Makes the directory, and tells what keeps the identity from being kept there. */
    List<Problem> prepare() {
        Path directory = here(named);
        try {
            Files.createDirectories(directory);
        } catch (IOException _) {
            return List.of(Problem.machine(
                    SETTING,
                    "names " + named + ", which is not there and cannot be made",
                    "mount a writable volume there"));
        }
        Path used = used();
        Optional<Path> closed = List.of(named, used).stream()
                .filter(it -> Files.exists(here(it)) && !Files.isWritable(here(it)))
                .findFirst();
        if (closed.isPresent()) {
            return List.of(Problem.machine(
                    SETTING,
                    (closed.get().equals(named) ? "names " : "has ") + closed.get() + ", which cannot be written",
                    "mount it without :ro, and let this user write there"));
        }
        List<Problem> remarks = new ArrayList<>();
        if (!used.equals(named)) {
            remarks.add(Problem.note(
                    SETTING,
                    "names " + named + ", which belongs to somebody else: the node's identity is kept in " + used));
        }
        if (isPassing(directory)) {
            remarks.add(Problem.warning(
                    SETTING,
                    "names " + named + ", which is part of the container: the next container is another node",
                    "mount a volume there"));
        }
        return remarks;
    }

    /** Whether one of the directories, or what is in the one that is used, is another user's: writing there takes capabilities. */
    boolean isOfAnother() {
        Path used = here(used());
        try (Stream<Path> files = Files.isDirectory(used) ? Files.list(used) : Stream.empty()) {
            return Stream.concat(Stream.of(here(named), used), files)
                    .filter(Files::exists)
                    .anyMatch(StateDirectory::isOfAnother);
        } catch (IOException | UncheckedIOException _) {
            return true;
        }
    }

    private static boolean isOfAnother(Path file) {
        try {
            return !Files.getAttribute(file, "unix:uid").equals(Account.effectiveUser());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path here(Path path) {
        return root.resolve(Path.of("/").relativize(path));
    }

    private boolean hasState(Path directory) {
        return Files.exists(here(directory).resolve(FILE));
    }

    private boolean canBePrivate() {
        if (!named.endsWith("tailscale")) {
            return true;
        }
        try {
            Path directory = here(named);
            return Files.getAttribute(directory, "unix:uid").equals(Account.effectiveUser())
                    || Files.getPosixFilePermissions(directory).equals(PosixFilePermissions.fromString("rwx------"))
                    || Capabilities.read(root.resolve("proc")).has(Capabilities.FOWNER);
        } catch (IOException _) {
            // It is not there yet, or tailscaled says what is the matter with it.
            return true;
        }
    }

    private static boolean isPassing(Path directory) {
        try {
            return PASSING.contains(Files.getFileStore(directory).type());
        } catch (IOException _) {
            return false;
        }
    }
}
