// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.diagnostics.Log;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.MeshLab;
import io.culvert.net.Prefix;
import io.culvert.runtime.Environment;
import io.culvert.timing.MonotonicClock;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * A network file, and a machine in the lab for each of its peers. All machines share /run, where userspace devices have
 * their sockets, so the device names are hashes.
 */
public final class MeshOfNodes implements AutoCloseable {

    private final Path directory;
    private final MeshLab lab;
    private final SequencedMap<String, Integer> numbers = new LinkedHashMap<>();
    private final StringWriter output = new StringWriter();
    private String text = "";

    public MeshOfNodes(List<String> names) {
        try {
            directory = Files.createTempDirectory("mesh-of-nodes");
            for (String name : names) {
                int number = numbers.size();
                numbers.put(name, number);
                Path root = Files.createDirectories(root(name));
                Files.createDirectories(root.resolve("etc"));
                Files.createDirectories(root.resolve("run/culvert"));
                Files.writeString(root.resolve("etc/hosts"), "127.0.0.1 localhost\n");
                Files.createSymbolicLink(root.resolve("proc"), Path.of("/proc"));
                Files.createSymbolicLink(root.resolve("dev"), Path.of("/dev"));
                Path key = directory.resolve(name + ".key");
                Files.writeString(
                        key, Base64.getEncoder().encodeToString(key(name).bytes()) + "\n");
                Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        lab = new MeshLab(numbers.size());
    }

    public MeshLab lab() {
        return lab;
    }

    int number(String name) {
        return numbers.getOrDefault(name, -1);
    }

    public LabNamespace namespace(String name) {
        return lab.node(number(name));
    }

    Path root(String name) {
        return directory.resolve("root-" + name);
    }

    /** Returns a key for a name, the same in every run. */
    static SecretKey key(String name) {
        byte[] bytes = new byte[32];
        byte[] seed = name.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(seed, 0, bytes, 4, Math.min(seed.length, 20));
        bytes[0] = 8;
        bytes[31] = 64;
        return new SecretKey(bytes);
    }

    /** Writes the network file with these lines, and a peer for each name with the keys of its line. */
    public Path file(String head, Map<String, String> peers) {
        StringBuilder all = new StringBuilder("version: v1\ndeviceNames: hash\n")
                .append(head)
                .append("\npeers:\n");
        peers.forEach((name, keys) -> all.append("  - {name: ")
                .append(name)
                .append(", publicKey: ")
                .append(KeyGenerator.publicOf(key(name)))
                .append(", privateKeyFile: ")
                .append(name)
                .append(".key, ")
                .append(keys)
                .append("}\n"));
        text = all.toString();
        try {
            Path newFile = Files.writeString(directory.resolve("network.yaml.new"), text);
            Files.move(newFile, file(), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file();
    }

    public Path file() {
        return directory.resolve("network.yaml");
    }

    Environment environment(String name) {
        return new Environment(
                Map.of(),
                root(name),
                Clock.systemUTC(),
                MonotonicClock.system(),
                new Log(new PrintWriter(output, /* autoFlush= */ true)));
    }

    MeshNode node(String name) {
        return new MeshNode(environment(name), name);
    }

    public void up(String name) {
        inside(name, () -> node(name).up(file()));
    }

    public void down(String name) {
        inside(name, () -> node(name).down());
    }

    List<String> diff(String name) {
        try {
            return namespace(name).call(() -> node(name).diff(file()));
        } catch (Exception e) {
            throw new AssertionError(name + ": " + e.getMessage() + "\n" + output, e);
        }
    }

    String hosts(String name) {
        try {
            return Files.readString(root(name).resolve("etc/hosts"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns everything that a node may change, as reported by independent programs. */
    String kernel(String name) {
        return namespace(name).run("ip", "-o", "-d", "link").replaceAll("(?m)^\\d+: ", "")
                + namespace(name).run("ip", "-o", "addr")
                + namespace(name).run("ip", "-4", "route", "show", "table", "all")
                + namespace(name).run("ip", "-6", "route", "show", "table", "all")
                + namespace(name).run("ip", "rule")
                + namespace(name).run("ip", "-6", "rule")
                + namespace(name).run("nft", "list", "ruleset")
                + namespace(name).run("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
                + hosts(name);
    }

    /** Returns the output of the program. */
    String output() {
        return output.toString();
    }

    /** Returns the addresses of a node's mesh interfaces from the kernel. */
    List<InetAddress> addresses(String name) {
        return namespace(name)
                .run("ip", "-o", "addr", "show")
                .lines()
                .filter(line -> line.contains(" wn."))
                .map(line -> line.replaceFirst(".*inet6? (\\S+?)/.*", "$1"))
                .filter(address -> !address.startsWith("fe80"))
                .map(Prefix::parseAddress)
                .toList();
    }

    void inside(String name, Runnable work) {
        try {
            namespace(name).call(() -> {
                work.run();
                return true;
            });
        } catch (Exception e) {
            throw new AssertionError(name + ": " + e.getMessage() + "\n" + text + "\n" + output, e);
        }
    }

    @Override
    public void close() {
        numbers.keySet().forEach(name -> {
            try {
                down(name);
            } catch (AssertionError e) {
                output.append(e.getMessage());
            }
        });
        lab.close();
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
