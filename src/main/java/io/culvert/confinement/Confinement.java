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
 * A namespace in which programs are confined, by its name, and where its things are.
 *
 * @param directory of the control sockets, locks and logs of all of them
 */
record Confinement(String name, Path directory, Path namespaces) {

    private static final String MARK = ".ours";

    /** @throws ProblemException where this cannot be a name */
    static Confinement of(Surroundings around, String name) {
        return of(around, name, directory(around));
    }

    /** @throws ProblemException where this cannot be a name */
    static Confinement of(Surroundings around, String name, Path directory) {
        if (!name.matches("[a-zA-Z0-9_=+.-]{1,15}") || name.matches("\\.+")) {
            throw new ProblemException(Problem.input(
                    new Place.CommandLine("netns " + name),
                    "this cannot be the name of a network namespace",
                    "use up to 15 letters, digits and _=+.-"));
        }
        return new Confinement(name, directory, around.root().resolve("run/netns"));
    }

    /** All that somebody keeps, or kept until he was killed. */
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

    /** Makes the directory where it is not there; nobody else looks into it. */
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
                "cannot be used: " + e.getMessage(),
                Hints.here().writable("/run")));
    }

    private static Path directory(Surroundings around) {
        return Rootless.applies(around)
                ? Rootless.directory(around)
                : around.runDirectory().resolve("netns");
    }

    /** Where it can be entered, by {@code ip netns} and by systemd too. */
    NetworkNamespace namespace() {
        return new NetworkNamespace(namespaces.resolve(name));
    }

    /**
     * The namespace, made where it is not there. What an earlier run left is used again, with the programs in it.
     *
     * @throws ProblemException where there is one of this name that is not ours
     */
    NetworkNamespace claim() throws IOException {
        NetworkNamespace space = namespace();
        if (Files.exists(space.path())) {
            if (space.exists()) {
                if (!Files.exists(mark())) {
                    throw new ProblemException(Problem.input(
                            Place.machine(space.path().toString()),
                            "there is a network namespace of this name already, and it is not ours",
                            "choose another name with --netns, or remove it: ip netns delete " + name));
                }
                return space;
            }
            Files.delete(space.path());
        }
        Files.writeString(mark(), "");
        return NetworkNamespace.keep(namespaces, name);
    }

    /** Where its keeper listens. */
    Path socket() {
        return file(".sock");
    }

    /** Held by its keeper for life. */
    Path kept() {
        return file(".kept");
    }

    /** Held by who looks for a keeper and starts one. */
    Path starting() {
        return file(".starting");
    }

    /** There, as long as the namespace of this name is ours. */
    Path mark() {
        return file(MARK);
    }

    /** What its keeper has to say. */
    Path log() {
        return file(".log");
    }

    /** For services that are put into the namespace by systemd. */
    Path resolvConf() {
        return file(".resolv.conf");
    }

    Path serviceSwitch() {
        return file(".nsswitch.conf");
    }

    /** Removes its files. Locks stay: somebody may wait for one. */
    void forget() throws IOException {
        for (Path file : List.of(socket(), mark(), resolvConf(), serviceSwitch())) {
            Files.deleteIfExists(file);
        }
    }

    private Path file(String end) {
        return directory.resolve(name + end);
    }

    /** The tunnel's link as long as it is outside, and the name of its program's socket for ever. */
    String outerLink() {
        CRC32 sum = new CRC32();
        sum.update(name.getBytes(StandardCharsets.UTF_8));
        return "cv-" + Long.toHexString(sum.getValue());
    }
}
