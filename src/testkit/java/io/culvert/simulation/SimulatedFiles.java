// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The files that an exit node reads and writes, in a directory of their own: settings, /proc and /run. */
final class SimulatedFiles implements AutoCloseable {

    private static final Path PARENT = Files.isDirectory(Path.of("/dev/shm"))
            ? Path.of("/dev/shm")
            : Path.of(System.getProperty("java.io.tmpdir", "/tmp"));

    private final Path root;
    private final Map<String, Boolean> ipv6ByLink = new HashMap<>();
    private Predicate<String> exists = _ -> false;

    SimulatedFiles() {
        try {
            root = Files.createTempDirectory(PARENT, "culvert-simulation");
            write(
                    "proc/self/status",
                    "CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n");
            write("proc/thread-self/net/udp", "  sl  local_address rem_address   st\n");
            write("proc/sys/net/ipv4/ip_forward", "0\n");
            write("proc/sys/net/ipv6/conf/all/forwarding", "0\n");
            write("proc/sys/net/ipv4/conf/all/rp_filter", "0\n");
            write("proc/sys/net/ipv6/conf/all/disable_ipv6", "0\n");
            write("proc/sys/net/ipv6/conf/default/disable_ipv6", "0\n");
            write("dev/net/tun", "");
            write("etc/resolv.conf", "nameserver 192.0.2.53\n");
            write("etc/hosts", "127.0.0.1 localhost\n");
            Files.createDirectories(root.resolve("run"));
            Path dante = write("usr/sbin/danted", "");
            Files.setPosixFilePermissions(dante, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path root() {
        return root;
    }

    Path write(String name, String text) {
        try {
            Path file = root.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a file that only its owner may read. */
    Path writePrivate(String name, String text) {
        try {
            Path file = write(name, text);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Replaces a file that only its owner may read, as editors do. */
    void replacePrivate(String name, String text) {
        try {
            Files.move(
                    writePrivate(name + "~", text),
                    root.resolve(name),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void onLink(Predicate<String> linkExists) {
        exists = linkExists;
    }

    /** Adds or removes the parameters of a link that was created or removed. */
    void updateLink(String name) {
        ipv6ByLink.remove(name);
        Path ipv4 = root.resolve("proc/sys/net/ipv4/conf").resolve(name);
        Path ipv6 = root.resolve("proc/sys/net/ipv6/conf").resolve(name);
        if (Files.exists(root.resolve("proc/sys/net/ipv6/conf/default"))) {
            write("proc/sys/net/ipv6/conf/" + name + "/disable_ipv6", "0\n");
            write("proc/sys/net/ipv6/conf/" + name + "/accept_ra", "1\n");
        }
        write("proc/sys/net/ipv4/conf/" + name + "/rp_filter", "0\n");
        if (!name.equals("lo") && !exists.test(name)) {
            deleteAll(ipv4);
            deleteAll(ipv6);
        }
    }

    /** Returns whether IPv6 is enabled on a link. */
    boolean hasIpv6(String name) {
        return ipv6ByLink.computeIfAbsent(name, link -> {
            try {
                return Files.readString(root.resolve("proc/sys/net/ipv6/conf/" + link + "/disable_ipv6"))
                        .startsWith("0");
            } catch (IOException _) {
                return false;
            }
        });
    }

    boolean isHealthy() {
        return Files.exists(root.resolve("run/culvert/healthy"));
    }

    private static void deleteAll(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        deleteAll(root);
    }
}
