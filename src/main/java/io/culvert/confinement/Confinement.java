package io.culvert.confinement;

import io.culvert.linux.NetworkNamespace;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.run.Surroundings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * The name of a namespace for confined programs, and the paths of its files.
 *
 * @param directory of the control sockets, locks and logs of all namespaces
 */
record Confinement(String name, Path directory, Path namespaces) {

    private static final String MARK = ".ours";

    /**
     * Returns the namespace of this name.
     *
     * @throws ProblemException if the name is invalid
     */
    static Confinement of(Surroundings around, String name) {
        return of(around, name, directory(around));
    }

    /**
     * Returns the namespace of this name with files in another directory.
     *
     * @throws ProblemException if the name is invalid
     */
    static Confinement of(Surroundings around, String name, Path directory) {
        if (!name.matches("[a-zA-Z0-9_=+.-]{1,15}") || name.matches("\\.+")) {
            throw new ProblemException(Problem.input(
                    new Place.CommandLine("netns " + name),
                    "invalid name for a network namespace",
                    "use up to 15 letters, digits and _=+.-"));
        }
        return new Confinement(name, directory, around.root().resolve("run/netns"));
    }

    /** Returns all namespaces that have a daemon, or had one that was killed. */
    static List<Confinement> all(Surroundings around) {
        Path directory = directory(around);
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(MARK))
                    .map(file -> of(around, file.substring(0, file.length() - MARK.length())))
                    .sorted((a, b) -> a.name.compareTo(b.name))
                    .toList();
        } catch (IOException e) {
            throw unusable(directory, e);
        }
    }

    /** Creates the directory if it does not exist; only this user can access it. */
    Confinement prepare() {
        try {
            Files.createDirectories(directory.getParent());
            if (!Files.isDirectory(directory)) {
                Files.createDirectory(
                        directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            return this;
        } catch (IOException e) {
            throw unusable(directory, e);
        }
    }

    private static ProblemException unusable(Path directory, IOException e) {
        return new ProblemException(Problem.machine(
                Place.machine(directory.toString()),
                "not usable: " + e.getMessage(),
                Hints.here().writable("/run")));
    }

    private static Path directory(Surroundings around) {
        return Rootless.applies(around)
                ? Rootless.directory(around)
                : around.runDirectory().resolve("netns");
    }

    /** Returns the network namespace, mounted where {@code ip netns} and systemd find it, too. */
    NetworkNamespace namespace() {
        return new NetworkNamespace(namespaces.resolve(name));
    }

    /**
     * Returns the network namespace, which is created if necessary. One that an earlier run left is used again, with
     * the programs in it.
     *
     * @throws ProblemException if a namespace of this name exists that does not belong to Culvert
     */
    NetworkNamespace claim() throws IOException {
        NetworkNamespace space = namespace();
        if (Files.exists(space.path())) {
            if (space.exists()) {
                if (!Files.exists(mark())) {
                    throw new ProblemException(Problem.input(
                            Place.machine(space.path().toString()),
                            "a network namespace of this name exists already and does not belong to Culvert",
                            "use another name with --netns, or delete it: ip netns delete " + name));
                }
                return space;
            }
            Files.delete(space.path());
        }
        Files.writeString(mark(), "");
        return NetworkNamespace.keep(namespaces, name);
    }

    /** Returns the control socket of the daemon. */
    Path socket() {
        return file(".sock");
    }

    /** Returns the lock that the daemon holds while it runs. */
    Path kept() {
        return file(".kept");
    }

    /** Returns the lock for starting a daemon. */
    Path starting() {
        return file(".starting");
    }

    /** Returns the file that exists while the namespace of this name is managed by Culvert. */
    Path mark() {
        return file(MARK);
    }

    /** Returns the log of the daemon. */
    Path log() {
        return file(".log");
    }

    /** Returns the resolv.conf for services that systemd starts in the namespace. */
    Path resolvConf() {
        return file(".resolv.conf");
    }

    Path serviceSwitch() {
        return file(".nsswitch.conf");
    }

    /** Removes the files. Locks stay, as another process may wait for one. */
    void forget() throws IOException {
        for (Path file : List.of(socket(), mark(), resolvConf(), serviceSwitch())) {
            Files.deleteIfExists(file);
        }
    }

    private Path file(String end) {
        return directory.resolve(name + end);
    }

    /** Returns the name of the tunnel's link while it is outside, which its userspace program keeps for its socket. */
    String outerLink() {
        CRC32 sum = new CRC32();
        sum.update(name.getBytes(StandardCharsets.UTF_8));
        return "cv-" + Long.toHexString(sum.getValue());
    }
}
