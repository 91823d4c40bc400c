// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Port;
import io.culvert.net.Prefix;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TailscaleVariablesTest {

    @TempDir
    Path root;

    @Test
    void variables_are_passed_on_unchanged_together_with_the_defaults() {
        assertThat(read(given().set("TS_AUTHKEY", "tskey-auth-x ")
                                .set("TS_HOSTNAME", "exit")
                                .set("TS_DEBUG_MTU", "1200")
                                .set("CULVERT_SOCKS_PORT", "1081")
                                .set("PATH", "/somewhere"))
                        .environment())
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "TS_AUTHKEY", "tskey-auth-x ",
                        "TS_HOSTNAME", "exit",
                        "TS_DEBUG_MTU", "1200",
                        "TS_USERSPACE", "false",
                        "TS_DEBUG_FIREWALL_MODE", "nftables",
                        "TS_ACCEPT_DNS", "false",
                        "TS_DEBUG_DNS_FORWARD_USE_ROUTES", "false",
                        "TS_SOCKET", "/tmp/tailscaled.sock",
                        "TS_TAILSCALED_EXTRA_ARGS", "--port=41641"));
    }

    @Test
    void variables_that_go_programs_read_are_passed_on() {
        assertThat(read(given().set("TZ", "Pacific/Chatham")
                                .set("HTTPS_PROXY", "http://192.0.2.1:3128")
                                .set("KUBERNETES_SERVICE_HOST", "192.0.2.2"))
                        .environment())
                .containsEntry("TZ", "Pacific/Chatham")
                .containsEntry("HTTPS_PROXY", "http://192.0.2.1:3128")
                .doesNotContainKey("KUBERNETES_SERVICE_HOST");
    }

    @Test
    void given_values_override_the_defaults() {
        TailscaleSettings settings = read(given().set("TS_DEBUG_FIREWALL_MODE", "auto")
                .set("TS_ACCEPT_DNS", "true")
                .set("TS_SOCKET", "/run/ts.sock")
                .set("TS_TAILSCALED_EXTRA_ARGS", "--port 40000 --tun=ts1"));

        assertThat(settings.environment())
                .containsEntry("TS_DEBUG_FIREWALL_MODE", "auto")
                .containsEntry("TS_TAILSCALED_EXTRA_ARGS", "--port 40000 --tun=ts1");
        assertThat(settings.acceptsDns()).isTrue();
        assertThat(settings.socket()).isEqualTo(Path.of("/run/ts.sock"));
        assertThat(settings.port()).hasValue(40000);
        assertThat(settings.interfaceName()).isEqualTo("ts1");
    }

    @Test
    void an_empty_variable_does_not_hide_a_default_or_another_name() {
        assertThat(read(given().set("TS_USERSPACE", "")
                                .set("TS_SOCKET", "")
                                .set("TS_AUTHKEY", "")
                                .set("TS_AUTH_KEY", "tskey-auth-x"))
                        .environment())
                .containsEntry("TS_USERSPACE", "false")
                .containsEntry("TS_SOCKET", "/tmp/tailscaled.sock")
                .containsEntry("TS_AUTH_KEY", "tskey-auth-x")
                .doesNotContainKey("TS_AUTHKEY");
    }

    @Test
    void a_configuration_directory_replaces_the_arguments() {
        TailscaleSettings settings = read(given().set("TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR", "/etc/tsconfig"));

        assertThat(settings.configured()).isTrue();
        assertThat(settings.environment()).doesNotContainKeys("TS_ACCEPT_DNS", "TS_EXTRA_ARGS");
    }

    @ParameterizedTest
    @CsvSource({"--advertise-exit-node, true", "'', true", "--advertise-exit-node=false, false", "--ssh -x, true"})
    void the_exit_node_is_advertised_unless_disabled(String arguments, boolean expected) {
        TailscaleSettings settings = read(given().set("TS_EXTRA_ARGS", arguments));

        assertThat(settings.advertisesExitNode()).isEqualTo(expected);
        assertThat(settings.upArguments().toString()).doesNotContain("advertise-exit-node");
    }

    @Test
    void the_values_for_routing_and_firewall_are_parsed() {
        TailscaleSettings settings = read(given().set(
                        "TS_EXTRA_ARGS",
                        "--login-server=https://hs.example.net:8443/ --accept-routes --netfilter-mode=off")
                .set("TS_ROUTES", "192.0.2.0/24,2001:db8:1::/48")
                .set("TS_SOCKS5_SERVER", ":1055")
                .set("TS_OUTBOUND_HTTP_PROXY_LISTEN", "localhost:1056"));

        assertThat(settings.controlServer().toString()).isEqualTo("hs.example.net:8443");
        assertThat(settings.usesTailscalesControlServer()).isFalse();
        assertThat(settings.acceptsRoutes()).isTrue();
        assertThat(settings.usesNetfilter()).isFalse();
        assertThat(settings.usesSnat()).isFalse();
        assertThat(settings.routes()).containsExactly(Prefix.parse("192.0.2.0/24"), Prefix.parse("2001:db8:1::/48"));
        assertThat(settings.proxyPorts()).extracting(Port::toString).containsExactly("1055/tcp");
        assertThat(settings.ephemeral()).isTrue();
    }

    @Test
    void a_key_can_be_read_from_a_file() {
        TailscaleSettings settings =
                read(given().file("/run/secrets/key", "tskey-auth-y\n").set("TS_AUTHKEY_FILE", "/run/secrets/key"));

        assertThat(settings.environment())
                .containsEntry("TS_AUTHKEY", "file:/run/secrets/key")
                .doesNotContainKey("TS_AUTHKEY_FILE");
        assertThat(settings.secrets()).containsExactly("tskey-auth-y");
    }

    @Test
    void keys_in_any_variable_are_treated_as_secrets() {
        assertThat(read(given().file("/run/secrets/id", "client-secret\n")
                                .set("TS_CLIENT_ID", "id")
                                .set("TS_CLIENT_SECRET", "file:/run/secrets/id")
                                .set("TS_EXTRA_ARGS", "--authkey=one --auth-key two"))
                        .secrets())
                .containsExactlyInAnyOrder("client-secret", "one", "two");
    }

    @Test
    void all_conflicts_are_reported_at_once() {
        assertThat(given().set("TS_AUTHKEY", "x")
                        .set("TS_CLIENT_ID", "x")
                        .set("TS_AUDIENCE", "x")
                        .set("TS_ID_TOKEN", "x")
                        .set("TS_USERSPACE", "no")
                        .set("TS_DEST_IP", "10.0.0.1")
                        .set("TS_TAILNET_TARGET_IP", "100.64.0.1")
                        .set("TS_HEALTHCHECK_ADDR_PORT", "127.0.0.1:9")
                        .set("TS_ENABLE_HEALTH_CHECK", "true")
                        .set("TS_EXTRA_ARGS", "--exit-node=100.64.0.9 --login-server=hs.example.net")
                        .set("TS_TAILSCALED_EXTRA_ARGS", "--tun=userspace-networking --port=many")
                        .set("TS_ROUTES", "192.0.2.1/24,nonsense")
                        .set("TS_SOCKS5_SERVER", "1055x")
                        .set("TS_KUBE_SECRET", "tailscale")
                        .problems())
                .extracting(text -> text.substring(0, text.indexOf(" | ")))
                .satisfiesExactlyInAnyOrder(
                        problem -> assertThat(problem)
                                .startsWith("TS_USERSPACE: a value other than false counts as true and is refused"),
                        problem -> assertThat(problem).startsWith("TS_DEST_IP: refused"),
                        problem -> assertThat(problem).startsWith("TS_TAILNET_TARGET_IP: refused"),
                        problem -> assertThat(problem).startsWith("TS_AUDIENCE: cannot be combined with TS_ID_TOKEN"),
                        problem -> assertThat(problem).startsWith("TS_CLIENT_ID: cannot be combined with TS_AUTHKEY"),
                        problem -> assertThat(problem).startsWith("TS_ID_TOKEN: cannot be combined with TS_AUTHKEY"),
                        problem -> assertThat(problem).startsWith("TS_AUDIENCE: cannot be combined with TS_AUTHKEY"),
                        problem -> assertThat(problem)
                                .startsWith("TS_HEALTHCHECK_ADDR_PORT: cannot be combined with TS_ENABLE_HEALTH_CHECK"),
                        problem -> assertThat(problem).startsWith("TS_KUBE_SECRET: set outside Kubernetes"),
                        problem -> assertThat(problem).startsWith("TS_EXTRA_ARGS: --exit-node is refused"),
                        problem -> assertThat(problem).startsWith("TS_EXTRA_ARGS: --login-server is not a URL"),
                        problem -> assertThat(problem)
                                .startsWith("TS_TAILSCALED_EXTRA_ARGS: --tun=userspace-networking is refused"),
                        problem -> assertThat(problem).startsWith("TS_TAILSCALED_EXTRA_ARGS: --port is not a port"),
                        problem ->
                                assertThat(problem).startsWith("TS_ROUTES: 192.0.2.1/24 is an address within a subnet"),
                        problem -> assertThat(problem).startsWith("TS_ROUTES: invalid route"),
                        problem -> assertThat(problem).startsWith("TS_SOCKS5_SERVER: not an address and a port"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TS_DEBUG_DNS_FORWARD_USE_ROUTES", "TS_FORCE_LINUX_BIND_TO_DEVICE"})
    void variables_that_would_leak_or_be_blocked_are_refused(String name) {
        assertThat(given().set(name, "true").problems())
                .singleElement()
                .asString()
                .startsWith(name + ": true is refused");
    }

    @Test
    void an_unknown_variable_causes_only_a_warning() {
        assertThat(given().set("TS_AUTKEY", "tskey-auth-x")
                        .set("TS_NEW_THING", "1")
                        .problems())
                .containsExactly(
                        "TS_AUTKEY: warning: unknown variable of Tailscale; passed on unchanged"
                                + " | did you mean TS_AUTHKEY?",
                        "TS_NEW_THING: warning: unknown variable of Tailscale; passed on unchanged"
                                + " | remove it, unless your version of Tailscale supports it");
    }

    @Test
    void variables_are_not_checked_with_another_kind_of_mesh() {
        SettingsFixture given = given().set("CULVERT_MESH", "none").set("TS_USERSPACE", "true");

        assertThat(given.problems()).isEmpty();
        assertThat(given.settings().mesh().tailscale()).isEmpty();
    }

    @Test
    void the_string_form_contains_only_names() {
        assertThat(List.of(given().set("TS_AUTHKEY", "tskey-auth-x").settings().toString()))
                .allSatisfy(text -> assertThat(text).contains("TS_AUTHKEY").doesNotContain("tskey-auth-x"));
    }

    private SettingsFixture given() {
        return new SettingsFixture(root);
    }

    private static TailscaleSettings read(SettingsFixture given) {
        return given.settings().mesh().tailscale().orElseThrow();
    }
}
