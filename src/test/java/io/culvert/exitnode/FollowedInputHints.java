// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.networkfile.NetworkFile;
import io.culvert.runtime.Environment;
import io.culvert.timing.MonotonicClock;
import io.culvert.wireguard.config.FileUse;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.config.WireGuardFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each hint about a file or a setting is correct: a fault is made, the hint is printed, and following it fixes the fault
 * and causes no other. A subclass has the table, in a static method {@code rows}; HintCoverageTest checks that no hint is
 * missing.
 */
abstract class FollowedInputHints {

    static final String OWN = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
    static final String SERVER = "Z2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY3ODkwQUI=";
    static final String THIRD = "enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmExMjM0NTY=";

    static final String PUBLIC_OF_OWN =
            KeyGenerator.publicOf(SecretKey.parse(OWN)).toString();

    static final String TUNNEL = "etc/wireguard/wg0.conf";
    static final String CLIENTS = "etc/mesh.conf";
    static final String NETWORK = "etc/network.yaml";
    static final String PROXY = "etc/sockd.conf";

    static final Set<String> WIREGUARD = Set.of("wireguard/config", "plan");
    static final Set<String> TOPOLOGY = Set.of("networkfile");
    static final Set<String> SETTINGS = Set.of("settings", "plan", "proxies", "exitnode", "mesh", "tailscale");

    /** Variables and files that a fault changes and a hint repairs. */
    static final class Given {

        private final Map<String, String> environment = new HashMap<>();
        private final Map<String, byte[]> files = new HashMap<>();
        private byte[] before = {};

        Given() {
            file(TUNNEL, """
                    [Interface]
                    PrivateKey = %s
                    Address = 10.64.0.2/32
                    DNS = 10.64.0.1

                    [Peer]
                    PublicKey = %s
                    AllowedIPs = 0.0.0.0/0, ::/0
                    Endpoint = 192.0.2.10:51820
                    """.formatted(OWN, SERVER));
            file(CLIENTS, """
                    [Interface]
                    PrivateKey = %s
                    Address = 10.99.0.1/24
                    ListenPort = 51821

                    [Peer]
                    PublicKey = %s
                    AllowedIPs = 10.99.0.2/32
                    """.formatted(OWN, THIRD));
            file(PROXY, """
                    internal: 0.0.0.0 port = 1080
                    external: wg0
                    """);
            file("etc/wg-key", OWN + "\n");
            file(NETWORK, """
                    version: v1
                    subnets:
                      - name: mesh
                      - name: spare
                    groups:
                      - name: phones
                    peers:
                      - name: hub
                        publicKey: %s
                        privateKeyFile: @root@/etc/wg-key
                        subnets: {mesh: {listenPort: 51820, ipAddresses: [10.0.0.1]}}
                        endpoints: [{ip: 192.0.2.1}]
                        exit: true
                      - name: phone
                        publicKey: %s
                        privateKeyFile: /etc/phone-key
                        subnets: {mesh: {ipAddresses: [10.0.0.2]}}
                        groups: [phones]
                    connections:
                      - a: [{type: peer, rule: is, value: hub}]
                        b: [{type: peer, rule: is, value: phone}]
                    """.formatted(PUBLIC_OF_OWN, THIRD));
        }

        void file(String path, String text) {
            files.put(path, text.getBytes(StandardCharsets.UTF_8));
        }

        byte[] bytes(String path) {
            return Objects.requireNonNull(files.get(path), path);
        }

        /** Replaces the first occurrence, which must exist. */
        void edit(String path, String old, String then) {
            String text = new String(bytes(path), StandardCharsets.UTF_8);
            assertThat(text).contains(old);
            int at = text.indexOf(old);
            file(path, text.substring(0, at) + then + text.substring(at + old.length()));
        }

        /** {@code NAME=value; NAME=value}; without a value, the variable is removed. */
        void set(String assignments) {
            for (String assignment : assignments.split("; ", -1)) {
                String[] parts = assignment.split("=", 2);
                environment.put(parts[0], parts[1]);
            }
        }

