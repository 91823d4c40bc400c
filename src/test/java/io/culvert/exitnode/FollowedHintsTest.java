// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.networkfile.NetworkFile;
import io.culvert.runtime.Environment;
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
 * and causes no other. HintCoverageTest checks that no hint is missing here.
 */
public class FollowedHintsTest {

    private static final String OWN = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
    private static final String SERVER = "Z2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY3ODkwQUI=";
    private static final String THIRD = "enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmExMjM0NTY=";

    private static final String PUBLIC_OF_OWN =
            KeyGenerator.publicOf(SecretKey.parse(OWN)).toString();

    private static final String TUNNEL = "etc/wireguard/wg0.conf";
    private static final String CLIENTS = "etc/mesh.conf";
    private static final String NETWORK = "etc/network.yaml";
    private static final String PROXY = "etc/sockd.conf";

    private static final Set<String> WIREGUARD = Set.of("wireguard/config", "plan");
    private static final Set<String> TOPOLOGY = Set.of("networkfile");
    private static final Set<String> SETTINGS = Set.of("settings", "plan", "socks", "exitnode", "mesh", "tailscale");

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
    public static Stream<FollowedHint> hints() {
        return rows().map(row -> new FollowedHint(row.areas, row.hint));
    }

    private static Row tunnelFile(String hint, String old, String faulty, String repaired) {
        return inFile(WIREGUARD, TUNNEL, FollowedHintsTest::up, hint, old, faulty, repaired);
    }

    private static Row network(String hint, String old, String faulty, String repaired) {
        return inFile(TOPOLOGY, NETWORK, FollowedHintsTest::networkFile, hint, old, faulty, repaired);
    }

