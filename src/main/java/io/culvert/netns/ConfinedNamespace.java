// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.NetworkNamespace;
import io.culvert.net.InterfaceName;
import io.culvert.runtime.Environment;
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
record ConfinedNamespace(String name, Path directory, Path namespaces) {

    private static final String MARKER_SUFFIX = ".ours";

    /**
     * Returns the namespace of this name.
     *
     * @throws ProblemException if the name is invalid
     */
    static ConfinedNamespace of(Environment environment, String name) {
        return of(environment, name, directory(environment));
    }

    /**
     * Returns the namespace of this name with files in another directory.
     *
     * @throws ProblemException if the name is invalid
     */
    static ConfinedNamespace of(Environment environment, String name, Path directory) {
        if (!InterfaceName.isValid(name)) {
            throw new ProblemException(Problem.input(
                    new Location.CommandLine("netns " + name),
                    "invalid name for a network namespace",
                    "use up to 15 letters, digits and _=+.-"));
        }
        return new ConfinedNamespace(name, directory, environment.root().resolve("run/netns"));
    }

    /** Returns all namespaces that have a daemon, or had one that was killed. */
    static List<ConfinedNamespace> all(Environment environment) {
        Path directory = directory(environment);
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(fileName -> fileName.endsWith(MARKER_SUFFIX))
                    .map(fileName -> of(environment, fileName.substring(0, fileName.length() - MARKER_SUFFIX.length())))
                    .sorted((a, b) -> a.name.compareTo(b.name))
                    .toList();
        } catch (IOException e) {
            throw notUsable(directory, e);
        }
    }

    /** Creates the directory if it does not exist; only this user can access it. */
    ConfinedNamespace prepare() {
        try {
            Files.createDirectories(directory.getParent());
            if (!Files.isDirectory(directory)) {
                Files.createDirectory(
                        directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            return this;
        } catch (IOException e) {
            throw notUsable(directory, e);
        }
    }

    private static ProblemException notUsable(Path directory, IOException e) {
        return new ProblemException(Problem.machine(
                Location.machine(directory.toString()),
                "not usable: " + e.getMessage(),
                Hints.here().makeWritable("/run")));
    }

    private static Path directory(Environment environment) {
        return Rootless.isNeeded(environment)
                ? Rootless.runtimeDirectory(environment)
                : environment.runDirectory().resolve("netns");
    }

    /** Returns the network namespace, mounted where {@code ip netns} and systemd find it, too. */
    NetworkNamespace namespace() {
        return new NetworkNamespace(namespaces.resolve(name));
    }

    /**
     * Returns the network namespace, which is created if necessary. One that an earlier run left behind is used again,
     * with the programs in it.
     *
     * @throws ProblemException if a namespace of this name exists that does not belong to Culvert
     */
    NetworkNamespace claim() throws IOException {
        NetworkNamespace namespace = namespace();
        if (Files.exists(namespace.path())) {
            if (namespace.exists()) {
                if (!Files.exists(markerFile())) {
                    throw new ProblemException(Problem.input(
                            Location.machine(namespace.path().toString()),
                            "a network namespace of this name exists already and does not belong to Culvert",
                            "use another name with --netns, or delete it: ip netns delete " + name));
                }
                return namespace;
            }
            Files.delete(namespace.path());
        }
        Files.writeString(markerFile(), "");
        return NetworkNamespace.createNamed(namespaces, name);
    }

    /** Returns the control socket of the daemon. */
    Path controlSocket() {
        return file(".sock");
    }

    /** Returns the lock that the daemon holds while it runs. */
    Path daemonLock() {
        return file(".kept");
    }

    /** Returns the lock for starting a daemon. */
    Path startLock() {
        return file(".starting");
    }

    /** Returns the file that exists while the namespace of this name is managed by Culvert. */
    Path markerFile() {
        return file(MARKER_SUFFIX);
    }

    /** Returns the log of the daemon. */
    Path logFile() {
        return file(".log");
    }

    /** Returns the resolv.conf for services that systemd starts in the namespace. */
    Path resolvConf() {
        return file(".resolv.conf");
    }

    /** Returns the nsswitch.conf for services that systemd starts in the namespace. */
    Path nsswitchConf() {
        return file(".nsswitch.conf");
    }

    /** Deletes the files, except for locks, as another process may wait for one. */
    void deleteFiles() throws IOException {
        for (Path file : List.of(controlSocket(), markerFile(), resolvConf(), nsswitchConf())) {
            Files.deleteIfExists(file);
        }
    }

    private Path file(String suffix) {
        return directory.resolve(name + suffix);
    }

    /**
     * Returns the name of the tunnel's link before it is moved into the namespace. A userspace WireGuard keeps this name
     * for its control socket.
     */
    String outerLinkName() {
        CRC32 sum = new CRC32();
        sum.update(name.getBytes(StandardCharsets.UTF_8));
        return "cv-" + Long.toHexString(sum.getValue());
    }
}
