// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.Egress;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

class BootstrapResolverTest {

    private static final Timeouts TIMEOUTS = new Timeouts(Duration.ofSeconds(10), Duration.ofSeconds(20));
    private static final Host.Name VPN = new Host.Name("vpn.example.net");

    @TempDir
    Path directory;

    @Test
    void both_address_families_are_queried_and_CNAMEs_followed() throws IOException {
        try (ScriptedServer server = new ScriptedServer(zone(Map.of(
                "A", List.of("vpn.example.net. 300 CNAME se.example.net.", "se.example.net. 45 A 192.0.2.10"),
                "AAAA", List.of("vpn.example.net. 300 AAAA 2001:db8::10"))))) {
            ResolutionResult result = resolver(server, Family.values()).resolve(VPN, List.of());

            assertThat(result.addresses()).containsExactly(address("192.0.2.10"), address("2001:db8::10"));
            assertThat(result.ttl()).isEqualTo(Duration.ofSeconds(45));
            assertThat(result.fresh()).isTrue();
            assertThat(result.problems()).isEmpty();
        }
    }

    @Test
    void only_families_with_a_default_route_are_queried() throws IOException {
        try (ScriptedServer server =
                new ScriptedServer(zone(Map.of("A", List.of("vpn.example.net. 300 A 192.0.2.10"))))) {
            resolver(server, Family.IPV4).resolve(VPN, List.of());

            assertThat(server.queries()).hasSize(1);
        }
    }

    @Test
    void addresses_of_unrelated_names_in_the_answer_are_ignored() throws IOException {
        try (ScriptedServer server =
                new ScriptedServer(zone(Map.of("A", List.of("bank.example.net. 300 A 203.0.113.66"))))) {
            ResolutionResult result = resolver(server, Family.IPV4).resolve(VPN, List.of());

            assertThat(result.addresses()).isEmpty();
            assertThat(result.problems()).singleElement().asString().contains("has no address");
        }
    }

    @Test
    void forbidden_addresses_are_rejected_each_with_its_reason() throws IOException {
        try (ScriptedServer server = new ScriptedServer(zone(Map.of(
                "A",
                List.of(
                        "vpn.example.net. 300 A 127.0.0.1",
                        "vpn.example.net. 300 A 10.64.0.9",
                        "vpn.example.net. 300 A 192.0.2.10"))))) {
            ResolutionResult result = resolver(server, Family.IPV4)
                    .resolve(
                            VPN,
                            List.of(new ForbiddenAddresses(Prefix.parse("10.64.0.0/10"), "the tunnel's own range")));

            assertThat(result.addresses()).containsExactly(address("192.0.2.10"));
            assertThat(result.problems())
                    .extracting(Object::toString)
                    .satisfiesExactly(
                            first -> assertThat(first).contains("127.0.0.1 is rejected: loopback"),
                            second -> assertThat(second).contains("10.64.0.9 is rejected: the tunnel's own range"));
        }
    }

    @Test
    void only_the_first_of_many_rejected_addresses_are_reported() throws IOException {
        String[] many = IntStream.range(0, 200)
                .mapToObj(i -> "vpn.example.net. 300 A 127.0.1." + i)
                .toArray(String[]::new);
        try (ScriptedServer server = new ScriptedServer(zone(Map.of("A", List.of(many))))) {
            ResolutionResult result = resolver(server, Family.IPV4).resolve(VPN, List.of());

            assertThat(result.addresses()).isEmpty();
            assertThat(result.problems()).hasSize(4);
            assertThat(result.problems().getLast())
                    .hasToString("vpn.example.net: note: 200 addresses were rejected in total");
        }
    }

    @Test
    void CNAME_loops_and_endless_CNAME_chains_yield_no_address() throws IOException {
        String[] chain = IntStream.range(0, 300)
                .mapToObj(i -> (i == 0 ? "vpn" : "a" + i) + ".example.net. 300 CNAME a" + (i + 1) + ".example.net.")
                .toArray(String[]::new);
        for (List<String> records : List.of(
                List.of("vpn.example.net. 300 CNAME vpn.example.net."),
                List.of(
                        "vpn.example.net. 300 CNAME b.example.net.",
                        "b.example.net. 300 CNAME vpn.example.net.",
                        "c.example.net. 300 A 192.0.2.10"),
                Stream.concat(Stream.of(chain), Stream.of("a300.example.net. 300 A 192.0.2.10"))
                        .toList())) {
            try (ScriptedServer server = new ScriptedServer(zone(Map.of("A", records)))) {
                assertThat(resolver(server, Family.IPV4).resolve(VPN, List.of()).addresses())
                        .isEmpty();
            }
        }
    }

