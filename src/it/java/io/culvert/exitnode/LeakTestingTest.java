// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.leaktest.LeakTest;
import io.culvert.leaktest.LeakTestInput;
import io.culvert.leaktest.LeakTestResult;
import io.culvert.leaktest.LeakTestResult.Outcome;
import io.culvert.leaktest.LeakTestSummary;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.nft.OwnedTable;
import io.culvert.nft.Table;
import io.culvert.rtnl.Uplink;
import io.culvert.status.StatusReport.State;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.StringReader;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The leak test finds each kind of leak that is made on purpose, blocks, and lets out nothing itself. */
@NamespaceTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LeakTestingTest {

    private static final Map<String, String> SETTINGS = ExitNodeFixture.withoutMesh(Map.of());

    private static final List<String> BOTH = List.of("-4", "-6");

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private RunningProgram culvert;

    @BeforeAll
    void start() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        allowPing(fixture);
        culvert = fixture.connect(SETTINGS);
    }

    @AfterEach
    void nothing_left_the_node() {
        assertThat(fixture.observer.leaks()).isEmpty();
        assertThat(culvert.isAlive()).isTrue();
    }

    @AfterAll
    void stop() {
        fixture.close();
    }

    /** As container engines set it, for ICMP by datagram sockets. */
    private static void allowPing(ExitNodeFixture fixture) {
        fixture.namespace().sysctl("net.ipv4.ping_group_range=0 2147483647");
    }

    /** Returns what the exit node tests, without those probes that depend on its settings. */
    private LeakTestInput input() {
        return new LeakTestInput(
                Set.of("wg0"),
                Map.of(
                        Family.IPV4,
                        new Uplink("eth0", Optional.empty(), List.of(Prefix.parse(Lab.NODE_IPV4)), 1500),
                        Family.IPV6,
                        new Uplink("eth0", Optional.empty(), List.of(Prefix.parse(Lab.NODE_IPV6)), 1500)),
                Map.of(),
                Marks.DEFAULT,
                Stream.of(Family.values())
                        .map(family ->
                                new InetSocketAddress(Prefix.parseAddress(fixture.provider(family)), Provider.PORT))
                        .toList(),
                List.of(Prefix.parseAddress(Lab.ROUTER_IPV4), Prefix.parseAddress(Lab.ROUTER_IPV6)),
                List.of(),
                List.of());
    }

    private LeakTestResult test() {
        try {
            return fixture.namespace().call(() -> LeakTest.run(input(), Instant.EPOCH));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> names(LeakTestResult result, Outcome outcome) {
        return result.entries().stream()
                .filter(entry -> entry.outcome() == outcome)
                .map(LeakTestResult.Entry::name)
                .toList();
    }

    /**
     * Makes a hole that the exit node cannot close, as it is suspended, and tests it; then the exit node closes it.
     *
     * @param families whose packets the hole's routing rule sends to the uplink, as options of ip
     */
    private LeakTestResult testWithHole(List<String> families, String... nftCommands) {
        culvert.signal("STOP");
        try {
            for (String command : nftCommands) {
                fixture.namespace()
                        .run(Stream.concat(Stream.of("nft"), Stream.of(command.split(" ")))
                                .toArray(String[]::new));
            }
            for (String family : families) {
                fixture.namespace().run("ip", family, "rule", "add", "pref", "10", "lookup", "main");
            }
            return test();
        } finally {
            for (String family : families) {
                fixture.namespace().attempt("ip", family, "rule", "delete", "pref", "10");
            }
            culvert.ignoreEarlierOutput();
            culvert.signal("CONT");
            culvert.awaitLine("reverted an external change", ExitNodeFixture.TIMEOUT);
        }
    }

    @Test
    void on_a_healthy_node_everything_passes() {
        CommandResult result = fixture.run(SETTINGS, "leak-test");

        assertThat(result.status()).as(result.toString()).isZero();
        assertThat(result.out())
                .contains("IPv4 ICMP echo to 198.51.100.1, bound to eth0: passed")
                .contains("control: a DHCPv6 request is seen on eth0: passed")
                .containsPattern("(?m)^[0-9]+ passed, 0 failed, 0 skipped$");
        assertThat(fixture.status().leakTest().map(LeakTestSummary::failed)).contains(0);
        assertThat(fixture.namespace().run("nft", "list", "tables")).doesNotContain("leak");
    }

    @Test
    void the_result_is_available_as_JSON() {
        CommandResult result = fixture.run(SETTINGS, "leak-test", "--json");

        try (JsonReader reader = Json.createReader(new StringReader(result.outputOrFail()))) {
            JsonObject json = reader.readObject();
            assertThat(json.getString("result")).isEqualTo("passed");
            assertThat(json.getJsonArray("probes")).hasSize(json.getInt("passed") + json.getInt("skipped"));
        }
    }

    @Test
    void without_a_kill_switch_every_probe_is_a_leak() {
        LeakTestResult result = testWithHole(BOTH, "flush ruleset");

        assertThat(names(result, Outcome.PASSED)).allMatch(name -> name.startsWith("control: "));
        assertThat(names(result, Outcome.SKIPPED)).isEmpty();
        assertThat(names(result, Outcome.FAILED))
                .contains(
                        "IPv4 UDP to 198.51.100.1 port 9",
                        "IPv6 UDP to 2001:db8::1 port 9, bound to eth0",
                        "IPv4 TCP to 198.51.100.1 port 9, from 192.0.2.10",
                        "IPv6 ICMP echo to 2001:db8::1, with the mark of the tunnel",
                        "IPv4 UDP to 203.0.113.10 port 51820, bound to eth0",
                        "IPv6 TCP to 2001:db8:e::1 port 53",
                        "IPv4 UDP to 224.0.0.251 port 5353, bound to eth0");
    }

    /** A rule that lets out one kind of packet, and what the names of these have in common. */
    static Stream<Arguments> holes() {
        return Stream.of(
                Arguments.of("meta l4proto tcp", " TCP "),
                Arguments.of("meta l4proto udp", " UDP "),
                Arguments.of("meta l4proto icmp", "IPv4 ICMP "),
                Arguments.of("icmpv6 type echo-request", "IPv6 ICMP "),
                Arguments.of("meta nfproto ipv4", "IPv4 "),
                Arguments.of("meta nfproto ipv6", "IPv6 "),
                Arguments.of("meta mark 0x51000000", "with the mark of the tunnel"),
                Arguments.of("meta mark 0x80000", "with the mark of Tailscale"),
                Arguments.of("udp dport 9", " UDP to .* port 9(,|$)"),
                Arguments.of("tcp dport 853", " TCP to .* port 853(,|$)"),
                Arguments.of("ip daddr 255.255.255.255", "255\\.255\\.255\\.255"),
                Arguments.of("ip6 daddr ff02::fb", "ff02::fb"));
    }

    @ParameterizedTest
    @MethodSource("holes")
    void exactly_what_a_rule_lets_out_is_found(String match, String names) {
        LeakTestResult result = testWithHole(BOTH, "insert rule inet culvert uplink " + match + " accept");

        Predicate<String> expected = Pattern.compile(names).asPredicate();
        // Queries are redirected to the DNS stub before, unless they have the tunnel's mark or are bound to a link.
        Predicate<String> redirected =
                Pattern.compile(" port 53(, with the mark of Tailscale)?$").asPredicate();
        assertThat(names(result, Outcome.FAILED)).isNotEmpty().allMatch(expected);
        assertThat(names(result, Outcome.PASSED))
                .noneMatch(name -> !name.startsWith("control: ") && expected.test(name) && !redirected.test(name));
    }

    @Test
    void a_hole_in_nftables_alone_lets_out_what_the_routing_rules_do_not_cover() {
        LeakTestResult result =
                testWithHole(List.of(), "flush chain inet culvert uplink", "add rule inet culvert uplink accept");

        assertThat(names(result, Outcome.FAILED))
                .contains("IPv4 UDP to 198.51.100.1 port 9, bound to eth0")
                .doesNotContain("IPv4 UDP to 198.51.100.1 port 9");
    }

    @Test
    void the_exit_node_blocks_until_a_test_passes() throws Exception {
        try (ExitNodeFixture other = ExitNodeFixture.of(LabOptions.DEFAULTS)) {
            other.verifyObserverDetectsLeaks(Family.values());
            RunningProgram node = other.connect(SETTINGS);
            // Another program takes the table, so that the exit node can neither repair nor replace it.
            node.signal("STOP");
            other.namespace().run("nft", "delete", "table", "inet", "culvert");
            OwnedTable taken = other.namespace()
                    .call(() -> OwnedTable.create(new Table(KillSwitchRuleset.TABLE, List.of(), List.of())));
            for (String family : BOTH) {
                other.namespace().run("ip", family, "rule", "add", "pref", "10", "lookup", "main");
            }
            node.signal("CONT");

            node.awaitLine("^error: leak test: .* would have left outside the tunnel", ExitNodeFixture.TIMEOUT);
            node.awaitLine("hint: see 'culvert leak-test'", ExitNodeFixture.TIMEOUT);
            assertThat(other.run(SETTINGS, "leak-test").status()).isEqualTo(1);
            assertThat(other.status().state()).isEqualTo(State.BLOCKED);
            assertThat(other.status().problems()).anyMatch(problem -> problem.contains("would have left"));
            assertThat(other.run(SETTINGS, "health").status()).isEqualTo(1);
            other.assertLocalTrafficBlocked(Family.values());

            for (String family : BOTH) {
                other.namespace().run("ip", family, "rule", "delete", "pref", "10");
            }
            taken.close();
            node.awaitLine("recovered", ExitNodeFixture.TIMEOUT);
            CommandResult again = other.run(SETTINGS, "leak-test");
            assertThat(again.status()).as(again.toString()).isZero();
            node.awaitLine("leak test: passed .*traffic is no longer blocked", ExitNodeFixture.TIMEOUT);
            assertThat(other.run(SETTINGS, "health", "--wait", "30").status()).isZero();
            other.assertLocalTrafficUsesTunnel(Family.values());
        }
    }

    @Test
    void what_the_settings_allow_is_skipped() {
        try (ExitNodeFixture other = ExitNodeFixture.of(LabOptions.DEFAULTS)) {
            Map<String, String> settings = ExitNodeFixture.withoutMesh(Map.of(
                    "CULVERT_BYPASS", "192.0.2.1:53/udp,198.51.100.0/24,2001:db8::/64,224.0.0.0/24",
                    "CULVERT_LAN_ALLOW", "3fff::/32"));
            other.connect(settings);
            CommandResult result = other.run(settings, "leak-test");

            assertThat(result.status()).as(result.toString()).isZero();
            assertThat(result.out())
                    .contains(
                            "IPv4 UDP to 192.0.2.1 port 53, bound to eth0: skipped: the settings allow 192.0.2.1:53/udp")
                    .contains("IPv4 TCP to 192.0.2.1 port 53, bound to eth0: passed")
                    .contains(
                            "IPv4 UDP to 224.0.0.251 port 5353, bound to eth0: skipped: the settings allow 224.0.0.0/24")
                    .contains("IPv6 UDP to 2001:db8::1 port 9: skipped: the settings allow 2001:db8::/64")
                    .contains("IPv4 UDP to 203.0.113.1 port 9: passed")
                    .containsPattern("(?m)^[0-9]+ passed, 0 failed, [1-9][0-9]* skipped$");
        }
    }

    /** The server is declared unresponsive long after the time of the test. */
    @Test
    void the_setting_turns_the_automatic_test_off() {
        try (ExitNodeFixture other = ExitNodeFixture.of(LabOptions.DEFAULTS)) {
            Map<String, String> settings = ExitNodeFixture.withoutMesh(Map.of("CULVERT_LEAK_TEST", "off"));
            RunningProgram node = other.connect(settings);
            assertThat(other.run(settings, "leak-test").status()).isZero();
            other.lab.provider().stop();
            assertThat(other.node.whoami(Family.IPV4)).isEmpty();
            node.awaitLine("no response from", ExitNodeFixture.TIMEOUT);

            assertThat(node.output().lines().filter(line -> line.startsWith("leak test: passed")))
                    .as("the one that was requested")
                    .hasSize(1);
        }
    }

    @Test
    void a_node_without_IPv6_and_without_ping_skips_them() {
        try (ExitNodeFixture other = ExitNodeFixture.of(LabOptions.DEFAULTS.withoutIpv6())) {
            RunningProgram node = other.connect(SETTINGS);
            node.awaitLine("^leak test: passed", ExitNodeFixture.TIMEOUT);
            CommandResult result = other.run(SETTINGS, "leak-test");

            assertThat(result.status()).as(result.toString()).isZero();
            assertThat(result.out())
                    .contains("all IPv6: skipped: this machine has no IPv6 uplink")
                    .contains("IPv4 ICMP echo to 198.51.100.1: skipped: net.ipv4.ping_group_range does not include");
        }
    }

    @Test
    void without_an_exit_node_the_command_says_so() {
        try (ExitNodeFixture other = ExitNodeFixture.of(LabOptions.DEFAULTS)) {
            CommandResult result = other.run(SETTINGS, "leak-test");

            assertThat(result.status()).isEqualTo(3);
            assertThat(result.err()).contains("no exit node is running here").contains("culvert up");
        }
    }
}
