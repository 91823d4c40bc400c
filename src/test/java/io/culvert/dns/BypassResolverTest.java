package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.linux.Egress;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/** A bypass by name opens the kill switch to the name's addresses, which the local network must not decide. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class BypassResolverTest {

    private static final Patience PATIENCE = new Patience(Duration.ofSeconds(1), Duration.ofSeconds(5));
    private static final Host.Name API = new Host.Name("api.example.net");
    private static final Set<Family> FAMILIES = Set.of(Family.IPV4);
    private static final Prefix LAN = Prefix.parse("192.168.7.0/24");

    @Test
    void what_the_local_network_says_counts_until_the_tunnel_is_up() throws IOException {
        try (ScriptedServer lan = answering("203.0.113.66");
                ScriptedServer tunnel = answering("198.51.100.7")) {
            BypassResolver resolver = resolver(lan);

            assertThat(addresses(resolver, Optional.empty())).containsExactly("203.0.113.66");
            assertThat(addresses(resolver, to(tunnel))).containsExactly("198.51.100.7");
        }
    }

    @Test
    void what_is_refused_is_said_in_one_sentence() throws IOException {
        try (ScriptedServer lan = answering("203.0.113.66", "203.0.113.67", "203.0.113.68", "203.0.113.69");
                ScriptedServer tunnel = answering("198.51.100.7")) {
            assertThat(resolver(lan)
                            .resolve(API, List.of(), to(tunnel), FAMILIES)
                            .problems())
                    .singleElement()
                    .asString()
                    .contains("203.0.113.66, 203.0.113.67, 203.0.113.68 and 1 more: removed from the bypasses")
                    .contains("do not confirm it");
        }
    }

    @Test
    void a_name_that_only_the_local_network_knows_keeps_its_addresses_there_and_no_others() throws IOException {
        try (ScriptedServer lan = answering("192.168.7.20", "203.0.113.66");
                ScriptedServer tunnel = new ScriptedServer(query -> List.of(failing(query, Rcode.NXDOMAIN)))) {
            assertThat(addresses(resolver(lan), to(tunnel))).containsExactly("192.168.7.20");
        }
    }

    @Test
    void without_an_answer_of_the_tunnel_s_servers_what_they_confirmed_stays_and_nothing_comes_back()
            throws IOException {
        ScriptedServer tunnel = answering("198.51.100.7");
        try (ScriptedServer lan = answering("203.0.113.66")) {
            BypassResolver resolver = resolver(lan);
            Optional<Upstreams> inside = to(tunnel);
            assertThat(addresses(resolver, inside)).containsExactly("198.51.100.7");
            tunnel.close();

            assertThat(addresses(resolver, inside)).containsExactly("198.51.100.7");
            assertThat(addresses(resolver(lan), inside)).isEmpty();
        }
    }

    @Test
    void the_tunnel_s_servers_are_not_believed_everything_either() throws IOException {
        try (ScriptedServer lan = answering("198.51.100.7");
                ScriptedServer tunnel = answering("127.0.0.1", "10.64.0.1", "198.51.100.7")) {
            List<Forbidden> mesh = List.of(new Forbidden(Prefix.parse("10.64.0.0/24"), "the mesh"));
            assertThat(resolver(lan).resolve(API, mesh, to(tunnel), FAMILIES).addresses())
                    .extracting(Prefix::text)
                    .containsExactly("198.51.100.7");
        }
    }

    @Test
    void thousands_of_addresses_are_cut_to_the_same_few_however_they_are_turned() throws IOException {
        List<String> many = IntStream.range(0, 2000)
                .mapToObj(number -> "198.18." + number / 250 + "." + number % 250)
                .toList();
        try (ScriptedServer lan = answering(many.toArray(String[]::new));
                ScriptedServer turned = answering(many.reversed().toArray(String[]::new))) {
            List<String> first = addresses(resolver(lan), Optional.empty());

            assertThat(first).hasSize(AddressLimit.MOST);
            assertThat(addresses(resolver(turned), Optional.empty())).isEqualTo(first);
            assertThat(addresses(resolver(turned), to(lan))).isEqualTo(first);
        }
    }

    private static List<String> addresses(BypassResolver resolver, Optional<Upstreams> inside) {
        return resolver.resolve(API, List.of(), inside, FAMILIES).addresses().stream()
                .map(Prefix::text)
                .toList();
    }

    private static BypassResolver resolver(ScriptedServer lan) {
        return new BypassResolver(
                new BootstrapResolver(
                        new ResolvConf(List.of(lan.address()), List.of(), List.of(), 1),
                        new HostsFile(""),
                        Egress.ANY,
                        () -> FAMILIES,
                        PATIENCE),
                LAN::contains,
                PATIENCE);
    }

    private static Optional<Upstreams> to(ScriptedServer server) {
        return Optional.of(new Upstreams(List.of(server.address()), Egress.ANY));
    }

    private static ScriptedServer answering(String... addresses) throws IOException {
        return new ScriptedServer(query -> List.of(ScriptedServer.answer(
                query,
                List.of(addresses).stream()
                        .map(address -> API.name() + ". 300 A " + address)
                        .toArray(String[]::new))));
    }

    private static Message failing(Message query, int code) {
        Message answer = ScriptedServer.answer(query);
        answer.getHeader().setRcode(code);
        return answer;
    }
}
