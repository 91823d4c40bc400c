// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.Egress;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/** A bypass by name opens the kill switch to the name's addresses, which the local network must not decide. */
class BypassResolverTest {

    private static final Timeouts TIMEOUTS = new Timeouts(Duration.ofSeconds(1), Duration.ofSeconds(5));
    private static final Host.Name API = new Host.Name("api.example.net");
    private static final Set<Family> FAMILIES = Set.of(Family.IPV4);
    private static final Prefix LAN = Prefix.parse("192.168.7.0/24");

    @Test
    void answers_of_the_local_network_are_used_until_the_tunnel_is_up() throws IOException {
        try (ScriptedServer lan = answering("203.0.113.66");
                ScriptedServer tunnel = answering("198.51.100.7")) {
            BypassResolver resolver = resolver(lan);

            assertThat(addresses(resolver, Optional.empty())).containsExactly("203.0.113.66");
            assertThat(addresses(resolver, upstreams(tunnel))).containsExactly("198.51.100.7");
        }
    }

    @Test
    void all_rejected_addresses_are_reported_in_one_warning() throws IOException {
        try (ScriptedServer lan = answering("203.0.113.66", "203.0.113.67", "203.0.113.68", "203.0.113.69");
                ScriptedServer tunnel = answering("198.51.100.7")) {
            assertThat(resolver(lan)
                            .resolve(API, List.of(), upstreams(tunnel), FAMILIES)
                            .problems())
                    .singleElement()
                    .asString()
                    .contains("203.0.113.66, 203.0.113.67, 203.0.113.68 and 1 more: removed from the bypasses")
                    .contains("do not confirm it");
        }
    }

    @Test
    void a_name_known_only_to_the_local_network_keeps_only_its_local_addresses() throws IOException {
        try (ScriptedServer lan = answering("192.168.7.20", "203.0.113.66");
                ScriptedServer tunnel = new ScriptedServer(query -> List.of(failing(query, Rcode.NXDOMAIN)))) {
            assertThat(addresses(resolver(lan), upstreams(tunnel))).containsExactly("192.168.7.20");
        }
    }

    @Test
    void without_a_response_from_the_tunnels_servers_only_confirmed_addresses_are_kept() throws IOException {
        ScriptedServer tunnel = answering("198.51.100.7");
        try (ScriptedServer lan = answering("203.0.113.66")) {
            BypassResolver resolver = resolver(lan);
            Optional<Upstreams> tunnelServers = upstreams(tunnel);
            assertThat(addresses(resolver, tunnelServers)).containsExactly("198.51.100.7");
            tunnel.close();

            assertThat(addresses(resolver, tunnelServers)).containsExactly("198.51.100.7");
            assertThat(addresses(resolver(lan), tunnelServers)).isEmpty();
        }
    }

    @Test
    void forbidden_addresses_from_the_tunnels_servers_are_rejected_too() throws IOException {
        try (ScriptedServer lan = answering("198.51.100.7");
                ScriptedServer tunnel = answering("127.0.0.1", "10.64.0.1", "198.51.100.7")) {
            List<ForbiddenAddresses> mesh = List.of(new ForbiddenAddresses(Prefix.parse("10.64.0.0/24"), "the mesh"));
            assertThat(resolver(lan)
                            .resolve(API, mesh, upstreams(tunnel), FAMILIES)
                            .addresses())
                    .extracting(Prefix::text)
                    .containsExactly("198.51.100.7");
        }
    }

    @Test
    void too_many_addresses_are_reduced_to_the_same_subset_in_any_order() throws IOException {
        List<String> many = IntStream.range(0, 2000)
                .mapToObj(number -> "198.18." + number / 250 + "." + number % 250)
                .toList();
        try (ScriptedServer lan = answering(many.toArray(String[]::new));
                ScriptedServer turned = answering(many.reversed().toArray(String[]::new))) {
            List<String> first = addresses(resolver(lan), Optional.empty());

            assertThat(first).hasSize(AddressLimit.MAX_ADDRESSES);
            assertThat(addresses(resolver(turned), Optional.empty())).isEqualTo(first);
            assertThat(addresses(resolver(turned), upstreams(lan))).isEqualTo(first);
        }
    }

    private static List<String> addresses(BypassResolver resolver, Optional<Upstreams> tunnelServers) {
        return resolver.resolve(API, List.of(), tunnelServers, FAMILIES).addresses().stream()
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
                        TIMEOUTS),
                LAN::contains,
                TIMEOUTS);
    }

    private static Optional<Upstreams> upstreams(ScriptedServer server) {
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
