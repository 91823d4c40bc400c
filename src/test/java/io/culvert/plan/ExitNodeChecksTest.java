// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problem.Kind;
import io.culvert.settings.Settings;
import io.culvert.wireguard.config.WireGuardConfig;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExitNodeChecksTest {

    private static final Path FILE = Path.of("wg0.conf");
    private static final Settings SETTINGS = PlanExamples.settings();

    @Test
    void a_typical_file_has_no_problems() {
        assertThat(server(PlanExamples.file("10.64.0.2/32, fd00:64::2/128", "0.0.0.0/0, ::/0", "", "192.0.2.10:51820")))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
                    0.0.0.0/0            | NOTE    | AllowedIPs has no IPv6: IPv6 is blocked, not leaked
                    0.0.0.0/0, ::/0      | NOTE    | the tunnel has no IPv6 address: IPv6 is blocked, not leaked
                    0.0.0.0/1            | WARNING | AllowedIPs covers only a part of IPv4: the rest is blocked, not leaked
                    ::/0                 | NOTE    | AllowedIPs has no IPv4: IPv4 is blocked, not leaked
                    """, delimiter = '|')
    void an_address_family_that_is_not_fully_tunnelled_is_reported(String allowedIps, Kind kind, String message) {
        assertThat(server(PlanExamples.file("10.64.0.2/32", allowedIps, "", "192.0.2.10:51820")))
                .anySatisfy(problem -> {
                    assertThat(problem.kind()).isEqualTo(kind);
                    assertThat(problem.message()).isEqualTo(message);
                });
    }

    @Test
    void allowed_ips_without_the_private_networks_are_a_full_tunnel() {
        WireGuardConfig complement =
                PlanExamples.inputsOf("complement-allowed-ips").server();

        assertThat(ExitNodeChecks.checkServer(FILE, complement, SETTINGS)).noneMatch(it -> it.kind() == Kind.WARNING);
    }

    @Test
    void a_providers_file_needs_an_endpoint_and_allowed_ips() {
        assertThat(server("""
                        [Interface]
                        PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                        Address = 10.64.0.2/32
                        [Peer]
                        PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                        """))
                .filteredOn(problem -> problem.kind() == Kind.INPUT)
                .extracting(Problem::message)
                .containsExactly(
                        "no peer has an Endpoint, so there is no server to connect to",
                        "no peer has AllowedIPs, so nothing would go through the tunnel");
    }

    @Test
    void ignored_wg_quick_keys_are_reported() {
        assertThat(server(PlanExamples.file(
                        "10.64.0.2/32, fd00:64::2/128",
                        "0.0.0.0/0, ::/0",
                        "Table = 1234\nFwMark = 0xca6c",
                        "192.0.2.10:51820")))
                .extracting(Problem::kind)
                .containsExactly(Kind.NOTE, Kind.NOTE);
    }

    @Test
    void mesh_clients_with_default_routes_or_the_tunnels_address_are_rejected() {
        WireGuardConfig server = PlanExamples.dualStack().server();
        WireGuardMeshInterface clients = WireGuardMeshInterface.of(PlanExamples.config("""
                [Interface]
                PrivateKey = 6D/THBwDlbO4mE6bYRVLIEnyTTsJfZU3MpNYyxxcUVU=
                Address = 10.99.0.1/24
                [Peer]
                PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
                AllowedIPs = ::/0, 10.64.0.0/16
                """));

        assertThat(ExitNodeChecks.checkMesh(FILE, clients, List.of(server)))
                .extracting(Problem::message)
                .contains(
                        "ListenPort is missing, so clients cannot connect to this node",
                        "a client's AllowedIPs is ::/0, but clients use this node as their exit node, not the other way round",
                        "the clients' AllowedIPs 10.64.0.0/16 contains the tunnel's own address");
        assertThat(ExitNodeChecks.checkMesh(
                        FILE, PlanExamples.dualStack().meshes().getFirst(), List.of(server)))
                .isEmpty();
    }

    @Test
    void a_missing_listen_port_names_the_subnet() {
        WireGuardMeshInterface named = PlanExamples.severalSubnets().meshes().getLast();
        WireGuardConfig without = PlanExamples.config("""
                [Interface]
                PrivateKey = 6D/THBwDlbO4mE6bYRVLIEnyTTsJfZU3MpNYyxxcUVU=
                Address = 10.98.0.1/24
                [Peer]
                PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
                AllowedIPs = 10.98.0.2/32
                """);

        assertThat(ExitNodeChecks.checkMesh(
                        FILE, new WireGuardMeshInterface(named.link(), without, named.subnet(), List.of()), List.of()))
                .extracting(Problem::message)
                .containsExactly("this peer has no listenPort in subnet 'work', so other peers cannot connect to it");
    }

    @Test
    void the_mesh_is_checked_against_all_providers_files() {
        WireGuardMeshInterface clients = PlanExamples.dualStack().meshes().getFirst();
        WireGuardConfig second = PlanExamples.config(
                PlanExamples.file("10.99.0.2/32", "0.0.0.0/0", "ListenPort = 51821\n", "192.0.2.11:51820"));

        assertThat(ExitNodeChecks.checkMesh(
                        FILE, clients, List.of(PlanExamples.dualStack().server(), second)))
                .extracting(Problem::message)
                .containsExactly(
                        "ListenPort 51821 is also the ListenPort of the provider's file",
                        "the clients' AllowedIPs 10.99.0.2/32 contains the tunnel's own address");
    }

    @Test
    void the_port_of_a_custom_proxy_configuration_is_checked() {
        assertThat(ExitNodeChecks.checkProxy(Path.of("sockd.conf"), 65535))
                .extracting(Problem::message)
                .containsExactly("port 65535 cannot be used in the kernel's routing rules");
        assertThat(ExitNodeChecks.checkProxy(Path.of("sockd.conf"), 1080)).isEmpty();
    }

    @Test
    void a_port_that_routing_rules_do_not_support_names_its_setting() {
        Settings settings = PlanExamples.settings(
                "CULVERT_PUBLISH",
                "65535",
                "CULVERT_BYPASS",
                "hs.example.net:65535",
                "CULVERT_SOCKS",
                "true",
                "CULVERT_SOCKS_PORT",
                "65535");

        assertThat(ExitNodeChecks.checkSettings(settings))
                .filteredOn(problem -> problem.kind().isError())
                .extracting(problem -> problem.location().toString())
                .containsExactly("CULVERT_PUBLISH", "CULVERT_BYPASS", "CULVERT_SOCKS_PORT");
    }

    @Test
    void a_proxy_without_login_is_a_warning() {
        assertThat(ExitNodeChecks.checkSettings(PlanExamples.settings("CULVERT_SOCKS", "true")))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.kind()).isEqualTo(Problem.Kind.WARNING);
                    assertThat(problem.message()).contains("no login");
                });
        assertThat(ExitNodeChecks.checkSettings(PlanExamples.settings(
                        "CULVERT_SOCKS",
                        "true",
                        "CULVERT_SOCKS_USER",
                        "lotte",
                        "CULVERT_SOCKS_PASSWORD",
                        "a long one")))
                .isEmpty();
    }

    private static List<Problem> server(String text) {
        return ExitNodeChecks.checkServer(FILE, PlanExamples.config(text), SETTINGS);
    }
}
