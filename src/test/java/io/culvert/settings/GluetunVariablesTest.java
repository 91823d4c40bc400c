// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.TextFile;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.config.WireGuardFile;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GluetunVariablesTest {

    private static final String KEY = "6D/THBwDlbO4mE6bYRVLIEnyTTsJfZU3MpNYyxxcUVU=";

    @TempDir
    private Path root;

    /** Returns the variables of gluetun's own example for a custom WireGuard server. */
    private SettingsFixture custom() {
        return new SettingsFixture(root)
                .set("VPN_SERVICE_PROVIDER", "custom")
                .set("VPN_TYPE", "wireguard")
                .set("WIREGUARD_ENDPOINT_IP", "192.0.2.10")
                .set("WIREGUARD_ENDPOINT_PORT", "51820")
                .set("WIREGUARD_PUBLIC_KEY", "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=")
                .set("WIREGUARD_PRIVATE_KEY", KEY)
                .set("WIREGUARD_ADDRESSES", "10.64.222.21/32,fd00:64::2");
    }

    private static WireGuardConfig server(SettingsFixture given) {
        return WireGuardFile.parse(
                        WireGuardVariables.NAME,
                        given.read().wireGuardVariables().orElseThrow().text())
                .config()
                .orElseThrow();
    }

    @Test
    void a_custom_server_is_described_by_variables() {
        SettingsFixture given = custom();

        assertThat(given.problems()).isEmpty();
        WireGuardConfig server = server(given);
        assertThat(server.addresses()).containsExactly(Prefix.parse("10.64.222.21/32"), Prefix.parse("fd00:64::2/128"));
        assertThat(server.peers().getFirst().endpoint().orElseThrow()).hasToString("192.0.2.10:51820");
        assertThat(server.peers().getFirst().allowedIps())
                .containsExactlyInAnyOrder(Prefix.parse("0.0.0.0/0"), Prefix.parse("::/0"));
        assertThat(given.settings().mesh().kind()).isEqualTo(MeshSettings.Kind.NONE);
    }

    @Test
    void all_values_of_the_server_are_used() {
        SettingsFixture given = custom().set("WIREGUARD_ENDPOINT_IP", "2001:db8::10")
                .set("WIREGUARD_PRESHARED_KEY", KEY)
                .set("WIREGUARD_ALLOWED_IPS", "0.0.0.0/0")
                .set("WIREGUARD_MTU", "1380")
                .set("WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL", "1m5s");

        assertThat(given.problems()).isEmpty();
        assertThat(given.read().wireGuardVariables().orElseThrow().text())
                .contains(
                        "MTU = 1380\n",
                        "PresharedKey = " + KEY,
                        "AllowedIPs = 0.0.0.0/0\n",
                        "PersistentKeepalive = 65\n",
                        "Endpoint = [2001:db8::10]:51820\n");
    }

    @Test
    void secrets_are_read_from_their_files() {
        SettingsFixture byDefaultPath = custom().file("/run/secrets/wireguard_private_key", KEY + "\n");
        byDefaultPath.set("WIREGUARD_PRIVATE_KEY", "");
        assertThat(server(byDefaultPath).privateKey().toString()).doesNotContain(KEY);
        assertThat(byDefaultPath.read().sources()).contains(byDefaultPath.path("/run/secrets/wireguard_private_key"));

        SettingsFixture named = custom().set("WIREGUARD_PRIVATE_KEY", "")
                .set("WIREGUARD_PRIVATE_KEY_SECRETFILE", "/run/secrets/missing");
        assertThat(named.problems())
                .first()
                .asString()
                .startsWith("WIREGUARD_PRIVATE_KEY_SECRETFILE: /run/secrets/missing does not exist");
    }

    @Test
    void a_wireguard_file_takes_the_place_of_the_variables() {
        SettingsFixture given = custom().file("/gluetun/wireguard/wg0.conf", "[Interface]\n");

        assertThat(given.read().wireGuardFiles()).containsExactly(given.path("/gluetun/wireguard/wg0.conf"));
        assertThat(given.problems())
                .singleElement()
                .asString()
                .startsWith(
                        "WIREGUARD_PRIVATE_KEY: warning: has no effect, because /gluetun/wireguard/wg0.conf exists");
    }

    @Test
    void culverts_own_settings_take_precedence() {
        SettingsFixture given = custom().set("CULVERT_WIREGUARD_CONFIG", "/etc/wireguard/wg0.conf")
                .set("CULVERT_PUBLISH", "9091")
                .set("FIREWALL_INPUT_PORTS", "8080");

        assertThat(given.read().wireGuardVariables()).isEmpty();
        assertThat(given.settings().published()).containsExactly(new Port(9091, Transport.TCP));
    }

    @Test
    void firewall_dns_and_log_are_translated() {
        SettingsFixture given = custom().set("FIREWALL_INPUT_PORTS", "8080, 9091")
                .set("FIREWALL_OUTBOUND_SUBNETS", "192.168.1.0/24")
                .set("DNS_ADDRESS", "10.64.0.1")
                .set("WIREGUARD_IMPLEMENTATION", "kernelspace")
                .set("LOG_LEVEL", "WARNING");

        assertThat(given.problems()).isEmpty();
        Settings settings = given.settings();
        assertThat(settings.published())
                .containsExactly(
                        new Port(8080, Transport.TCP),
                        new Port(8080, Transport.UDP),
                        new Port(9091, Transport.TCP),
                        new Port(9091, Transport.UDP));
        assertThat(settings.lan()).hasToString("auto, 192.168.1.0/24");
        assertThat(settings.dns()).containsExactly(Prefix.parseAddress("10.64.0.1"));
        assertThat(given.read().tree().toString()).contains("← FIREWALL_INPUT_PORTS", "← LOG_LEVEL");
    }

    @Test
    void proxies_and_the_forwarded_port_are_translated() {
        SettingsFixture given = custom().set("HTTPPROXY", "on")
                .set("HTTPPROXY_LISTENING_ADDRESS", ":8118")
                .set("HTTPPROXY_USER", "anna")
                .file("/run/secrets/httpproxy_password", "open-sesame\n")
                .set("VPN_PORT_FORWARDING", "on")
                .set("VPN_PORT_FORWARDING_PROVIDER", "protonvpn");

        assertThat(given.problems()).isEmpty();
        String tree = given.read().tree().toString();
        assertThat(tree)
                .contains(
                        "http proxy: true  ← HTTPPROXY",
                        "http proxy port: 8118  ← HTTPPROXY_LISTENING_ADDRESS",
                        "forwarded port: auto  ← VPN_PORT_FORWARDING",
                        "/tmp/gluetun/forwarded_port")
                .doesNotContain("open-sesame");
    }

    @Test
    void a_port_that_the_provider_assigned_is_translated() {
        assertThat(custom().set("FIREWALL_VPN_INPUT_PORTS", "50123")
                        .read()
                        .tree()
                        .toString())
                .contains("forwarded port: 50123  ← FIREWALL_VPN_INPUT_PORTS");
        assertThat(custom().set("FIREWALL_VPN_INPUT_PORTS", "50123,50124").problems())
                .singleElement()
                .asString()
                .startsWith("FIREWALL_VPN_INPUT_PORTS: ");
    }

    @Test
    void problems_name_the_variable_that_was_written() {
        assertThat(custom().set("FIREWALL_INPUT_PORTS", "http").problems())
                .singleElement()
                .asString()
                .startsWith("FIREWALL_INPUT_PORTS: item 1: 'http' is not");
        assertThat(custom().set("FIREWALL_OUTBOUND_SUBNETS", "0.0.0.0/0").problems())
                .singleElement()
                .asString()
                .startsWith("FIREWALL_OUTBOUND_SUBNETS: ");
        assertThat(custom().set("WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL", "often")
                        .problems())
                .containsExactly("WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL: not a duration | use seconds, such as 25s");
    }

    @Test
    void everything_that_is_missing_is_named_at_once() {
        SettingsFixture given =
                new SettingsFixture(root).set("VPN_SERVICE_PROVIDER", "custom").set("VPN_TYPE", "wireguard");

        assertThat(given.problems().stream()
                        .map(problem -> problem.substring(0, problem.indexOf(':')))
                        .toList())
                .containsExactlyInAnyOrder(
                        "WIREGUARD_PRIVATE_KEY",
                        "WIREGUARD_ADDRESSES",
                        "WIREGUARD_PUBLIC_KEY",
                        "WIREGUARD_ENDPOINT_IP",
                        "WIREGUARD_ENDPOINT_PORT");
    }

    @Test
    void a_value_cannot_add_lines() {
        assertThat(custom().set("WIREGUARD_ENDPOINT_IP", "192.0.2.10\nPostUp = x")
                        .problems())
                .singleElement()
                .asString()
                .startsWith("WIREGUARD_ENDPOINT_IP: contains a line end");
    }

    @ParameterizedTest
    @CsvSource({
        "VPN_TYPE, openvpn, VPN_TYPE: 'openvpn' is not supported",
        "VPN_TYPE, amneziawg, VPN_TYPE: 'amneziawg' is not supported",
        "FIREWALL_ENABLED_DISABLING_IT_SHOOTS_YOU_IN_YOUR_FOOT, off, the kill switch cannot be turned off",
        "SERVER_COUNTRIES, Sweden, SERVER_COUNTRIES: warning",
        "SHADOWSOCKS, on, SHADOWSOCKS: warning: there is no Shadowsocks server",
        "WIREGUARD_ENDPIONT_IP, 192.0.2.1, did you mean WIREGUARD_ENDPOINT_IP?"
    })
    void what_cannot_be_honoured_is_named(String name, String value, String problem) {
        assertThat(custom().set(name, value).problems())
                .singleElement()
                .asString()
                .contains(problem);
    }

    @ParameterizedTest
    @CsvSource({"UPDATER_PERIOD, 24h", "TZ, Europe/Berlin", "PUID, 1000", "SHADOWSOCKS, off", "DNS_ADDRESS, 127.0.0.1"})
    void what_needs_no_equivalent_is_accepted(String name, String value) {
        assertThat(custom().set(name, value).problems()).isEmpty();
    }

    @Test
    void a_provider_is_accepted_with_the_address_and_key_of_its_server() {
        assertThat(custom().set("VPN_SERVICE_PROVIDER", "mullvad").problems()).isEmpty();
        assertThat(custom().set("VPN_SERVICE_PROVIDER", "mullvad")
                        .set("WIREGUARD_PUBLIC_KEY", "")
                        .problems())
                .singleElement()
                .asString()
                .startsWith("VPN_SERVICE_PROVIDER: 'mullvad': Culvert has no lists of providers' servers");
    }

    @Test
    void without_the_provider_nothing_is_translated() {
        SettingsFixture given = new SettingsFixture(root).set("FIREWALL_INPUT_PORTS", "8080");
        assertThat(given.settings().published()).isEmpty();
        assertThat(given.settings().mesh().kind()).isEqualTo(MeshSettings.Kind.TAILSCALE);
    }

    @Test
    void the_documentation_lists_every_variable() {
        TextFile.assertRegion(Path.of("docs/coming-from/gluetun.md"), "variables", table());
    }

    private static String table() {
        return GluetunVariable.ALL.stream()
                .map(variable -> "| " + names(variable) + " | " + effect(variable.effect()) + " |\n")
                .collect(Collectors.joining("", "| variable | here |\n|---|---|\n", ""));
    }

    private static String names(GluetunVariable variable) {
        return variable.names().stream().map(name -> "`" + name + "`").collect(Collectors.joining(", "));
    }

    private static String effect(GluetunVariable.Effect effect) {
        return switch (effect) {
            case GluetunVariable.Sets(Setting<?> setting, var _) -> "sets `" + setting.name() + "`";
            case GluetunVariable.IsServers _ -> "describes the server, as in gluetun";
            case GluetunVariable.IsNotNeeded(String reason) -> "accepted: " + reason;
            case GluetunVariable.HasNoEffect(var _, String reason, String hint) -> "a warning: " + reason + "; " + hint;
        };
    }

    /** Every name is listed once. */
    @Test
    void names_are_unique() {
        List<String> names = GluetunVariable.ALL.stream()
                .flatMap(variable -> variable.names().stream())
                .toList();
        assertThat(names).doesNotHaveDuplicates();
    }
}
