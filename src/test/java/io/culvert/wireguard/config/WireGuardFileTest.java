// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.wireguard.config.WireGuardFile.Parsed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cases that the corpus cannot contain: unreadable files, and file names. */
class WireGuardFileTest {

    private static final Path NAME = Path.of("wg0.conf");

    @TempDir
    Path folder;

    @Test
    void a_missing_file_is_reported() {
        assertThat(problem(folder.resolve("none.conf")))
                .endsWith("none.conf: file not found\n    hint: " + Hints.here().missingFile());
    }

    @Test
    void a_directory_is_not_a_file() {
        assertThat(problem(folder)).contains(": this is a directory");
    }

    @Test
    void a_huge_file_is_rejected() throws IOException {
        Path file = folder.resolve("huge.conf");
        Files.write(file, new byte[2 << 20]);

        assertThat(problem(file)).contains("huge.conf: this file is larger than 1 MiB");
    }

    @Test
    void an_endless_file_is_rejected() {
        assertThat(problem(Path.of("/dev/zero"))).contains("/dev/zero: this file is larger than 1 MiB");
    }

    @Test
    void a_read_error_is_reported() {
        assertThat(problem(Path.of("/proc/self/mem"))).contains("/proc/self/mem: cannot read this file");
    }

    @Test
    void at_most_a_hundred_and_one_problems_are_reported() {
        Parsed parsed = WireGuardFile.parse(NAME, "[Interface]\n" + "x = 1\nMTU =\n[Peer]\n".repeat(60_000));

        assertThat(parsed.config()).isEmpty();
        assertThat(parsed.problems()).hasSize(101);
        assertThat(parsed.problems(FileUse.EXIT_NODE).getLast().message()).matches("and [0-9]+ more problems");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[Peer]\nAllowedIPs = %s",
                "[Peer]\nEndpoint = %s:1",
                "[Peer]\nReserved = %s",
                "[Interface]\nPrivateKey = %s",
                "[Interface]\nAddress = %s",
                "[Interface]\nDNS = %s",
                "[Interface]\nPostUp = iptables %s",
                "[Interface]\nMTU = %s",
                "[Interface]\n%s",
                "[Interface]\n%s = 1",
                "[%s]\n",
                "#%s\n[Peer]",
            })
    void a_long_value_is_parsed_without_stack_overflow(String template) {
        for (String piece : new String[] {"a.", ",0", " ! -o -j ", "A", "1", " ", "-", "0.0.0.0/0,", ":", "= "}) {
            Parsed parsed = WireGuardFile.parse(NAME, template.replace("%s", piece.repeat((1 << 16) / piece.length())));

            assertThat(parsed.config()).isEmpty();
            assertThat(parsed.problems(FileUse.EXIT_NODE))
                    .allMatch(problem -> problem.toString().length() < 1000);
        }
    }

    @Test
    void a_peer_with_the_interfaces_own_key_is_rejected() {
        String privateKey = Base64.getEncoder()
                .encodeToString("culvert-test-private-key-0000001".getBytes(StandardCharsets.US_ASCII));
        PublicKey own = KeyGenerator.publicOf(SecretKey.parse(privateKey));

        Parsed parsed = WireGuardFile.parse(
                NAME,
                "[Interface]\nPrivateKey = %s\nAddress = 10.64.0.2\n[Peer]\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0\n"
                        .formatted(privateKey, own));

        assertThat(parsed.problems(FileUse.EXIT_NODE)).singleElement().hasToString("""
                wg0.conf:5:1: PublicKey is the key of this interface, not of the peer
                    hint: use the public key of the server""");
    }

    @ParameterizedTest
    @CsvSource({
        "/etc/wireguard/wg0.conf, wg0",
        "a-b_c=d+e.f.conf, a-b_c=d+e.f",
        "run/secrets/tunnel, tunnel",
        "fifteen-letters.conf, fifteen-letters",
    })
    void the_interface_name_is_derived_from_the_file_name(Path file, String name) {
        assertThat(WireGuardFile.interfaceName(file)).contains(name);
        assertThat(WireGuardFile.interfaceNameProblem(file)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "My VPN (NL#5).conf, My-VPN-NL-5.conf",
        "sixteen-letters-.conf, sixteen-letters.conf",
        "-(.conf, wg0.conf",
        "...conf, wg0.conf",
        ".conf, wg0.conf",
        "/, wg0.conf",
    })
    void an_invalid_interface_name_is_reported_with_a_suggestion(Path file, String suggestion) {
        assertThat(WireGuardFile.interfaceName(file)).isEmpty();
        assertThat(WireGuardFile.interfaceNameProblem(file).orElseThrow().hint())
                .isEqualTo("rename the file, for example to " + suggestion);
    }

    @Test
    void a_file_with_an_invalid_interface_name_is_parsed_as_wg0() {
        Path file = Path.of("src/test/resources/wireguard/good/My VPN (NL#5).conf");

        assertThat(WireGuardFile.read(file).config().orElseThrow().name()).isEqualTo("wg0");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    iptables -I OUTPUT ! -o %i -m mark ! --mark $(wg show %i fwmark) -j REJECT  | KILL_SWITCH
                    ip6tables-nft -P OUTPUT DROP; iptables -P OUTPUT DROP                       | KILL_SWITCH
                    resolvectl dns %i 10.2.0.1 && resolvectl domain %i ~.                       | RESOLVER
                    echo nameserver 10.2.0.1 > /etc/resolv.conf                                 | RESOLVER
                    ip rule add to 192.168.0.0/16 lookup main                                   | LAN_BYPASS
                    iptables -I OUTPUT -d 10.0.0.0/8 -j ACCEPT && iptables -P OUTPUT DROP       | LAN_BYPASS
                    sysctl -w net.ipv4.ip_forward=1                                             | FORWARDING
                    iptables -A FORWARD -o %i -p tcp -j TCPMSS --clamp-mss-to-pmtu              | FORWARDING
                    ip rule add fwmark 7 lookup 200                                             | UNKNOWN
                    iptables -P OUTPUT DROP && curl https://api.example.test                    | UNKNOWN
                    ;                                                                           | UNKNOWN
                    """)
    void a_hooks_intent_is_known_if_all_its_commands_are_recognized(String command, Hook.Intent intent) {
        assertThat(Hook.Intent.of(command)).isEqualTo(intent);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    EXIT_NODE               | NOTE    | PostUp is a kill switch: not run, Culvert has its own kill switch
                    TUNNEL                  | WARNING | PostUp is a kill switch: it is not run, so packets may bypass the tunnel
                    TUNNEL_WITH_KILL_SWITCH | NOTE    | PostUp is a kill switch: it is not run, as --kill-switch replaces it
                    """)
    void the_use_of_a_file_decides_how_a_hook_is_reported(FileUse use, Problem.Kind kind, String message) {
        Parsed parsed = WireGuardFile.parse(NAME, "[Interface]\nPostUp = iptables -P OUTPUT DROP");

        assertThat(parsed.problems(use))
                .filteredOn(problem -> problem.message().startsWith("PostUp"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.kind()).isEqualTo(kind))
                .satisfies(problem -> assertThat(problem.message()).isEqualTo(message))
                .satisfies(problem -> assertThat(problem.location()).isEqualTo(Location.file(NAME, 2, 1)));
    }

    @Test
    void variable_assignments_before_a_program_are_not_its_name() {
        Hook hook = new Hook("PreUp", "TOKEN=open-sesame curl https://api.example.test", 3, Hook.Intent.UNKNOWN);

        assertThat(hook.program()).isEqualTo("curl");
        assertThat(hook).hasToString("PreUp = curl …");
    }

    @Test
    void the_setconf_form_contains_the_keys_of_wg_only() {
        Path file = Path.of("src/test/resources/wireguard/good/14-home.conf");
        WireGuardConfig config = WireGuardFile.read(file).config().orElseThrow();

        assertThat(keys(WireGuardText.setconf(config)))
                .containsExactly("PrivateKey", "ListenPort", "FwMark", "PublicKey", "AllowedIPs", "Endpoint");
        assertThat(config.toString() + WireGuardText.withoutSecrets(config)).doesNotContain("Y3VsdmVydC10ZXN0LXByaXZ");
    }

    private static Stream<String> keys(String text) {
        return text.lines().filter(line -> line.contains("=")).map(line -> line.substring(0, line.indexOf(' ')));
    }

    private static String problem(Path file) {
        Parsed parsed = WireGuardFile.read(file);
        assertThat(parsed.config()).isEmpty();
        assertThat(parsed.problems(FileUse.EXIT_NODE))
                .singleElement()
                .extracting(Problem::kind)
                .isEqualTo(Problem.Kind.INPUT);
        return parsed.problems(FileUse.EXIT_NODE).getFirst().toString();
    }
}