    /** With a wg-quick file or a network file for the mesh, or a proxy configuration file. */
    private static Row withFile(String setting, String path, String hint, String old, String faulty, String repaired) {
        Row row = inFile(SETTINGS, path, FollowedHintsTest::up, hint, old, faulty, repaired);
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

    private static Row inFile(
            Set<String> areas, String path, Program program, String hint, String old, String faulty, String repaired) {
        return new Row(areas, hint, program, given -> given.edit(path, old, faulty), given -> {
            if (!faulty.isEmpty()) {
                given.edit(path, faulty, repaired);
            }
        });
    }

    private static Row settings(String hint, String faulty, String repaired) {
        return new Row(SETTINGS, hint, FollowedHintsTest::up, given -> given.set(faulty), given -> given.set(repaired));
    }

    private static Row file(Set<String> areas, String path, Program program, String hint, byte[] faulty) {
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

    private static List<Problem> up(Given given, Path root) {
        Map<String, String> environment = new HashMap<>(given.environment);
        try {
            return LoadedConfiguration.load(new Environment(
                            environment, root, Clock.systemUTC(), new Log(new PrintWriter(Writer.nullWriter()))))
                    .remarks();
        } catch (ProblemException e) {
            return e.problems();
        }
    }

    /** A file that is named on the command line. */
    private static List<Problem> namedTunnelFile(Given given, Path root) {
        Path file = root.resolve(given.environment.getOrDefault("FILE", TUNNEL));
        return WireGuardFile.interfaceNameProblem(file)
                .map(List::of)
                .orElseGet(() -> WireGuardFile.read(file).problems(FileUse.EXIT_NODE));
    }

    private static List<Problem> namedNetworkFile(Given given, Path root) {
        return NetworkFile.read(root.resolve(given.environment.getOrDefault("FILE", NETWORK)))
                .problems();
    }

    private static Row named(Set<String> areas, Program program, String hint, String faulty, String repaired) {
        return new Row(
                areas, hint, program, given -> given.set("FILE=" + faulty), given -> given.set("FILE=" + repaired));
    }

    private static List<Problem> networkFile(Given given, Path root) {
        return NetworkFile.read(root.resolve(NETWORK)).problems();
    }

    private static Stream<Row> rows() {
        return Stream.of(
                        inTheTunnelsFile(),
                        named(),
                        inTheNetworkFile(),
                        inSettings(),
                        inTailscalesSettings(),
                        inOtherFiles())
                .flatMap(rows -> rows);
    }

    private static Stream<Row> inTheTunnelsFile() {
        return Stream.of(
                tunnelFile(
                        "check that this is a WireGuard file",
                        "[Peer]",
                        "unknown = line\n".repeat(101) + "[Peer]",
                        "[Peer]"),
                tunnelFile("add Endpoint = host:port", "Endpoint = 192.0.2.10:51820\n", "", "")
                        .repairedBy("AllowedIPs", "Endpoint = 192.0.2.10:51820\nAllowedIPs"),
                tunnelFile(
                        "add AllowedIPs = 0.0.0.0/0, ::/0",
                        "AllowedIPs = 0.0.0.0/0, ::/0\n",
                        "AllowedIPs =\n",
                        "AllowedIPs = 0.0.0.0/0, ::/0\n"),
                tunnelFile(
                        "use 0.0.0.0/0, ::/0 for all traffic",
                        "AllowedIPs = 0.0.0.0/0, ::/0\n",
                        "AllowedIPs =\n",
                        "AllowedIPs = 0.0.0.0/0, ::/0\n"),
                tunnelFile(
                        "add AllowedIPs = 0.0.0.0/0, ::/0 for all traffic",
                        "AllowedIPs = 0.0.0.0/0, ::/0\nEnd",
                        "End",
                        "AllowedIPs = 0.0.0.0/0, ::/0\nEnd"),
                tunnelFile("use 0.0.0.0/0 for all addresses", "0.0.0.0/0, ::/0", "10.0.0.0/8", "0.0.0.0/0"),
                tunnelFile("use '#' instead", "DNS", "; mine\nDNS", "# mine\nDNS"),
                tunnelFile("correct this line, or comment it out with '#'", "DNS", "mine\nDNS", "# mine\nDNS"),
                tunnelFile("did you mean [Peer]?", "[Peer]", "[Peers]", "[Peer]"),
                tunnelFile("use [Interface] or [Peer]", "[Peer]", "[Account]\nName = me\n[Peer]", "[Peer]"),
                tunnelFile(
                        "merge the two sections",
                        "DNS = 10.64.0.1\n",
                        "[Interface]\nDNS = 10.64.0.1\n",
                        "DNS = 10.64.0.1\n"),
                tunnelFile("add a line [Interface] above it", "[Interface]\n", "", "")
                        .repairedBy("PrivateKey", "[Interface]\nPrivateKey"),
                tunnelFile("add a line [Peer] above it", "[Peer]\n", "", "")
                        .repairedBy("PublicKey", "[Peer]\nPublicKey"),
                tunnelFile(
                        "move this line to [Interface]",
                        "DNS = 10.64.0.1\n\n[Peer]\n",
                        "[Peer]\nDNS = 10.64.0.1\n",
                        "DNS = 10.64.0.1\n\n[Peer]\n"),
                tunnelFile(
                        "start each peer with a line [Peer]",
                        "Endpoint",
                        "PublicKey = " + THIRD + "\nEndpoint",
                        "[Peer]\nAllowedIPs = 10.9.0.0/16\nPublicKey = " + THIRD + "\nEndpoint"),
                tunnelFile("delete one of the lines", "DNS", "MTU = 1400\nMTU = 1300\nDNS", "MTU = 1300\nDNS"),
                tunnelFile(
                        "check whether two lines were mixed up",
                        "DNS = 10.64.0.1",
                        "DNS = " + THIRD,
                        "DNS = 10.64.0.1"),
                tunnelFile("add a value, or delete this line", "DNS = 10.64.0.1\n", "DNS =\n", ""),
                tunnelFile(
                        "add a value, or delete this line",
                        "Endpoint = 192.0.2.10:51820\n",
                        "Endpoint =\n",
                        "Endpoint = 192.0.2.10:51820\n"),
                tunnelFile("correct this line, or comment it out with '#'", "DNS", "= 5\nDNS", "#= 5\nDNS"),
                tunnelFile("did you mean Address?", "Address", "Adress", "Address"),
                tunnelFile("delete it, or retype the line", "DNS", "\u0001DNS", "DNS"),
                tunnelFile("delete this line", "DNS", "IncludedApplications = a.b\nDNS", "DNS"),
                tunnelFile("get a plain WireGuard file from your provider", "DNS", "H1 = 77\nDNS", "DNS"),
                tunnelFile("if there is no handshake, get a plain WireGuard file", "DNS", "Jc = 4\nDNS", "DNS"),
                tunnelFile("use a port, or 0 for a random one", "DNS", "ListenPort = x\nDNS", "ListenPort = 0\nDNS"),
                tunnelFile(
                        "use a size in bytes, such as 1420, or delete this line",
                        "DNS",
                        "MTU = 5\nDNS",
                        "MTU = 1420\nDNS"),
                tunnelFile("add the private key of this interface", "PrivateKey = " + OWN + "\n", "", "")
                        .repairedBy("Address", "PrivateKey = " + OWN + "\nAddress"),
                tunnelFile(
                                "add the address assigned to this interface, such as 10.64.0.2/32",
                                "Address = 10.64.0.2/32\n",
                                "",
                                "")
                        .repairedBy("DNS", "Address = 10.64.0.2/32\nDNS"),
                tunnelFile(
                        "use the address assigned to this interface", "10.64.0.2/32", "127.0.0.1/32", "10.64.0.2/32"),
                tunnelFile("write address/length, such as 10.64.0.2/32", "10.64.0.2/32", "10.64.0/32", "10.64.0.2/32"),
                tunnelFile("write an address, such as 10.64.0.1", "10.64.0.1\n", "10.64.0\n", "10.64.0.1\n"),
                tunnelFile(
                        "write a domain, such as home.arpa",
                        "10.64.0.1\n",
                        "10.64.0.1, a_b?\n",
                        "10.64.0.1, home.arpa\n"),
                tunnelFile(
                        "use a decimal number, a hexadecimal one with 0x, or off",
                        "DNS",
                        "FwMark = x\nDNS",
                        "FwMark = off\nDNS"),
                tunnelFile("use a table number, main, auto or off", "DNS", "Table = x\nDNS", "Table = auto\nDNS"),
                tunnelFile(
                        "use true or false, or delete this line",
                        "DNS",
                        "SaveConfig = x\nDNS",
                        "SaveConfig = false\nDNS"),
                tunnelFile(
                                "add that network to CULVERT_LAN_ALLOW and delete this line",
                                "DNS",
                                "PostUp = ip route add 192.168.7.0/24 via 192.168.1.1\nDNS",
                                "DNS")
                        .repairedBySetting("CULVERT_LAN_ALLOW=auto,192.168.7.0/24"),
                tunnelFile(
                        "run this command outside Culvert and delete this line", "DNS", "PostUp = curl x\nDNS", "DNS"),
                tunnelFile("use the public key of the server", SERVER, PUBLIC_OF_OWN, SERVER),
                tunnelFile("add the public key of the server", "PublicKey = " + SERVER + "\n", "", "")
                        .repairedBy("AllowedIPs", "PublicKey = " + SERVER + "\nAllowedIPs"),
                tunnelFile(
                        "merge the two [Peer] sections",
                        "Endpoint",
                        "[Peer]\nPublicKey = " + SERVER + "\nEndpoint",
                        "Endpoint"),
                tunnelFile("delete the extra comma", "::/0", "::/0,", "::/0"),
                tunnelFile("delete it", "::/0", "::/0, -10.0.0.0/8", "::/0"),
                tunnelFile("separate prefixes by commas", "0.0.0.0/0, ::/0", "0.0.0.0/0 ::/0", "0.0.0.0/0, ::/0"),
                tunnelFile(
                        "use 10.7.0.0/16, or 10.7.0.5/32 for a single address",
                        "::/0",
                        "::/0, 10.7.0.5/16",
                        "::/0, 10.7.0.0/16"),
                tunnelFile(
                        "assign it to one peer; for fail-over, use one file per server",
                        "[Peer]",
                        "[Peer]\nPublicKey = " + THIRD + "\nAllowedIPs = 0.0.0.0/0\n[Peer]",
                        "[Peer]\nPublicKey = " + THIRD + "\nAllowedIPs = 10.9.0.0/16\n[Peer]"),
                tunnelFile(
                        "use a number of seconds, such as 25, or off",
                        "Endpoint",
                        "PersistentKeepalive = x\nEndpoint",
                        "PersistentKeepalive = 25\nEndpoint"),
                tunnelFile("copy the complete key again", SERVER, "YOUR_KEY", SERVER),
                tunnelFile(
                        "use [2001:db8::10]:51820", "192.0.2.10:51820", "2001:db8::10:51820", "[2001:db8::10]:51820"),
                tunnelFile(
                        "write host:port, such as 192.0.2.10:51820 or [2001:db8::10]:51820",
                        "192.0.2.10:51820",
                        "vpn.example:x",
                        "192.0.2.10:51820"),
                tunnelFile(
                        "use the address of the server",
                        "Endpoint = 192.0.2.10",
                        "Endpoint = 0.0.0.0",
                        "Endpoint = 192.0.2.10"),
                tunnelFile(
                                "add the section of your server",
                                "[Peer]\nPublicKey = " + SERVER
                                        + "\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 192.0.2.10:51820\n",
                                "",
                                "")
                        .repairedBy(
                                "DNS = 10.64.0.1\n",
                                "DNS = 10.64.0.1\n[Peer]\nPublicKey = " + SERVER
                                        + "\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 192.0.2.10:51820\n"),
                tunnelFile(
                                "add one with PrivateKey and Address",
                                "[Interface]\nPrivateKey = " + OWN + "\nAddress = 10.64.0.2/32\nDNS = 10.64.0.1\n",
                                "",
                                "")
                        .repairedBy("[Peer]", "[Interface]\nPrivateKey = " + OWN + "\nAddress = 10.64.0.2/32\n[Peer]"),
                file(
                        WIREGUARD,
                        TUNNEL,
                        FollowedHintsTest::up,
                        "use the WireGuard configuration file of your provider",
                        new byte[0]),
                file(WIREGUARD, TUNNEL, FollowedHintsTest::up, "check the name", new byte[(1 << 20) + 1]),
                file(
                        WIREGUARD,
                        TUNNEL,
                        FollowedHintsTest::up,
                        "use the WireGuard configuration file of your provider, which is a text file",
                        new byte[] {0, 1, 2}));
    }

    private static Stream<Row> named() {
        return Stream.of(
                named(WIREGUARD, FollowedHintsTest::namedTunnelFile, "name a file in this directory", "etc", TUNNEL),
                named(
                        Set.of("wireguard/config", "diagnostics"),
                        FollowedHintsTest::namedTunnelFile,
                        Hints.here().missingFile(),
                        "etc/none.conf",
                        TUNNEL),
                named(
                                WIREGUARD,
                                FollowedHintsTest::namedTunnelFile,
                                "rename the file, for example to wg0.conf",
                                "etc/!!!.conf",
                                "etc/wg0.conf")
                        .withFile(TUNNEL, "etc/wg0.conf"),
                named(
                                WIREGUARD,
                                FollowedHintsTest::namedTunnelFile,
                                "rename the file, for example to far-too-long-fo.conf",
                                "etc/far-too-long-for-linux.conf",
                                "etc/far-too-long-fo.conf")
                        .withFile(TUNNEL, "etc/far-too-long-fo.conf"),
                named(
                        TOPOLOGY,
                        FollowedHintsTest::namedNetworkFile,
                        "use the path of the network file",
                        "etc",
                        NETWORK),
                named(
                        TOPOLOGY,
                        FollowedHintsTest::namedNetworkFile,
                        "check the name; for the format see docs/network-file.md",
                        "etc/none.yaml",
                        NETWORK));
    }

    private static Stream<Row> inTheNetworkFile() {
        String phone = "subnets: {mesh: {ipAddresses: [10.0.0.2]}}\n";
        String more = phone + "    ";
        return Stream.of(
                network("use an address that no other peer has", "[10.0.0.2]", "[10.0.0.1]", "[10.0.0.3]"),
                network(
                                "use another port, as each interface has its own socket",
                                "[10.0.0.1]}",
                                "[10.0.0.1]}, spare: {listenPort: 51820}",
                                "[10.0.0.1]}, spare: {listenPort: 51821}")
                        .and("value: phone}]", "value: phone}]\n    subnets: [mesh]"),
                network(
                                "use different networks for the subnets, or longer prefix lengths",
                                "[10.0.0.1]}",
                                "[10.0.0.1]}, spare: {listenPort: 5, ipAddresses: [10.0.0.9]}",
                                "[10.0.0.1]}, spare: {listenPort: 5, ipAddresses: [10.0.1.9]}")
                        .and("value: phone}]", "value: phone}]\n    subnets: [mesh]"),
                network(
                        "add the ip to the candidates, in their order of preference",
                        "{ip: 192.0.2.1}",
                        "{ip: 192.0.2.1, candidates: [{ip: 192.0.2.2}]}",
                        "{candidates: [{ip: 192.0.2.1}, {ip: 192.0.2.2}]}"),
                network(
                        "add the endpoint candidates of the peer, the preferred one first",
                        "{ip: 192.0.2.1}",
                        "{candidates: []}",
                        "{candidates: [{ip: 192.0.2.1}]}"),
                network(
                        "add its address or host name",
                        "{ip: 192.0.2.1}",
                        "{candidates: [{port: 5}]}",
                        "{candidates: [{port: 5, ip: 192.0.2.1}]}"),
                network("use the address of the peer", "ip: 192.0.2.1", "ip: 0.0.0.0", "ip: 192.0.2.1"),
                network(
                        "set the port with the key 'port'",
                        "ip: 192.0.2.1",
                        "ip: 'a.example:5'",
                        "ip: a.example, port: 5"),
                network(
                        "use an address such as 192.0.2.10 or 2001:db8::10, or a host name",
                        "ip: 192.0.2.1",
                        "ip: 'a b'",
                        "ip: 192.0.2.10"),
                network("use keys and values, such as 'name: …'", "- name: spare", "- spare", "- name: spare"),
                network("delete one of them", "exit: true", "exit: true\n    exit: true", "exit: true"),
                network(
                        "use one of the keys ip, port",
                        "{ip: 192.0.2.1}",
                        "{candidates: [{ip: 192.0.2.1, zzz: 1}]}",
                        "{candidates: [{ip: 192.0.2.1, port: 1}]}"),
                network("did you mean endpoints?", "endpoints", "endpoint", "endpoints"),
                network("start each item with a dash", "groups: [phones]", "groups: phones", "groups:\n      - phones"),
                network("use a single value", "publicKey: " + THIRD, "publicKey: []", "publicKey: " + THIRD),
                network("use plain text", "name: phones", "name: ''", "name: phones"),
                network("use digits only", "51820", "x", "51820"),
                network("use true or false", "exit: true", "exit: yes", "exit: true"),
                network("use one of them", "type: peer", "type: everything", "type: peer"),
                network("did you mean peer?", "type: peer", "type: per", "type: peer"),
                network(
                        "add a connection that includes it",
                        "b: [{type: peer, rule: is, value: phone}]",
                        "b: [{type: peer, rule: is, value: hub}]",
                        "b: [{type: peer, rule: is, value: phone}]"),
                network(
                                "select fewer peers, or add 'mesh' to the subnets of 'phone'",
                                "subnets: {mesh: {ipAddresses: [10.0.0.2]}}",
                                "subnets: {}",
                                "subnets: {mesh: }")
                        .and(
                                "b: [{type: peer, rule: is, value: phone}]",
                                "b: [{type: peer, rule: is, value: phone}]\n    subnets: [mesh]"),
                network(
                                "name its subnets, such as 'subnets: [mesh]', or select fewer peers",
                                "[10.0.0.2]}",
                                "[10.0.0.2]}, spare: ",
                                "[10.0.0.2]}, spare: ")
                        .repairedBy("value: phone}]", "value: phone}]\n    subnets: [mesh]"),
                network(
                                "add an endpoint with an ip to one of them, or exclude the pair from the connection",
                                "    endpoints: [{ip: 192.0.2.1}]\n",
                                "",
                                "")
                        .repairedBy("    exit: true", "    endpoints: [{ip: 192.0.2.1}]\n    exit: true"),
                network("add a port to that endpoint, or a listenPort here", "listenPort: 51820, ", "", "")
                        .repairedBy("{ip: 192.0.2.1}", "{ip: 192.0.2.1, port: 51820}"),
                network(
                        "generate a new key in a separate file, and name that file in privateKeyFile",
                        "exit: true",
                        "exit: true\n    privateKey: x",
                        "exit: true"),
                network("copy the complete key as printed by 'wg pubkey'", THIRD, "abc", THIRD),
                network("use an address, such as 10.0.0.1, 10.0.0.1/16 or auto", "[10.0.0.2]", "[10.0.0]", "[auto]"),
                network("use another address", "[10.0.0.2]", "[224.0.0.1]", "[10.0.0.3]"),
                network(
                        "add the destination network",
                        phone,
                        more + "routes: [{masquerade: true}]\n",
                        more + "routes: [{masquerade: true, to: 192.168.7.0/24}]\n"),
                network(
                        "use a network, such as 192.168.7.0/24",
                        phone,
                        more + "routes: [x]\n",
                        more + "routes: [192.168.7.0/24]\n"),
                network(
                        "add 'exit: true' to this peer, and 'via:' to the peers that use it",
                        phone,
                        more + "routes: [0.0.0.0/0]\n",
                        more + "exit: true\n"),
                network("use 10.1.0.0/24", phone, more + "routes: [10.1.0.1/24]\n", more + "routes: [10.1.0.0/24]\n"),
                network("use an address, such as 10.0.0.1", phone, more + "dns: [x]\n", more + "dns: [10.0.0.1]\n"),
                network("use letters, digits, hyphens and dots only", "name: spare", "name: a b", "name: a-b"),
                network("rename one of them", "name: spare", "name: mesh", "name: other"),
                network("add it to 'groups'", "groups:\n  - name: phones\n", "", "")
                        .repairedBy("peers:", "groups:\n  - name: phones\npeers:"),
                network("use one of hub, phone", "value: phone", "value: somebody", "value: phone"),
                network("did you mean phone?", "value: phone", "value: phon", "value: phone"),
                network(
                                "set 'deviceNames: hash', or use a shorter name up to its first dot",
                                "name: spare",
                                "name: averyveryverylongname",
                                "name: averyveryverylongname")
                        .repairedBy("version: v1", "version: v1\ndeviceNames: hash"),
                network(
                                "set 'deviceNames: hash', or use a shorter name",
                                "name: spare",
                                "name: averyveryverylongname",
                                "name: spare")
                        .and("version: v1", "version: v1\ndeviceNames: long"),
                network(
                                "set 'deviceNames: long' or 'deviceNames: hash' at the top of the file",
                                "name: spare",
                                "name: mesh.two",
                                "name: mesh.two")
                        .and("[10.0.0.1]}", "[10.0.0.1]}, mesh.two: {listenPort: 5, ipAddresses: [10.8.0.1]}")
                        .and("value: phone}]", "value: phone}]\n    subnets: [mesh]")
                        .repairedBy("version: v1", "version: v1\ndeviceNames: hash"),
                network(
                        "name the key file on that machine, or set 'external: true' for a device that Culvert does not configure",
                        "privateKeyFile: /etc/phone-key",
                        "dns: []",
                        "external: true"),
                network(
                        "use a separate key for each peer, generated by 'culvert mesh keygen'",
                        THIRD,
                        PUBLIC_OF_OWN,
                        THIRD),
                network("add 'version: v1' as the first line", "version: v1\n", "", "")
                        .repairedBy("subnets:", "version: v1\nsubnets:"),
                network("use 'version: v1'", "version: v1", "version: v7", "version: v1"),
                network(
                        "add a name",
                        "- name: spare",
                        "- presharedKeyFile: /x",
                        "- name: spare\n    presharedKeyFile: /x"),
                network(
                        "use both, such as /etc/culvert/psk/{a}-{b}, or neither for a common key",
                        "- name: spare",
                        "- name: spare\n    presharedKeyFile: /psk/{a}",
                        "- name: spare\n    presharedKeyFile: /psk/{a}-{b}"),
                network(
                        "add the missing keys, at least as empty lists, such as 'connections: []'",
                        "subnets:\n",
                        "subnetz:\n",
                        "subnets:\n"),
                network(
                                "add the filters of both sides; '[]' selects all peers",
                                "    b: [{type: peer, rule: is, value: phone}]",
                                "",
                                "")
                        .repairedBy("  - a:", "  - b: []\n    a:"),
                network("add the missing keys", "publicKey: " + THIRD + "\n    ", "", "")
                        .repairedBy(
                                "privateKeyFile: /etc/phone-key",
                                "publicKey: " + THIRD + "\n    privateKeyFile: /etc/phone-key"),
                network(
                        "use the form {type: group, rule: is, value: servers}",
                        "{type: peer, rule: is, value: phone}",
                        "{type: peer, value: phone}",
                        "{type: peer, rule: is, value: phone}"),
                network("use another peer", phone, more + "via: phone\n", more + "via: hub\n"),
                network("add 'exit: true' to it (line 8)", "    exit: true\n", "", "")
                        .and(phone, more + "via: hub\n")
                        .repairedBy("[{ip: 192.0.2.1}]", "[{ip: 192.0.2.1}]\n    exit: true"),
                network(
                                "make sure that it forwards packets",
                                "    exit: true\n",
                                "    exit: true\n    external: true\n",
                                "    exit: true\n")
                        .and(phone, more + "via: hub\n"),
                network("add a connection between them", "value: phone}]", "value: hub}]", "value: phone}]")
                        .and(phone, more + "via: hub\n"),
                network("delete this route", phone, more + "routes: [10.0.0.1/32]\n", phone),
                network(
                        "add 'exit: true' to a peer instead, and 'via:' to the peers that use it",
                        phone,
                        more + "routes: [0.0.0.0/2, 64.0.0.0/2, 128.0.0.0/2, 192.0.0.0/2]\n",
                        more + "exit: true\n"),
                network(
                                "use networks that do not overlap, unless this is intended",
                                phone,
                                more + "routes: [192.168.7.0/24]\n",
                                more + "routes: [192.168.7.0/24]\n")
                        .and("exit: true\n", "exit: true\n    routes: [192.168.0.0/16]\n")
                        .repairedBy("192.168.0.0/16", "192.168.0.0/24"),
                network(
                        "add one to its ipAddresses in addition to auto",
                        phone,
                        "subnets: {mesh: {ipAddresses: [auto]}}\n    via: hub\n",
                        "subnets: {mesh: {ipAddresses: [auto, 10.0.0.2]}}\n    via: hub\n"),
                network(
                        "add one to its ipAddresses, such as auto",
                        phone,
                        more + "via: hub\n",
                        "subnets: {mesh: {ipAddresses: [10.0.0.2, auto]}}\n    via: hub\n"),
                network(
                                "delete 'via' from one of the peers",
                                phone,
                                more + "exit: true\n    via: hub\n",
                                more + "exit: true\n    via: hub\n")
                        .and("    endpoints: [{ip: 192.0.2.1}]\n", "    endpoints: [{ip: 192.0.2.1}]\n    via: phone\n")
                        .repairedBy("    via: phone\n", ""),
                network("delete one of the routes", phone, more + "routes: [192.168.7.0/24]\n", phone)
                        .and("exit: true\n", "exit: true\n    routes: [192.168.7.0/24]\n"),
                network(
                        "check indentation, quotes and brackets in this line and above",
                        "[10.0.0.2]",
                        "[10.0.0.2",
                        "[10.0.0.2]"),
                network(
                        "use one network per file, without '---' between its parts",
                        "groups:",
                        "---\ngroups:",
                        "groups:"),
                network("define the anchor &x above this line", "value: hub}", "value: *x}", "value: &x hub}"),
                network("use a single word", "exit: true", "[a]: true", "exit: true"),
                network(
                        "close the preceding brackets",
                        "exit: true",
                        "dns: " + "[".repeat(200) + "]".repeat(200),
                        "exit: true"),
                file(TOPOLOGY, NETWORK, FollowedHintsTest::networkFile, "convert it to UTF-8", new byte[] {
                    (byte) 0xff, (byte) 0xfe, 1
                }),
                file(
                        TOPOLOGY,
                        NETWORK,
                        FollowedHintsTest::networkFile,
                        "add 'version: v1' and the network; for the format see docs/network-file.md",
                        new byte[0]),
                file(TOPOLOGY, NETWORK, FollowedHintsTest::networkFile, "use plain text in UTF-8", new byte[] {1, 2}));
    }

    private static Stream<Row> inSettings() {
        String bring = Hints.here().provideFile("the file", "this path") + ", or correct the path";
        return Stream.of(
                settings(
                        "use up to 32 letters, digits, '_' and '-', beginning with a letter or '_'",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=4; CULVERT_SOCKS_PASSWORD=x",
                        "CULVERT_SOCKS_USER=anna"),
                settings(
                        "choose another name",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=root; CULVERT_SOCKS_PASSWORD=x",
                        "CULVERT_SOCKS_USER=anna"),
                settings(
                        "use the file of the interface that your own devices connect to",
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf; CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/etc/wireguard/wg0.conf",
                        "CULVERT_MESH_CONFIG=/etc/mesh.conf"),
                settings(
                        Hints.here().provideFile("your provider's file", "/etc/none.conf")
                                + ", or set CULVERT_WIREGUARD_CONFIG to its path",
                        "CULVERT_WIREGUARD_CONFIG=/etc/none.conf",
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf"),
                settings(
                                Hints.here().provideFile("your provider's file", "/etc/none.conf")
                                        + ", or set CULVERT_WIREGUARD_CONFIG to its path",
                                "CULVERT_WIREGUARD_CONFIG=/etc/none.conf",
                                "CULVERT_WIREGUARD_CONFIG=/etc/none.conf")
                        .withFile(TUNNEL, "etc/none.conf"),
                settings(
                                bring,
                                "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/etc/none.conf",
                                "CULVERT_MESH_CONFIG=/etc/none.conf")
                        .withFile(CLIENTS, "etc/none.conf"),
                settings(bring, "CULVERT_DNS_FILE=/run/secrets/dns", "CULVERT_DNS_FILE=/run/secrets/dns")
                        .with("run/secrets/dns", "9.9.9.9"),
                settings(
                                "write the value to the file, or unset the variable",
                                "CULVERT_DNS_FILE=/run/secrets/dns",
                                "CULVERT_DNS_FILE=")
                        .first("run/secrets/dns", ""),
                settings(
                                "use a file that contains nothing but the value",
                                "CULVERT_DNS_FILE=/run/secrets",
                                "CULVERT_DNS_FILE=/run/secrets/dns")
                        .first("run/secrets/dns", "9.9.9.9"),
                settings("use auto, true or false", "CULVERT_CONTAINER=perhaps", "CULVERT_CONTAINER=auto"),
                settings(
                        "list only the networks to reach outside the tunnel",
                        "CULVERT_LAN_ALLOW=0.0.0.0/2,64.0.0.0/2,128.0.0.0/2,192.0.0.0/2",
                        "CULVERT_LAN_ALLOW=192.168.1.0/24"),
                settings(
                        "set CULVERT_MESH_CONFIG to a wg-quick file, or to a network file with CULVERT_MESH_NODE",
                        "CULVERT_MESH=wireguard",
                        "CULVERT_MESH_CONFIG=/etc/mesh.conf"),
                settings(
                        "set CULVERT_MESH_CONFIG to a wg-quick file, or to a network file with CULVERT_MESH_NODE",
                        "CULVERT_MESH=wireguard",
                        "CULVERT_MESH_CONFIG=/etc/network.yaml; CULVERT_MESH_NODE=hub"),
                settings(
                        "set CULVERT_MESH=wireguard, or unset CULVERT_MESH_CONFIG",
                        "CULVERT_MESH_CONFIG=/etc/mesh.conf",
                        "CULVERT_MESH=wireguard"),
                settings(
                        "set CULVERT_MESH_CONFIG to the network file, with CULVERT_MESH=wireguard",
                        "CULVERT_MESH_NODE=hub",
                        "CULVERT_MESH_CONFIG=/etc/network.yaml; CULVERT_MESH=wireguard"),
                settings(
                                "set CULVERT_SOCKS_PASSWORD_FILE to the path of a file that contains it",
                                "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna",
                                "CULVERT_SOCKS_PASSWORD_FILE=/run/secrets/socks")
                        .first("run/secrets/socks", "secret\n"),
                settings(
                        "set CULVERT_SOCKS_USER too",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_PASSWORD=x",
                        "CULVERT_SOCKS_USER=anna"),
                settings(
                        "list your networks, or set CULVERT_SOCKS_USER and CULVERT_SOCKS_PASSWORD",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_ALLOW=0.0.0.0/0",
                        "CULVERT_SOCKS_ALLOW=192.168.1.0/24"),
                settings(
                        "remove it, or change CULVERT_SOCKS",
                        "CULVERT_SOCKS_PORT=1081",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=x"),
                settings(
                        "use the address of the server, without a name, port or scheme",
                        "CULVERT_DNS=dns.example.net",
                        "CULVERT_DNS=9.9.9.9"),
                settings(
                        "use a server that is reachable through the tunnel",
                        "CULVERT_DNS=127.0.0.1",
                        "CULVERT_DNS=9.9.9.9"),
                settings(
                        "use a path that begins with /, such as /etc/wireguard/wg0.conf",
                        "CULVERT_WIREGUARD_CONFIG=wg0.conf",
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf"),
                settings(
                                "use a path that begins with /, such as /run/secrets/name",
                                "CULVERT_DNS_FILE=9.9.9.9",
                                "CULVERT_DNS_FILE=/run/secrets/dns")
                        .first("run/secrets/dns", "9.9.9.9"),
                settings(
                        "set only one of them",
                        "CULVERT_DNS=9.9.9.9; CULVERT_DNS_FILE=/run/secrets/dns",
                        "CULVERT_DNS_FILE="),
                settings(
                        "use only its host and port, such as hs.example.net:443",
                        "CULVERT_BYPASS=https://hs.example.net",
                        "CULVERT_BYPASS=hs.example.net:443"),
                settings(
                        "append /tcp or /udp, or omit the protocol to allow both",
                        "CULVERT_BYPASS=hs.example.net:443/sctp",
                        "CULVERT_BYPASS=hs.example.net:443/tcp"),
                settings(
                        "add the port: hs.example.net:443",
                        "CULVERT_BYPASS=hs.example.net",
                        "CULVERT_BYPASS=hs.example.net:443"),
                settings(
                        "use host:port, ip:port, [ipv6]:port, an address or a network, each with an optional /tcp or /udp",
                        "CULVERT_BYPASS=a:b:c",
                        "CULVERT_BYPASS=198.51.100.0/24"),
                settings("use the address to reach", "CULVERT_BYPASS=0.0.0.0:5", "CULVERT_BYPASS=198.51.100.1:5"),
                settings(
                        "use none, or the networks without it",
                        "CULVERT_LAN_ALLOW=none,192.168.1.0/24",
                        "CULVERT_LAN_ALLOW=192.168.1.0/24"),
                settings("use a number such as 0x51000000", "CULVERT_MARK=x", "CULVERT_MARK=0x51000000"),
                settings("remove the setting, or use a number such as 0x51000000", "CULVERT_MARK=0", "CULVERT_MARK="),
                settings(
                        "remove the setting, or use a number whose bits 8 to 23 are clear, such as 0x51000000",
                        "CULVERT_MARK=0xca6c",
                        "CULVERT_MARK=0x51000000"),
                settings(
                        "use a number with a unit, such as 96MiB or 1GiB, or off for no limit",
                        "CULVERT_WIREGUARD_MEMORY=much",
                        "CULVERT_WIREGUARD_MEMORY=96MiB"),
                settings("add the unit: 96MiB", "CULVERT_WIREGUARD_MEMORY=96", "CULVERT_WIREGUARD_MEMORY=96MiB"),
                settings(
                        "use 96MiB, which keeps most of the speed",
                        "CULVERT_WIREGUARD_MEMORY=1MiB",
                        "CULVERT_WIREGUARD_MEMORY=96MiB"),
                settings(
                                "did you mean CULVERT_BYPASS?",
                                "CULVERT_BYPAS=198.51.100.1",
                                "CULVERT_BYPAS=; CULVERT_BYPASS=198.51.100.1")
                        .without("CULVERT_BYPAS"),
                settings(
                                "remove it, or see 'culvert up --help' for all settings",
                                "CULVERT_ZZZZZZZ=1",
                                "CULVERT_ZZZZZZZ=")
                        .without("CULVERT_ZZZZZZZ"),
                settings(
                        "use a shorter password",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=" + "x".repeat(256),
                        "CULVERT_SOCKS_PASSWORD=x"),
                settings(
                        "use one line with nothing but the password",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=a\nb",
                        "CULVERT_SOCKS_PASSWORD=a"),
                settings(
                        "use the name from the network file: letters, digits, hyphens and dots",
                        "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/etc/network.yaml; CULVERT_MESH_NODE=h u",
                        "CULVERT_MESH_NODE=hub"),
                settings(
                        "put the lower port first",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_UDP_PORTS=9-5",
                        "CULVERT_SOCKS_UDP_PORTS=5-9"),
                settings(
                        "use at most 64",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_UDP_PORTS=1000-9000",
                        "CULVERT_SOCKS_UDP_PORTS=1000-1063"),
                settings(
                        "use only the port that the service listens on; ports are mapped by the container engine",
                        "CULVERT_PUBLISH=80:8080",
                        "CULVERT_PUBLISH=8080"),
                settings("use /tcp or /udp", "CULVERT_PUBLISH=80/sctp", "CULVERT_PUBLISH=80/tcp"),
                settings(
                        "remove the user name and password",
                        "CULVERT_BYPASS=me:x@hs.example.net:443",
                        "CULVERT_BYPASS=hs.example.net:443"),
                settings("use a shorter text", "CULVERT_BYPASS=" + "x".repeat(2000), "CULVERT_BYPASS=198.51.100.1"),
                settings(
                        "remove accents and control characters",
                        "CULVERT_BYPASS=bücher.example:443",
                        "CULVERT_BYPASS=198.51.100.1"),
                settings(
                        "use the path of the file",
                        "CULVERT_WIREGUARD_CONFIG=/a\nb",
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf"),
                settings(
                        "use the path of that file",
                        "CULVERT_WIREGUARD_CONFIG=[Interface]\nPrivateKey = " + OWN,
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf"),
                settings(
                        "move the key to the setting or file that it belongs to", "CULVERT_DNS=" + OWN, "CULVERT_DNS="),
                settings(
                        "use a network such as 192.168.1.0/24, or an address",
                        "CULVERT_LAN_ALLOW=home",
                        "CULVERT_LAN_ALLOW=192.168.1.0/24"),
                settings(
                        "use 192.168.1.0/24 for the network, or 192.168.1.5 for the address",
                        "CULVERT_LAN_ALLOW=192.168.1.5/24",
                        "CULVERT_LAN_ALLOW=192.168.1.5"),
                settings(
                        "list only the networks to reach outside the tunnel",
                        "CULVERT_LAN_ALLOW=0.0.0.0/0",
                        "CULVERT_LAN_ALLOW=192.168.1.0/24"),
                settings(
                        "set only CULVERT_BYPASS",
                        "CULVERT_BYPASS=198.51.100.1; TSWG_HOLEPUNCH_ENDPOINTS=198.51.100.2",
                        "TSWG_HOLEPUNCH_ENDPOINTS="),
                settings(
                        "use true or false",
                        "CULVERT_SOCKS=perhaps",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=x"),
                settings(
                        "use a number from 1 to 65535",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_PORT=70000",
                        "CULVERT_SOCKS_PORT=1080"),
                settings("use one of them", "CULVERT_LOG=zzzzzzzzz", "CULVERT_LOG=info"),
                settings("did you mean info?", "CULVERT_LOG=inf", "CULVERT_LOG=info"),
                settings("use a port up to 65534", "CULVERT_PUBLISH=65535", "CULVERT_PUBLISH=65534"),
                settings(
                        "set CULVERT_SOCKS_USER and CULVERT_SOCKS_PASSWORD, or publish the port on 127.0.0.1 only",
                        "CULVERT_SOCKS=true",
                        "CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=x"));
    }

    private static Stream<Row> inTailscalesSettings() {
        String device = Hints.here().tunDevice() + "; " + Hints.here().netAdmin();
        return Stream.of(
                settings("remove it; this node is the exit node", "TS_EXTRA_ARGS=--exit-node=x", "TS_EXTRA_ARGS="),
                settings(
                        "remove it, unless you trust all nodes that may advertise routes in your tailnet",
                        "TS_EXTRA_ARGS=--accept-routes",
                        "TS_EXTRA_ARGS="),
                settings(
                        "remove it; " + device,
                        "TS_TAILSCALED_EXTRA_ARGS=--tun=userspace-networking",
                        "TS_TAILSCALED_EXTRA_ARGS="),
                settings("remove it; " + device, "TS_USERSPACE=true", "TS_USERSPACE="),
                settings(
                        "set TS_SOCKET instead",
                        "TS_TAILSCALED_EXTRA_ARGS=--socket=/x",
                        "TS_TAILSCALED_EXTRA_ARGS=; TS_SOCKET=/x"),
                settings("remove it", "TS_FORCE_LINUX_BIND_TO_DEVICE=true", "TS_FORCE_LINUX_BIND_TO_DEVICE="),
                settings(
                        "list only the networks behind this node; it is advertised as an exit node automatically",
                        "TS_ROUTES=0.0.0.0/1,128.0.0.0/1",
                        "TS_ROUTES=192.168.1.0/24"),
                settings("use 192.168.1.0/24", "TS_ROUTES=192.168.1.7/24", "TS_ROUTES=192.168.1.0/24"),
                settings("use 192.168.1.7/32", "TS_ROUTES=192.168.1.7", "TS_ROUTES=192.168.1.7/32"),
                settings("use subnets such as 192.168.1.0/24", "TS_ROUTES=home", "TS_ROUTES=192.168.1.0/24"),
                settings(
                        "use a number from 1 to 65535, such as --port=41641",
                        "TS_TAILSCALED_EXTRA_ARGS=--port=x",
                        "TS_TAILSCALED_EXTRA_ARGS=--port=41641"),
                settings(
                        "use a fixed port, such as --port=41641, or remove --port",
                        "TS_TAILSCALED_EXTRA_ARGS=--port=0",
                        "TS_TAILSCALED_EXTRA_ARGS="),
                settings(
                        "use --tun=tailscale0, or remove it",
                        "TS_TAILSCALED_EXTRA_ARGS=--tun=a/b",
                        "TS_TAILSCALED_EXTRA_ARGS=--tun=tailscale0"),
                settings(
                        "use another name, or remove it",
                        "TS_TAILSCALED_EXTRA_ARGS=--tun=wg0",
                        "TS_TAILSCALED_EXTRA_ARGS="),
                settings(
                        "use a URL, such as --login-server=https://headscale.example.com",
                        "TS_EXTRA_ARGS=--login-server=headscale",
                        "TS_EXTRA_ARGS=--login-server=https://headscale.example.com"),
                settings("remove it, unless your version of Tailscale supports it", "TS_ZZZZZZZZZZ=1", "TS_ZZZZZZZZZZ=")
                        .without("TS_ZZZZZZZZZZ"),
                settings("did you mean TS_HOSTNAME?", "TS_HOSTNAM=x", "TS_HOSTNAME=x")
                        .without("TS_HOSTNAM"),
                settings(
                        "run a second container with Tailscale's own image for that, or advertise a subnet with TS_ROUTES",
                        "TS_DEST_IP=192.0.2.7",
                        "TS_DEST_IP="),
                settings(
                        "set TS_STATE_DIR instead",
                        "TS_KUBE_SECRET=x",
                        "TS_KUBE_SECRET=; TS_STATE_DIR=/var/lib/tailscale"),
                settings("set TS_CLIENT_ID too", "TS_ID_TOKEN=x", "TS_CLIENT_ID=y"),
                settings("set only one of them", "TS_AUTHKEY=x; TS_CLIENT_SECRET=y", "TS_CLIENT_SECRET="),
                settings(
                        "use TS_ENABLE_HEALTH_CHECK, with TS_LOCAL_ADDR_PORT for another port",
                        "TS_HEALTHCHECK_ADDR_PORT=:9; TS_ENABLE_HEALTH_CHECK=true",
                        "TS_HEALTHCHECK_ADDR_PORT=; TS_LOCAL_ADDR_PORT=:9"));
    }

    private static Stream<Row> inOtherFiles() {
        String mesh = "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/" + CLIENTS;
        String node = "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/" + NETWORK + "; CULVERT_MESH_NODE=hub";
        String proxy = "CULVERT_SOCKS=true; CULVERT_SOCKS_CONFIG=/" + PROXY;
        return Stream.of(
                withFile(mesh, CLIENTS, "add ListenPort = 51820", "ListenPort = 51821\n", "", "")
                        .repairedBy(CLIENTS, "Address", "ListenPort = 51820\nAddress"),
                withFile(
                        mesh,
                        CLIENTS,
                        "use the client's own addresses, such as 10.99.0.2/32",
                        "10.99.0.2/32",
                        "0.0.0.0/0",
                        "10.99.0.2/32"),
                withFile(
                        mesh,
                        CLIENTS,
                        "use another range for the mesh, such as 10.99.0.0/24",
                        "10.99.0.2/32",
                        "10.64.0.0/16",
                        "10.99.0.0/24"),
                withFile(
                        mesh,
                        TUNNEL,
                        "use another port here, or delete that line from the provider's file",
                        "DNS",
                        "ListenPort = 51821\nDNS",
                        "DNS"),
                withFile(
                                node,
                                NETWORK,
                                "set listenPort: 51820 there, or another port that it has in no other subnet",
                                "listenPort: 51820, ",
                                "",
                                "")
                        .and(NETWORK, "{ip: 192.0.2.1}", "{ip: 192.0.2.1, port: 51820}")
                        .repairedBy(NETWORK, "ipAddresses: [10.0.0.1]", "listenPort: 51820, ipAddresses: [10.0.0.1]"),
                settings(
                        "set CULVERT_MESH_NODE to the peer's name",
                        "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/" + NETWORK,
                        "CULVERT_MESH_NODE=hub"),
                settings("did you mean 'hub'?", node.replace("=hub", "=hob"), "CULVERT_MESH_NODE=hub"),
                settings(
                        "list the peers: culvert mesh list",
                        node.replace("=hub", "=somebody"),
                        "CULVERT_MESH_NODE=hub"),
                withFile(node, NETWORK, "delete its 'via'", "    exit: true\n", "    via: phone\n", "")
                        .and(NETWORK, "groups: [phones]", "exit: true"),
                withFile(
                        node,
                        NETWORK,
                        "create it with 'culvert mesh keygen', or correct the path in the network file",
                        "@root@/etc/wg-key",
                        "@root@/etc/none",
                        "@root@/etc/wg-key"),
                withFile(
                        node,
                        NETWORK,
                        "correct publicKey or privateKeyFile in the network file",
                        PUBLIC_OF_OWN,
                        SERVER,
                        PUBLIC_OF_OWN),
                withFile(
                        node,
                        "etc/wg-key",
                        "move the file away, then generate a key: culvert mesh keygen @root@/etc/wg-key",
                        OWN,
                        "nothing",
                        OWN),
                withFile(
                        node,
                        NETWORK,
                        "move the routes to a peer that does not run 'culvert up'",
                        "exit: true",
                        "exit: true\n    routes: [192.168.7.0/24]",
                        "exit: true"),
                withFile(
                        proxy,
                        PROXY,
                        "add 'internal: 0.0.0.0 port = 1080'",
                        "internal: 0.0.0.0 port = 1080\n",
                        "\n",
                        "internal: 0.0.0.0 port = 1080\n"),
                withFile(
                        proxy,
                        PROXY,
                        "use one port for all 'internal' lines",
                        "internal: 0.0.0.0 port = 1080\n",
                        "internal: 0.0.0.0 port = 1080\ninternal: :: port = 1081\n",
                        "internal: 0.0.0.0 port = 1080\ninternal: :: port = 1080\n"),
                withFile(proxy, PROXY, "add 'external: wg0'", "external: wg0\n", "", "")
                        .repairedBy(PROXY, "internal", "external: wg0\ninternal"),
                withFile(proxy, PROXY, "use 'wg0'", "external: wg0", "external: eth0", "external: wg0"),
                withFile(
                        proxy,
                        PROXY,
                        "use a port number from 1 to 65535",
                        "port = 1080",
                        "port = 99999",
                        "port = 1080"));
    }
}