        void write(Path root) throws IOException {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                Path path = root.resolve(file.getKey());
                Files.createDirectories(path.getParent());
                String text = new String(file.getValue(), StandardCharsets.ISO_8859_1);
                Files.writeString(path, text.replace("@root@", root.toString()), StandardCharsets.ISO_8859_1);
            }
        }
    }

    interface Program {
        List<Problem> problems(Given given, Path root);
    }

    /**
     * A row of the table.
     *
     * @param repair follows the hint, after the fault
     */
    record Row(Set<String> areas, String hint, Program program, Consumer<Given> fault, Consumer<Given> repair) {
        /** A second edit that is part of the fault and is kept. */
        Row and(String old, String then) {
            return and(NETWORK, old, then);
        }

        Row and(String path, String old, String then) {
            return new Row(areas, hint, program, fault.andThen(given -> given.edit(path, old, then)), repair);
        }

        /** Follows the hint by another edit of the file. */
        Row repairedBy(String old, String then) {
            return repairedBy(areas.contains("wireguard/config") ? TUNNEL : NETWORK, old, then);
        }

        Row repairedBy(String path, String old, String then) {
            return new Row(areas, hint, program, fault, given -> given.edit(path, old, then));
        }

        Row repairedBySetting(String assignments) {
            return new Row(areas, hint, program, fault, repair.andThen(given -> given.set(assignments)));
        }

        Row withFile(String from, String path) {
            return new Row(
                    areas, hint, program, fault, repair.andThen(given -> given.files.put(path, given.bytes(from))));
        }

        Row with(String path, String text) {
            return new Row(areas, hint, program, fault, repair.andThen(given -> given.file(path, text)));
        }

        Row first(String path, String text) {
            return new Row(areas, hint, program, fault.andThen(given -> given.file(path, text)), repair);
        }

        Row without(String variable) {
            return new Row(areas, hint, program, fault, repair.andThen(given -> given.environment.remove(variable)));
        }

        @Override
        public String toString() {
            return hint;
        }
    }

    @TempDir
    private Path directory;

    @ParameterizedTest
    @MethodSource("rows")
    void following_the_hint_fixes_the_fault(Row row) throws IOException {
        Given given = new Given();
        assertThat(row.program.problems(given, written(given, "before")))
                .noneMatch(it -> it.kind().isError());

        row.fault.accept(given);
        Path faulty = written(given, "faulty");
        assertThat(row.program.problems(given, faulty))
                .extracting(problem -> problem.hint().replace(faulty.toString(), "@root@"))
                .contains(row.hint);

        row.repair.accept(given);
        assertThat(row.program.problems(given, written(given, "mended")))
                .as("what is left of the fault")
                .noneMatch(it -> it.hint().equals(row.hint))
                .noneMatch(it -> it.kind().isError());
    }

    private Path written(Given given, String name) throws IOException {
        Path root = directory.resolve(name);
        given.write(root);
        return root;
    }

    /** For HintCoverageTest. */
    static Stream<FollowedHint> of(Stream<Row> rows) {
        return rows.map(row -> new FollowedHint(row.areas, row.hint));
    }

    static Row tunnelFile(String hint, String old, String faulty, String repaired) {
        return inFile(WIREGUARD, TUNNEL, FollowedInputHints::up, hint, old, faulty, repaired);
    }

    static Row network(String hint, String old, String faulty, String repaired) {
        return inFile(TOPOLOGY, NETWORK, FollowedInputHints::networkFile, hint, old, faulty, repaired);
    }

    /** With a wg-quick file or a network file for the mesh, or a proxy configuration file. */
    static Row withFile(String setting, String path, String hint, String old, String faulty, String repaired) {
        Row row = inFile(SETTINGS, path, FollowedInputHints::up, hint, old, faulty, repaired);
        return new Row(
                row.areas,
                row.hint,
                row.program,
                given -> {
                    given.set(setting);
                    row.fault.accept(given);
                },
                row.repair);
    }

    static Row inFile(
            Set<String> areas, String path, Program program, String hint, String old, String faulty, String repaired) {
        return new Row(areas, hint, program, given -> given.edit(path, old, faulty), given -> {
            if (!faulty.isEmpty()) {
                given.edit(path, faulty, repaired);
            }
        });
    }

    static Row settings(String hint, String faulty, String repaired) {
        return new Row(
                SETTINGS, hint, FollowedInputHints::up, given -> given.set(faulty), given -> given.set(repaired));
    }

    static Row file(Set<String> areas, String path, Program program, String hint, byte[] faulty) {
        return new Row(
                areas,
                hint,
                program,
                given -> {
                    given.before = given.bytes(path);
                    given.files.put(path, faulty);
                },
                given -> given.files.put(path, given.before));
    }

    static List<Problem> up(Given given, Path root) {
        Map<String, String> environment = new HashMap<>(given.environment);
        try {
            return LoadedConfiguration.load(new Environment(
                            environment,
                            root,
                            Clock.systemUTC(),
                            MonotonicClock.system(),
                            new Log(new PrintWriter(Writer.nullWriter()))))
                    .remarks();
        } catch (ProblemException e) {
            return e.problems();
        }
    }

    /** A file that is named on the command line. */
    static List<Problem> namedTunnelFile(Given given, Path root) {
        Path file = root.resolve(given.environment.getOrDefault("FILE", TUNNEL));
        return WireGuardFile.interfaceNameProblem(file)
                .map(List::of)
                .orElseGet(() -> WireGuardFile.read(file).problems(FileUse.EXIT_NODE));
    }

    static List<Problem> namedNetworkFile(Given given, Path root) {
        return NetworkFile.read(root.resolve(given.environment.getOrDefault("FILE", NETWORK)))
                .problems();
    }

    static Row named(Set<String> areas, Program program, String hint, String faulty, String repaired) {
        return new Row(
                areas, hint, program, given -> given.set("FILE=" + faulty), given -> given.set("FILE=" + repaired));
    }

    static List<Problem> networkFile(Given given, Path root) {
        return NetworkFile.read(root.resolve(NETWORK)).problems();
    }
}