    @Test
    void the_answer_of_a_resolver_that_responds_after_several_attempts_is_used() throws IOException {
        try (ScriptedServer slow = ScriptedServer.answeringFirstAfter(4, "vpn.example.net. 300 A 192.0.2.10")) {
            BootstrapResolver resolver = new BootstrapResolver(
                    new ResolvConf(List.of(slow.address()), List.of(), List.of(), 1),
                    HostsFile.read(directory.resolve("hosts")),
                    Egress.ANY,
                    () -> Set.of(Family.IPV4),
                    new Timeouts(Duration.ofMillis(100), Duration.ofSeconds(20)));

            assertThat(resolver.resolve(VPN, List.of()).addresses()).containsExactly(address("192.0.2.10"));
        }
    }

    @Test
    void a_silent_resolver_is_queried_for_the_first_name_only() throws IOException {
        try (ScriptedServer silent = new ScriptedServer(ScriptedServer.timeout());
                ScriptedServer responsive =
                        new ScriptedServer(zone(Map.of("A", List.of("vpn.example.net. 300 A 192.0.2.10"))))) {
            BootstrapResolver resolver = new BootstrapResolver(
                    new ResolvConf(List.of(silent.address(), responsive.address()), List.of(), List.of(), 1),
                    HostsFile.read(directory.resolve("hosts")),
                    Egress.ANY,
                    () -> Set.of(Family.IPV4),
                    new Timeouts(Duration.ofMillis(100), Duration.ofSeconds(20)));

            for (int i = 0; i < 3; i++) {
                assertThat(resolver.resolve(VPN, List.of()).addresses()).containsExactly(address("192.0.2.10"));
            }

            assertThat(silent.queries()).hasSize(1);
        }
    }

    @Test
    void a_slow_answer_for_one_family_extends_the_timeout_of_the_other() {
        assertThat(Timeouts.BOOTSTRAP.total()).isGreaterThanOrEqualTo(Duration.ofSeconds(9));
        assertThat(Timeouts.BOOTSTRAP.afterAnswer(Duration.ofMillis(20))).isEqualTo(Duration.ofMillis(4500));
        assertThat(Timeouts.BOOTSTRAP.afterAnswer(Duration.ofSeconds(4))).isEqualTo(Duration.ofSeconds(8));
        assertThat(Timeouts.BOOTSTRAP.afterAnswer(Duration.ofSeconds(8))).isEqualTo(Duration.ofSeconds(9));
    }

    @Test
    void the_last_known_addresses_are_kept_after_a_failure() throws IOException {
        ScriptedServer server = new ScriptedServer(zone(Map.of("A", List.of("vpn.example.net. 300 A 192.0.2.10"))));
        BootstrapResolver resolver = resolver(server, Family.IPV4);
        assertThat(resolver.resolve(VPN, List.of()).fresh()).isTrue();
        server.close();

        ResolutionResult fallback = resolver.resolve(VPN, List.of());

        assertThat(fallback.addresses()).containsExactly(address("192.0.2.10"));
        assertThat(fallback.fresh()).isFalse();
        assertThat(fallback.problems())
                .extracting(Object::toString)
                .satisfiesExactly(
                        why -> assertThat(why).contains("connection refused"),
                        note -> assertThat(note).contains("the last known addresses are kept"));
    }

