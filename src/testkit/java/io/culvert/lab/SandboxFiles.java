// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The files of one sandbox, kept between its programs: /run, /var/lib, /etc/wireguard, /etc/resolv.conf, /etc/hosts,
 * /etc/shadow, trusted certificates, and the files that a test adds.
 */
final class SandboxFiles implements AutoCloseable {

    private final Path root;

    /** @param resolver the address in its /etc/resolv.conf */
    SandboxFiles(String resolver) {
        try {
            root = Files.createTempDirectory("culvert-lab");
            Files.createDirectories(root.resolve("run/wireguard"));
            Files.createDirectory(root.resolve("lib"));
            Files.createDirectory(root.resolve("wireguard"));
            Files.createDirectory(root.resolve("etc"));
            Files.createFile(root.resolve("trusted.pem"));
            Files.writeString(root.resolve("shadow"), "root:*:19000:0:99999:7:::\n");
            Files.copy(Path.of("/etc/hosts"), root.resolve("hosts"));
            Files.writeString(root.resolve("resolv.conf"), "nameserver " + resolver + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Makes TLS programs in the sandbox trust this certificate. */
    SandboxFiles trust(Certificate certificate) {
        write("trusted.pem", certificate.certificate());
        return this;
    }

    /** Returns their directory, which has the same path inside and outside the sandbox. */
    Path root() {
        return root;
    }

    String read(String name) {
        try {
            return Files.readString(root.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Waits until a file contains this text.
     *
     * @return the whole file then, or when the timeout expires
     */
    String await(String name, String text, Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        try (WatchService watch = root.getFileSystem().newWatchService()) {
            root.register(watch, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_MODIFY);
            while (!read(name).contains(text)) {
                WatchKey key = watch.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (key == null) {
                    break;
                }
                key.pollEvents();
                key.reset();
            }
            return read(name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    Path write(String name, String text) {
        Path path = root.resolve(name);
        try {
            Files.writeString(path, text);
            // Some contain secrets, and programs warn if other users can read them.
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return path;
    }

    @Override
    public void close() {
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
