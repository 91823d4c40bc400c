// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Follows each hint about a command line or a file of the mesh commands, and checks that the command then succeeds. */
public class FollowedCommandHintsTest {

    private static final SecretKey HUB = KeyGenerator.generatePrivate();
    private static final SecretKey PHONE = KeyGenerator.generatePrivate();

    private static final SecretKey DESK = KeyGenerator.generatePrivate();
    private static final SecretKey TABLET = KeyGenerator.generatePrivate();
    private static final SecretKey STRAY = KeyGenerator.generatePrivate();

    private static final Map<String, SecretKey> KEYS = Map.of("phone", PHONE, "tablet", TABLET, "stray", STRAY);

    @TempDir
    private Path directory;

    /**
     * A row of the table, in which {@code @} stands for the directory.
     *
     * @param faulty the command that prints the hint
     * @param follow the steps to follow the hint: commands of culvert, or {@code move FILE} away, {@code bring FILE},
     *     {@code public PEER} into the network file, {@code keygen FILE PEER}
     */
    record Row(String hint, String faulty, List<String> follow) {

        Row(String hint, String faulty, String... follow) {
            this(hint, faulty, List.of(follow));
        }

        @Override
        public String toString() {
            return hint;
        }
    }

    @BeforeEach
    void network() throws IOException {
        Files.writeString(directory.resolve("hub.key"), text(HUB) + "\n");
        Files.writeString(directory.resolve("garbage.key"), "nothing\n");
        Files.writeString(directory.resolve("network.yaml"), """
                version: v1
                subnets: [{name: home}, {name: lab}]
                peers:
                  - name: hub
                    publicKey: %s
                    privateKeyFile: hub.key
                    subnets: {home: {listenPort: 51820, ipAddresses: [10.0.0.1]}, lab: {listenPort: 51821}}
                    endpoints: [{ip: vpn.example.net}]
                  - name: phone
                    publicKey: %s
                    privateKeyFile: garbage.key
                    subnets: {home: {ipAddresses: [10.0.0.2]}}
                  - name: tablet
                    publicKey: %s
                    external: true
                    subnets: {home: {ipAddresses: [10.0.0.3]}}
                  - name: lonely
                    publicKey: %s
                    external: true
                    subnets: {}
                  - name: desk
                    publicKey: %s
                    privateKeyFile: absent.key
                    subnets: {home: {ipAddresses: [10.0.0.4]}}
                  - name: stray
                    publicKey: %s
                    privateKeyFile: stray.key
                    subnets: {home: {ipAddresses: [10.0.0.5]}}
                connections:
                  - a: [{type: peer, rule: is, value: hub}]
                    b: [{type: subnet, rule: is, value: home}]
                    subnets: [home]
                """.formatted(
                        KeyGenerator.publicOf(HUB),
                        KeyGenerator.publicOf(PHONE),
                        KeyGenerator.publicOf(TABLET),
                        KeyGenerator.publicOf(KeyGenerator.generatePrivate()),
                        KeyGenerator.publicOf(DESK),
                        KeyGenerator.publicOf(STRAY)));
        Files.writeString(directory.resolve("stray.key"), text(KeyGenerator.generatePrivate()) + "\n");
        Files.writeString(directory.resolve("wg0.conf"), """
                [Interface]
                PrivateKey = %s
                Address = 10.0.0.1/24

                [Peer]
                PublicKey = %s
                AllowedIPs = 10.0.0.2/32
                Endpoint = vpn.example.net:51820
                """.formatted(text(HUB), KeyGenerator.publicOf(PHONE)));
    }

    private static String text(SecretKey key) {
        return Base64.getEncoder().encodeToString(key.bytes());
    }

