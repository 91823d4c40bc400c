package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Prefix;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class TailscaleVariablesTest {

    @TempDir
    Path root;

    @Test
    void variables_are_passed_on_unchanged_beside_our_defaults() {
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
    void what_the_user_says_beats_our_defaults() {
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
        assertThat(settings.link()).isEqualTo("ts1");
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
    void a_configuration_file_rules_alone() {
        TailscaleSettings settings = read(given().set("TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR", "/etc/tsconfig"));

        assertThat(settings.configured()).isTrue();
        assertThat(settings.environment()).doesNotContainKeys("TS_ACCEPT_DNS", "TS_EXTRA_ARGS");
    }

    @ParameterizedTest
    @CsvSource({"--advertise-exit-node, true", "'', true", "--advertise-exit-node=false, false", "--ssh -x, true"})
    void the_exit_is_offered_unless_the_user_says_no(String arguments, boolean offered) {
        TailscaleSettings settings = read(given().set("TS_EXTRA_ARGS", arguments));

        assertThat(settings.offersExit()).isEqualTo(offered);
        assertThat(settings.upArguments().toString()).doesNotContain("advertise-exit-node");
    }

    @Test
    void the_planner_learns_what_it_must_know() {
        TailscaleSettings settings = read(given().set(
                        "TS_EXTRA_ARGS",
                        "--login-server=https://hs.example.net:8443/ --accept-routes --netfilter-mode=off")
                .set("TS_ROUTES", "192.0.2.0/24,2001:db8:1::/48")
                .set("TS_SOCKS5_SERVER", ":1055")
                .set("TS_OUTBOUND_HTTP_PROXY_LISTEN", "localhost:1056"));

        assertThat(settings.control().toString()).isEqualTo("hs.example.net:8443");
        assertThat(settings.usesTailscalesServer()).isFalse();
        assertThat(settings.acceptsRoutes()).isTrue();
        assertThat(settings.firewall()).isFalse();
        assertThat(settings.masquerades()).isFalse();
        assertThat(settings.routes()).containsExactly(Prefix.parse("192.0.2.0/24"), Prefix.parse("2001:db8:1::/48"));
        assertThat(settings.proxies()).extracting(Published::toString).containsExactly("1055/tcp");
        assertThat(settings.ephemeral()).isTrue();
    }

    @Test
    void a_key_may_stand_in_a_file() {
        TailscaleSettings settings =
                read(given().file("/run/secrets/key", "tskey-auth-y\n").set("TS_AUTHKEY_FILE", "/run/secrets/key"));

        assertThat(settings.environment())
                .containsEntry("TS_AUTHKEY", "file:/run/secrets/key")
                .doesNotContainKey("TS_AUTHKEY_FILE");
        assertThat(settings.secrets()).containsExactly("tskey-auth-y");
    }

    @Test
    void keys_are_known_wherever_they_stand() {
        assertThat(read(given().file("/run/secrets/id", "client-secret\n")
                                .set("TS_CLIENT_ID", "id")
                                .set("TS_CLIENT_SECRET", "file:/run/secrets/id")
                                .set("TS_EXTRA_ARGS", "--authkey=one --auth-key two"))
                        .secrets())
                .containsExactlyInAnyOrder("client-secret", "one", "two");
    }

    @Test
    void contradictions_are_told_all_at_once() {
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
                        it -> assertThat(it)
                                .startsWith("TS_USERSPACE: a value other than false counts as true and is refused"),
                        it -> assertThat(it).startsWith("TS_DEST_IP: refused"),
                        it -> assertThat(it).startsWith("TS_TAILNET_TARGET_IP: refused"),
                        it -> assertThat(it).startsWith("TS_AUDIENCE: cannot be combined with TS_ID_TOKEN"),
                        it -> assertThat(it).startsWith("TS_CLIENT_ID: cannot be combined with TS_AUTHKEY"),
                        it -> assertThat(it).startsWith("TS_ID_TOKEN: cannot be combined with TS_AUTHKEY"),
                        it -> assertThat(it).startsWith("TS_AUDIENCE: cannot be combined with TS_AUTHKEY"),
                        it -> assertThat(it)
                                .startsWith("TS_HEALTHCHECK_ADDR_PORT: cannot be combined with TS_ENABLE_HEALTH_CHECK"),
                        it -> assertThat(it).startsWith("TS_KUBE_SECRET: set outside Kubernetes"),
                        it -> assertThat(it).startsWith("TS_EXTRA_ARGS: --exit-node is refused"),
                        it -> assertThat(it).startsWith("TS_EXTRA_ARGS: --login-server is not a URL"),
                        it -> assertThat(it)
                                .startsWith("TS_TAILSCALED_EXTRA_ARGS: --tun=userspace-networking is refused"),
                        it -> assertThat(it).startsWith("TS_TAILSCALED_EXTRA_ARGS: --port is not a port"),
                        it -> assertThat(it).startsWith("TS_ROUTES: 192.0.2.1/24 is an address within a subnet"),
                        it -> assertThat(it).startsWith("TS_ROUTES: invalid route"),
                        it -> assertThat(it).startsWith("TS_SOCKS5_SERVER: not an address and a port"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TS_DEBUG_DNS_FORWARD_USE_ROUTES", "TS_FORCE_LINUX_BIND_TO_DEVICE"})
    void what_would_leak_or_be_stopped_is_refused(String name) {
        assertThat(given().set(name, "true").problems())
                .singleElement()
                .asString()
                .startsWith(name + ": true is refused");
    }

    @Test
    void an_unknown_name_is_only_warned_of() {
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
    void another_mesh_does_not_care() {
        Fixture given = given().set("CULVERT_MESH", "none").set("TS_USERSPACE", "true");

        assertThat(given.problems()).isEmpty();
        assertThat(given.settings().mesh().tailscale()).isEmpty();
    }

    @Test
    void nothing_of_it_is_shown_but_names() {
        assertThat(List.of(given().set("TS_AUTHKEY", "tskey-auth-x").settings().toString()))
                .allSatisfy(text -> assertThat(text).contains("TS_AUTHKEY").doesNotContain("tskey-auth-x"));
    }

    private Fixture given() {
        return new Fixture(root);
    }

    private static TailscaleSettings read(Fixture given) {
        return given.settings().mesh().tailscale().orElseThrow();
    }
}