    @Test
    void a_family_without_a_response_keeps_its_last_known_addresses() throws IOException {
        Queue<Integer> codes = new ArrayDeque<>(List.of(Rcode.NOERROR, Rcode.NOERROR, Rcode.SERVFAIL, Rcode.NOERROR));
        Map<String, List<String>> records = Map.of(
                "A", List.of("vpn.example.net. 300 A 192.0.2.10"),
                "AAAA", List.of("vpn.example.net. 300 AAAA 2001:db8::10"));
        try (ScriptedServer server = new ScriptedServer(query -> {
            int code = codes.remove();
            Message answer =
                    code == Rcode.NOERROR ? zone(records).apply(query).getFirst() : ScriptedServer.answer(query);
            answer.getHeader().setRcode(code);
            return List.of(answer);
        })) {
            BootstrapResolver resolver = resolver(server, Family.values());
            ResolutionResult first = resolver.resolve(VPN, List.of());

            ResolutionResult then = resolver.resolve(VPN, List.of());

            assertThat(then.addresses())
                    .isEqualTo(first.addresses())
                    .containsExactly(address("192.0.2.10"), address("2001:db8::10"));
            assertThat(then.ttl()).isZero();
        }
    }

    @Test
    void a_last_known_address_that_became_forbidden_is_not_kept() throws IOException {
        ScriptedServer server = new ScriptedServer(zone(Map.of("A", List.of("vpn.example.net. 300 A 192.0.2.10"))));
        BootstrapResolver resolver = resolver(server, Family.IPV4);
        resolver.resolve(VPN, List.of());
        server.close();

        List<ForbiddenAddresses> forbidden = List.of(new ForbiddenAddresses(Prefix.parse("192.0.2.0/24"), "the LAN"));

        assertThat(resolver.resolve(VPN, forbidden).addresses()).isEmpty();
    }

    @Test
    void the_hosts_file_takes_precedence() throws IOException {
        Files.writeString(directory.resolve("hosts"), """
                127.0.0.1 localhost
                192.0.2.77 other VPN.example.net # by hand
                nonsense vpn.example.net
                """);
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.timeout())) {
            assertThat(resolver(server, Family.values()).resolve(VPN, List.of()).addresses())
                    .containsExactly(address("192.0.2.77"));
            assertThat(server.queries()).isEmpty();
        }
    }

    @Test
    void the_search_list_of_the_container_is_used() throws IOException {
        try (ScriptedServer server =
                new ScriptedServer(zone(Map.of("A", List.of("headscale.svc.example. 30 A 192.0.2.20"))))) {
            ResolvConf conf = new ResolvConf(List.of(server.address()), List.of(), List.of("svc.example"), 1);
            BootstrapResolver resolver = new BootstrapResolver(
                    conf, HostsFile.read(directory.resolve("hosts")), Egress.ANY, () -> Set.of(Family.IPV4), TIMEOUTS);

            assertThat(resolver.resolve(new Host.Name("headscale"), List.of()).addresses())
                    .containsExactly(address("192.0.2.20"));
        }
    }

    @Test
    void a_name_that_does_not_exist_is_reported_as_a_user_error() throws IOException {
        Queue<Integer> codes = new ArrayDeque<>(List.of(Rcode.NXDOMAIN, Rcode.NXDOMAIN));
        try (ScriptedServer server = new ScriptedServer(query -> {
            Message answer = ScriptedServer.answer(query);
            answer.getHeader().setRcode(codes.remove());
            return List.of(answer);
        })) {
            ResolutionResult result = resolver(server, Family.values()).resolve(VPN, List.of());

            assertThat(result.problems())
                    .singleElement()
                    .hasToString("vpn.example.net: has no address\n    hint: correct the name, or use an address"
                            + " instead");
        }
    }

    private BootstrapResolver resolver(ScriptedServer server, Family... families) {
        return new BootstrapResolver(
                new ResolvConf(List.of(server.address()), List.of(), List.of(), 1),
                HostsFile.read(directory.resolve("hosts")),
                Egress.ANY,
                () -> EnumSet.copyOf(List.of(families)),
                TIMEOUTS);
    }

    private static Function<Message, List<Message>> zone(Map<String, List<String>> byType) {
        return query -> List.of(ScriptedServer.answer(
                query,
                byType.getOrDefault(Type.string(query.getQuestion().getType()), List.of())
                        .toArray(String[]::new)));
    }

    private static InetAddress address(String text) {
        return InetAddress.ofLiteral(text);
    }
}
