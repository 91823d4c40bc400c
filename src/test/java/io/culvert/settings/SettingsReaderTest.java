// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.ProblemException;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.settings.MeshSettings.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsReaderTest {

    @TempDir
    private Path root;

    @Test
    void one_file_in_the_default_directory_is_sufficient() {
        Settings settings = given().settings();

        assertThat(settings.wireGuard().files()).containsExactly(given().path("/etc/wireguard/wg0.conf"));
        assertThat(settings.wireGuard().implementation()).hasToString("auto");
        assertThat(settings.wireGuard().memory()).hasToString("96MiB");
        assertThat(settings.mesh().kind()).isEqualTo(Kind.TAILSCALE);
        assertThat(settings.bypasses()).isEmpty();
        assertThat(settings.socks().enabled()).isFalse();
        assertThat(settings.socks().port()).isEqualTo(1080);
        assertThat(settings.socks().allow()).contains(Prefix.parse("192.168.0.0/16"), Prefix.parse("fc00::/7"));
        assertThat(settings.lan().connected()).isTrue();
        assertThat(settings.mtu()).isEmpty();
        assertThat(settings.mark()).isEqualTo(0x51000000L);
        assertThat(settings.leakTest()).isTrue();
        assertThat(settings.log()).isEqualTo(Log.Level.INFO);
        assertThat(given().problems()).isEmpty();
    }

    @Test
    void every_setting_can_be_set() {
        Settings settings = given().file("/etc/culvert/mesh.conf", "[Interface]\n")
                .file("/run/secrets/socks", "correct horse\n")
                .set("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")
                .set("CULVERT_WIREGUARD_MEMORY", "64MiB")
                .set("CULVERT_SERVER_ORDER", "random")
                .set("CULVERT_SERVER_RETURN", "2h")
                .set("CULVERT_PROBE", "off")
                .set("CULVERT_MESH", "WireGuard")
                .set("CULVERT_MESH_CONFIG", "/etc/culvert/mesh.conf")
                .set("CULVERT_BYPASS", "hs.example.net:443, 203.0.113.0/24/udp")
                .set("CULVERT_SOCKS", "yes")
                .set("CULVERT_SOCKS_PORT", "1081")
                .set("CULVERT_SOCKS_ALLOW", "10.0.0.0/8")
                .set("CULVERT_SOCKS_USER", "anna")
                .set("CULVERT_SOCKS_PASSWORD_FILE", "/run/secrets/socks")
                .set("CULVERT_PUBLISH", "8080 53/udp")
                .set("CULVERT_LAN_ALLOW", "none")
                .set("CULVERT_DNS", "10.64.0.1")
                .set("CULVERT_MTU", "1380")
                .set("CULVERT_MARK", "0x52000000")
                .set("CULVERT_LEAK_TEST", "off")
                .set("CULVERT_LOG", "debug")
                .settings();

        assertThat(settings.mesh().file()).contains(given().path("/etc/culvert/mesh.conf"));
        assertThat(settings.bypasses())
                .extracting(BypassEntry::toString)
                .containsExactly("hs.example.net:443", "203.0.113.0/24/udp");
        assertThat(settings.socks().login())
                .contains(new Login(new AccountName("anna"), Password.parse("correct horse")));
        assertThat(settings.published()).extracting(Port::toString).containsExactly("8080/tcp", "53/udp");
        assertThat(settings.dns()).extracting(Prefix::text).containsExactly("10.64.0.1");
        assertThat(settings.mtu()).isEqualTo(OptionalInt.of(1380));
        assertThat(settings.lan()).hasToString("none");
        assertThat(settings.leakTest()).isFalse();
        assertThat(settings.wireGuard().order()).isEqualTo(ServerOrder.RANDOM);
        assertThat(settings.wireGuard().returnAfter()).contains(Duration.ofHours(2));
        assertThat(settings.wireGuard().probe()).isFalse();
    }

    @Test
    void every_alias_is_accepted() {
        Settings settings = given().file("/wg/proton.conf", "[Interface]\n")
                .file("/etc/my-sockd.conf", "")
                .set("WG_CONFIG", "/wg/proton.conf")
                .set("HOLEPUNCH_ENDPOINTS", "203.0.113.7:443")
                .set("TSWG_SOCKD_ENABLED", "true")
                .set("TSWG_SOCKD_FILE", "/etc/my-sockd.conf")
                .settings();

        assertThat(settings.wireGuard().files()).containsExactly(given().path("/wg/proton.conf"));
        assertThat(settings.bypasses()).hasSize(1);
        assertThat(settings.socks().config()).contains(given().path("/etc/my-sockd.conf"));
        assertThat(given().file("/wg/proton.conf", "")
                        .set("TSWG_WGCONF", "/wg/proton.conf")
                        .settings()
                        .wireGuard()
                        .files())
                .hasSize(1);
        assertThat(given().set("TSWG_HOLEPUNCH_ENDPOINTS", "203.0.113.7:443")
                        .settings()
                        .bypasses())
                .hasSize(1);
        assertThat(given().set("TSWG_SOCKD_ENABLED", "1")
                        .set("TSWG_SOCKD_PORT", "1081")
                        .settings()
                        .socks()
                        .port())
                .isEqualTo(1081);
    }

    @Test
    void an_empty_variable_counts_as_unset() {
        assertThat(given().set("CULVERT_SOCKS_PORT", "")
                        .set("TSWG_SOCKD_PORT", " ")
                        .set("CULVERT_MTU_FILE", "")
                        .read())
                .satisfies(loaded -> {
                    assertThat(loaded.problems()).isEmpty();
                    assertThat(loaded.orThrow().socks().port()).isEqualTo(1080);
                });
    }

    @Test
    void all_problems_are_reported_at_once_by_the_names_in_use() throws IOException {
        SettingsFixture given = given().set("TSWG_SOCKD_PORT", "70000")
                .set("HOLEPUNCH_ENDPOINTS", "hs.example.net")
                .set("CULVERT_MESH", "wirguard")
                .set("CULVERT_SOKS", "true")
                .set("TS_USERSPACE", "true");
        Files.delete(given.path("/etc/wireguard/wg0.conf"));

        assertThat(given.problems())
                .containsExactly(
                        "CULVERT_SOKS: unknown setting | did you mean CULVERT_SOCKS?",
                        "CULVERT_MESH: 'wirguard' is not one of tailscale, wireguard, none | did you mean wireguard?",
                        "TSWG_SOCKD_PORT: '70000' is not a valid port | use a number from 1 to 65535",
                        "HOLEPUNCH_ENDPOINTS: item 1: 'hs.example.net' is a host name without a port"
                                + " | add the port: hs.example.net:443",
                        "TSWG_SOCKD_PORT: warning: has no effect while CULVERT_SOCKS is not true"
                                + " | remove it, or change CULVERT_SOCKS",
                        "TS_USERSPACE: true is refused, because Tailscale would forward the traffic of exit-node clients"
                                + " outside the tunnel, with the real address"
                                + " | remove it; " + Hints.here().tunDevice() + "; "
                                + Hints.here().netAdmin(),
                        "CULVERT_WIREGUARD_CONFIG: not set, and /etc/wireguard contains no *.conf file"
                                + " | " + Hints.here().provideFile("your provider's file", "/etc/wireguard/wg0.conf")
                                + ", or set CULVERT_WIREGUARD_CONFIG to its path");
        assertThat(given.read().settings()).isEmpty();
        assertThat(catchThrowableOfType(ProblemException.class, given::settings).exitStatus())
                .isEqualTo(2);
    }

    @Test
    void the_files_are_returned_even_if_a_setting_is_invalid() {
        assertThat(given().set("CULVERT_SOCKS", "perhaps").read().wireGuardFiles())
                .hasSize(1);
    }

    @Test
    void two_names_of_a_setting_must_have_the_same_value() {
        assertThat(given().set("CULVERT_SOCKS", "true")
                        .set("TSWG_SOCKD_ENABLED", "yes")
                        .problems())
                .isEmpty();
        assertThat(given().set("TSWG_WGCONF", "/a.conf")
                        .set("WG_CONFIG", "/b.conf")
                        .problems())
                .contains("TSWG_WGCONF: differs from WG_CONFIG, another name of the same setting"
                        + " | set only CULVERT_WIREGUARD_CONFIG");
    }

    @Test
    void a_value_and_its_file_variable_cannot_be_combined() {
        assertThat(given().file("/log", "debug")
                        .set("CULVERT_LOG", "debug")
                        .set("CULVERT_LOG_FILE", "/log")
                        .problems())
                .containsExactly("CULVERT_LOG: cannot be combined with CULVERT_LOG_FILE | set only one of them");
    }

    @ParameterizedTest
    @ValueSource(strings = {"secret", "secret\n", "secret\r\n"})
    void a_line_end_after_a_secret_is_removed(String content) {
        Settings settings = given().file("/run/secrets/p", content)
                .set("CULVERT_SOCKS", "true")
                .set("CULVERT_SOCKS_USER", "anna")
                .set("CULVERT_SOCKS_PASSWORD_FILE", "/run/secrets/p")
                .settings();

        assertThat(settings.socks().login().orElseThrow().password().text()).isEqualTo("secret");
    }

    @Test
    void every_name_of_a_setting_has_a_file_variable() {
        Settings settings = given().file("/run/config/punch", "203.0.113.7:443\n203.0.113.8:443\n")
                .file("/run/config/own", "/etc/own.conf\n")
                .set("HOLEPUNCH_ENDPOINTS_FILE", "/run/config/punch")
                .set("CULVERT_SOCKS", "on")
                .set("TSWG_SOCKD_FILE_FILE", "/run/config/own")
                .file("/etc/own.conf", "")
                .settings();

        assertThat(settings.bypasses()).hasSize(2);
        assertThat(settings.socks().config()).contains(given().path("/etc/own.conf"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "/none        | /none does not exist",
                "/directory   | /directory is not a file",
                "/empty       | /empty is empty",
                "/line-end    | /line-end is empty",
                "/binary      | /binary is not a text file",
                "/huge        | /huge is larger than 1 MiB",
                "/two-lines   | /two-lines: contains control characters",
            })
    void an_invalid_file_is_reported_with_its_variable_and_path(String path, String message) throws IOException {
        SettingsFixture given = given().file("/directory/x", "")
                .file("/empty", "")
                .file("/line-end", "\n")
                .file("/huge", "x".repeat((1 << 20) + 1))
                .file("/two-lines", "one\ntwo\n");
        Files.write(given.path("/binary"), new byte[] {(byte) 0xff, 0, 1});

        assertThat(given.set("CULVERT_SOCKS", "true")
                        .set("CULVERT_SOCKS_USER", "anna")
                        .set("CULVERT_SOCKS_PASSWORD_FILE", path)
                        .problems())
                .singleElement()
                .asString()
                .startsWith("CULVERT_SOCKS_PASSWORD_FILE: " + message)
                .contains(" | ");
    }

    @Test
    void an_unreadable_file_is_reported() {
        // A regular file whose first page is never mapped: reading it fails for root, too.
        LoadedSettings loaded = new SettingsReader(Map.of("CULVERT_LOG_FILE", "/proc/self/mem"), Path.of("/")).read();

        assertThat(loaded.problems())
                .anySatisfy(problem ->
                        assertThat(problem.toString()).startsWith("CULVERT_LOG_FILE: /proc/self/mem cannot be read"));
    }

    @Test
    void a_directory_yields_its_files_sorted_by_name_without_the_mesh_file() {
        SettingsFixture given = given().file("/vpn/20-b.conf", "")
                .file("/vpn/10-a.conf", "")
                .file("/vpn/mesh.conf", "")
                .file("/vpn/readme.txt", "")
                .file("/vpn/.hidden.conf", "")
                .file("/vpn/directory.conf/x", "")
                .set("CULVERT_WIREGUARD_CONFIG", "/vpn")
                .set("CULVERT_MESH", "wireguard")
                .set("CULVERT_MESH_CONFIG", "/vpn/mesh.conf");

        assertThat(given.settings().wireGuard().files())
                .containsExactly(given.path("/vpn/10-a.conf"), given.path("/vpn/20-b.conf"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "CULVERT_WIREGUARD_CONFIG | /none.conf | /none.conf does not exist",
                "TSWG_WGCONF              | /none.conf | /none.conf does not exist",
                "CULVERT_WIREGUARD_CONFIG | /vacant    | /vacant contains no *.conf file",
                "WG_CONFIG                | wg0        | 'wg0' is not an absolute path",
            })
    void a_missing_tunnel_file_is_reported(String name, String path, String message) {
        assertThat(given().file("/vacant/readme.txt", "").set(name, path).problems())
                .singleElement()
                .asString()
                .startsWith(name + ": " + message)
                .contains(" | ");
    }

    @Test
    void service_links_of_kubernetes_are_ignored() {
        SettingsFixture given = given().set("KUBERNETES_SERVICE_HOST", "10.0.0.1")
                .set("CULVERT_SERVICE_HOST", "10.0.0.7")
                .set("CULVERT_PORT_1080_TCP_ADDR", "10.0.0.7")
                .set("CULVERT_SOCKS_PORT", "tcp://10.0.0.7:1080")
                .set("CULVERT_SOCKS_PORT_1080_TCP", "tcp://10.0.0.7:1080");

        assertThat(given.problems())
                .singleElement()
                .asString()
                .startsWith("CULVERT_SOCKS_PORT: note: ignored, because it is the link that Kubernetes sets");
        assertThat(given.settings().socks().port()).isEqualTo(1080);
        assertThat(given().set("CULVERT_SERVICE_HOST", "x").problems()).hasSize(1);
    }

    @Test
    void ten_thousand_bypasses_are_accepted() {
        String bypasses = String.join(
                "\n",
                IntStream.range(0, 10_000)
                        .mapToObj(i -> "10." + i / 250 + ".0." + i % 250 + ":443/tcp")
                        .toList());

        assertThat(given().file("/bypasses", bypasses)
                        .set("CULVERT_BYPASS_FILE", "/bypasses")
                        .settings()
                        .bypasses())
                .hasSize(10_000);
    }

    private SettingsFixture given() {
        return new SettingsFixture(root);
    }
}