    private CommandRun run(String line) {
        return CommandRun.of(
                Map.of("CULVERT_MESH_CONFIG", directory.resolve("network.yaml").toString()),
                directory,
                line.replace("@", directory.toString()).split(" ", -1));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void following_a_hint_solves_the_problem(Row row) throws IOException {
        CommandRun faulty = run(row.faulty);
        assertThat(faulty.err()
                        .lines()
                        .map(line -> line.strip().replaceFirst("^hint: ", ""))
                        .map(line -> line.replace(directory.toString(), "@")))
                .as(faulty.err())
                .anyMatch(line -> line.matches(Pattern.quote(row.hint).replace("…", "\\E.+\\Q")));

        for (String step : row.follow) {
            follow(step, faulty.err());
        }
    }

    private void follow(String step, String output) throws IOException {
        String[] words = step.split(" ", 2);
        switch (words[0]) {
            case "move" -> Files.move(directory.resolve(words[1]), directory.resolve(words[1] + ".away"));
            case "public" -> {
                // The key is in the hint, or printed by keygen.
                String key = Pattern.compile("[A-Za-z0-9+/]{43}=")
                        .matcher(output)
                        .results()
                        .reduce((_, last) -> last)
                        .orElseThrow()
                        .group();
                edit(
                        KeyGenerator.publicOf(Objects.requireNonNull(KEYS.get(words[1])))
                                .toString(),
                        key);
            }
            case "name" ->
                edit(
                        "external: true\n    subnets: {home: {ipAddresses: [10.0.0.3]}}",
                        "privateKeyFile: tablet.key\n    subnets: {home: {ipAddresses: [10.0.0.3]}}");
            case "bring" -> Files.writeString(directory.resolve(words[1]), text(DESK) + "\n");
            case "keygen" -> {
                String[] fileAndPeer = words[1].split(" ", 2);
                CommandRun result = run("mesh keygen " + fileAndPeer[0]);
                assertThat(result.status()).as(result.err()).isZero();
                follow("public " + fileAndPeer[1], result.out());
            }
            default -> {
                CommandRun result = run(step);
                assertThat(result.status()).as(step + ": " + result.err()).isZero();
            }
        }
    }

    private void edit(String before, String after) throws IOException {
        Path file = directory.resolve("network.yaml");
        String text = Files.readString(file);
        assertThat(text).contains(before);
        Files.writeString(file, text.replace(before, after));
    }

    /** Returns the hints that are followed here, for HintCoverageTest. */
    public static Stream<FollowedHint> hints() {
        return rows().map(row -> new FollowedHint(Set.of("cli", "mesh"), row.hint));
    }

    private static Stream<Row> rows() {
        return Stream.of(
                new Row("see 'culvert mesh --help'", "mesh zzzzzzzz", "mesh --help"),
                new Row("did you mean list?", "mesh lits", "mesh list"),
                new Row(
                        "see 'culvert mesh list' for all peers",
                        "mesh render nobody",
                        "mesh list",
                        "mesh render tablet"),
                new Row("did you mean tablet?", "mesh render tablt", "mesh render tablet"),
                new Row(
                        "move the file away, then generate a key: culvert mesh keygen @/garbage.key",
                        "mesh render phone --with-keys",
                        "move garbage.key",
                        "keygen @/garbage.key phone",
                        "mesh render phone --with-keys"),
                new Row(
                        "run this command on the machine that has the key; a comment is written instead of the key",
                        "mesh render desk --with-keys",
                        "bring absent.key",
                        "mesh render desk --with-keys"),
                new Row("set publicKey in the network file to: …", "mesh qr stray", "public stray", "mesh qr stray"),
                new Row(
                        "move away a file that is not a key, and generate a key with 'culvert mesh keygen FILE'; the key of a"
                                + " phone stays on the machine that makes its code",
                        "mesh qr phone",
                        "move garbage.key",
                        "keygen @/garbage.key phone",
                        "mesh qr phone"),
                new Row(
                        "generate a key with 'culvert mesh keygen FILE', and add privateKeyFile and publicKey to the network file",
                        "mesh qr tablet",
                        "keygen @/tablet.key tablet",
                        "name tablet.key",
                        "mesh qr tablet"),
                new Row(
                        "generate its configuration: culvert mesh render tablet",
                        "mesh up tablet",
                        "mesh render tablet"),
                new Row("choose one of them with --subnet", "mesh qr hub", "mesh qr hub --subnet home"),
                new Row("add one to its 'subnets'", "mesh qr lonely", "mesh list"),
                new Row(
                        "use another file, or remove it if it is not needed",
                        "mesh keygen @/hub.key",
                        "mesh keygen @/new.key"),
                new Row(
                        "use a directory that you can write to",
                        "mesh keygen /proc/none/new.key",
                        "mesh keygen @/new.key"),
                new Row(
                        "use wg-quick files, a wg-meshconf CSV, or JSON",
                        "mesh import @/none.conf --keys @/keys",
                        "mesh import @/wg0.conf --keys @/keys"));
    }
}
