package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.problem.Problem;
import io.culvert.problem.Problem.Kind;
import io.culvert.settings.Settings;
import io.culvert.wireguard.WireGuardConfig;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class ExitNodeChecksTest {

    private static final Path FILE = Path.of("wg0.conf");
    private static final Settings SETTINGS = PlanExamples.settings();

    @Test
    void a_usual_file_is_fine() {
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
    void what_the_file_leaves_out_is_told(String allowedIps, Kind kind, String what) {
        assertThat(server(PlanExamples.file("10.64.0.2/32", allowedIps, "", "192.0.2.10:51820")))
                .anySatisfy(problem -> {
                    assertThat(problem.kind()).isEqualTo(kind);
                    assertThat(problem.what()).isEqualTo(what);
                });
    }

    @Test
    void all_but_the_private_networks_is_everything() {
        WireGuardConfig complement =
                PlanExamples.inputsOf("complement-allowed-ips").server();

        assertThat(ExitNodeChecks.server(FILE, complement, SETTINGS)).noneMatch(it -> it.kind() == Kind.WARNING);
    }

    @Test
    void a_server_needs_an_endpoint_and_something_to_carry() {
        assertThat(server("""
                        [Interface]
                        PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                        Address = 10.64.0.2/32
                        [Peer]
                        PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                        """))
                .filteredOn(problem -> problem.kind() == Kind.INPUT)
                .extracting(Problem::what)
                .containsExactly(
                        "no peer has an Endpoint, so there is no server to connect to",
                        "no peer has AllowedIPs, so nothing would go through the tunnel");
    }

    @Test
    void what_wg_quick_would_use_and_we_do_not_is_told() {
        assertThat(server(PlanExamples.file(
                        "10.64.0.2/32, fd00:64::2/128",
                        "0.0.0.0/0, ::/0",
                        "Table = 1234\nFwMark = 0xca6c",
                        "192.0.2.10:51820")))
                .extracting(Problem::kind)
                .containsExactly(Kind.NOTE, Kind.NOTE);
    }

    @Test
    void clients_that_would_take_the_tunnels_place_are_refused() {
        WireGuardConfig server = PlanExamples.dualStack().server();
        PlainMesh clients = PlainMesh.of(PlanExamples.config("""
                [Interface]
                PrivateKey = 6D/THBwDlbO4mE6bYRVLIEnyTTsJfZU3MpNYyxxcUVU=
                Address = 10.99.0.1/24
                [Peer]
                PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
                AllowedIPs = ::/0, 10.64.0.0/16
                """));

        assertThat(ExitNodeChecks.mesh(FILE, clients, List.of(server)))
                .extracting(Problem::what)
                .contains(
                        "ListenPort is missing, so clients cannot connect to this node",
                        "a client's AllowedIPs is ::/0, but clients use this node as their exit node, not the other way round",
                        "the clients' AllowedIPs 10.64.0.0/16 contains the tunnel's own address");
        assertThat(ExitNodeChecks.mesh(FILE, PlanExamples.dualStack().meshes().getFirst(), List.of(server)))
                .isEmpty();
    }

    @Test
    void a_subnet_without_a_port_is_named() {
        PlainMesh named = PlanExamples.severalSubnets().meshes().getLast();
        WireGuardConfig without = PlanExamples.config("""
                [Interface]
                PrivateKey = 6D/THBwDlbO4mE6bYRVLIEnyTTsJfZU3MpNYyxxcUVU=
                Address = 10.98.0.1/24
                [Peer]
                PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
                AllowedIPs = 10.98.0.2/32
                """);

        assertThat(ExitNodeChecks.mesh(
                        FILE, new PlainMesh(named.link(), without, named.subnet(), List.of()), List.of()))
                .extracting(Problem::what)
                .containsExactly("this peer has no listenPort in subnet 'work', so other peers cannot connect to it");
    }

    @Test
    void every_server_that_may_come_into_use_must_suit_the_mesh() {
        PlainMesh clients = PlanExamples.dualStack().meshes().getFirst();
        WireGuardConfig second = PlanExamples.config(
                PlanExamples.file("10.99.0.2/32", "0.0.0.0/0", "ListenPort = 51821\n", "192.0.2.11:51820"));

        assertThat(ExitNodeChecks.mesh(
                        FILE, clients, List.of(PlanExamples.dualStack().server(), second)))
                .extracting(Problem::what)
                .containsExactly(
                        "ListenPort 51821 is also the ListenPort of the provider's file",
                        "the clients' AllowedIPs 10.99.0.2/32 contains the tunnel's own address");
    }

    @Test
    void the_same_holds_for_the_port_of_the_user_s_own_proxy_configuration() {
        assertThat(ExitNodeChecks.proxy(Path.of("sockd.conf"), 65535))
                .extracting(Problem::what)
                .containsExactly("port 65535 cannot be used in the kernel's routing rules");
        assertThat(ExitNodeChecks.proxy(Path.of("sockd.conf"), 1080)).isEmpty();
    }

    @Test
    void a_port_that_no_routing_rule_takes_is_refused_by_the_name_of_its_setting() {
        Settings settings = PlanExamples.settings(
                "CULVERT_PUBLISH",
                "65535",
                "CULVERT_HOLEPUNCH",
                "hs.example.net:65535",
                "CULVERT_SOCKS",
                "true",
                "CULVERT_SOCKS_PORT",
                "65535");

        assertThat(ExitNodeChecks.settings(settings))
                .filteredOn(problem -> problem.kind().isError())
                .extracting(problem -> problem.place().toString())
                .containsExactly("CULVERT_PUBLISH", "CULVERT_HOLEPUNCH", "CULVERT_SOCKS_PORT");
    }

    @Test
    void a_proxy_without_a_login_is_warned_of() {
        assertThat(ExitNodeChecks.settings(PlanExamples.settings("CULVERT_SOCKS", "true")))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.kind()).isEqualTo(Problem.Kind.WARNING);
                    assertThat(problem.what()).contains("no login");
                });
        assertThat(ExitNodeChecks.settings(PlanExamples.settings(
                        "CULVERT_SOCKS",
                        "true",
                        "CULVERT_SOCKS_USER",
                        "lotte",
                        "CULVERT_SOCKS_PASSWORD",
                        "a long one")))
                .isEmpty();
    }

    private static List<Problem> server(String text) {
        return ExitNodeChecks.server(FILE, PlanExamples.config(text), SETTINGS);
    }
}
