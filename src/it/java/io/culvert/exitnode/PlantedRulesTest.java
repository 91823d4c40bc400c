// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.audit.Violation.JudgedLayers;
import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The audit names what was changed in the kernel's state by hand, with a packet that passes by it. Culvert is killed first,
 * as it restores its rules at once; what it set up stays.
 */
@NamespaceTest
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class PlantedRulesTest {

    private static final Map<String, String> SETTINGS =
            ExitNodeFixture.withoutMesh(Map.of("CULVERT_LAN_ALLOW", "192.0.2.0/24", "CULVERT_PUBLISH", "8080"));

    /** Restores the state after a change. */
    private static final String RESTORE = """
            nft flush ruleset
            nft -f /run/planted-before
            for family in -4 -6; do
              ip $family rule flush
              ip $family rule restore < /run/planted-rules$family
              ip $family route flush table 51820
              ip $family route restore < /run/planted-routes$family
            done
            """;

    private static final String SAVE = """
            nft list ruleset > /run/planted-before
            for family in -4 -6; do
              ip $family rule save > /run/planted-rules$family
              ip $family route save table 51820 > /run/planted-routes$family
            done
            """;

    private static final String ANYWHERE = "may leave by eth0: TCP from " + Lab.NODE_IPV4 + ":40000 to 203.0.113.9:443";

    private static final String ANYWHERE_IPV6 =
            "may leave by eth0: TCP from [" + Lab.NODE_IPV6 + "]:40000 to [2001:db8:9::9]:443";

    /**
     * A change.
     *
     * @param layers which the audit has to find insufficient
     * @param witness a packet that it has to name
     * @param steps on its way, in parts
     */
    private record Planted(String name, String script, JudgedLayers layers, String witness, List<String> steps) {

        private Planted(String name, String script, JudgedLayers layers, String witness, String... steps) {
            this(name, script, layers, witness, List.of(steps));
        }
    }

    private static final List<Planted> CHANGES = List.of(
            new Planted(
                    "a rule that accepts everything, before the others, in each hook",
                    """
                    nft insert rule inet culvert output accept comment planted
                    nft insert rule inet culvert postrouting accept comment planted
                    """,
                    JudgedLayers.NFTABLES,
                    ANYWHERE,
                    "\"planted\""),
            new Planted(
                    "a rule that accepts one address",
                    """
                    nft insert rule inet culvert output ip daddr 198.51.100.77 accept comment planted
                    nft insert rule inet culvert postrouting ip daddr 198.51.100.77 accept comment planted
                    """,
                    JudgedLayers.NFTABLES,
                    "may leave by eth0: TCP from " + Lab.NODE_IPV4 + ":40000 to 198.51.100.77:443",
                    "\"planted\""),
            new Planted(
                    "a set that holds all addresses",
                    "nft flush set inet culvert lan4; nft add element inet culvert lan4 { 0.0.0.0-255.255.255.255 }",
                    JudgedLayers.NFTABLES,
                    ANYWHERE,
                    "\"to the allowed LAN, IPv4\""),
            new Planted(
                    "chains without rules whose policy is to accept",
                    """
                    for chain in output postrouting; do
                      nft flush chain inet culvert $chain
                      nft chain inet culvert $chain '{ policy accept; }'
                    done
                    """,
                    JudgedLayers.NFTABLES,
                    ANYWHERE_IPV6,
                    "policy accept"),
            new Planted("no table", "nft delete table inet culvert", JudgedLayers.NFTABLES, ANYWHERE),
            new Planted(
                    "a dormant table",
                    "nft add table inet culvert '{ flags dormant; }'",
                    JudgedLayers.NFTABLES,
                    ANYWHERE_IPV6),
            new Planted(
                    "a foreign table that gives all packets the tunnel's mark",
                    """
                    nft add table ip other '{ chain c { type route hook output priority -310; }; }'
                    nft add rule ip other c meta mark set 0x51000000
                    """,
                    JudgedLayers.BOTH,
                    "may leave by eth0: TCP from " + Lab.NODE_IPV4 + ":40000 to " + Lab.ROUTER_IPV4 + ":53",
                    "bootstrap DNS queries, IPv4"),
            new Planted(
                    "a foreign table that forwards frames from a link's own hook",
                    """
                    nft add table netdev other '{ chain c { type filter hook egress device eth0 priority 0; }; }'
                    nft add rule netdev other c fwd to lo
                    """,
                    JudgedLayers.BOTH,
                    "anything may leave: table 'netdev other' forwards packets to another interface (fwd)"),
            new Planted(
                    "everything that comes in is accepted",
                    "nft insert rule inet culvert input accept comment planted",
                    JudgedLayers.BOTH,
                    "may come in through eth0: TCP from 198.51.100.7:40000 to " + Lab.NODE_IPV4 + ":443",
                    "\"planted\""),
            new Planted(
                    "a rule that looks up the main table first",
                    "ip rule add pref 10 lookup main",
                    JudgedLayers.ROUTING,
                    ANYWHERE,
                    "rule pref 10 lookup main"),
            new Planted(
                    "the same for one network, in IPv6",
                    "ip -6 rule add pref 10 to 2001:db8:9::/48 lookup main",
                    JudgedLayers.ROUTING,
                    ANYWHERE_IPV6,
                    "rule pref 10 to 2001:db8:9::/48 lookup main"),
            new Planted(
                    "the same for one user",
                    "ip rule add pref 10 uidrange 1000-1000 lookup main",
                    JudgedLayers.ROUTING,
                    ANYWHERE,
                    "uidrange 1000-1000"),
            new Planted("no routing rules of Culvert", """
                    ip -4 rule show | grep -v '^0:\\|^3276' | cut -d: -f1 | while read -r preference; do
                      ip -4 rule delete pref "$preference"
                    done
                    """, JudgedLayers.ROUTING, ANYWHERE, "lookup main"),
            new Planted(
                    "the tunnel's rules after that of the main table",
                    """
                    for pref in 5330 5340; do
                      rule=$(ip rule show pref $pref | cut -f 2- | sed 's/proto.*//')
                      ip rule delete pref $pref
                      ip rule add pref 4$pref $rule
                    done
                    """,
                    JudgedLayers.ROUTING,
                    ANYWHERE,
                    "lookup main"),
            new Planted(
                    "a forged route in the tunnel's table",
                    "ip route add 203.0.113.0/25 dev eth0 table 51820",
                    JudgedLayers.ROUTING,
                    ANYWHERE,
                    "203.0.113.0/25 dev eth0"),
            new Planted(
                    "the tunnel's default route through the uplink",
                    "ip -6 route replace default dev eth0 table 51820",
                    JudgedLayers.ROUTING,
                    ANYWHERE_IPV6,
                    "default dev eth0"));

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private JsonObject audit() {
        CommandResult result = fixture.run(SETTINGS, "audit", "--json");
        try (JsonReader reader = Json.createReader(new StringReader(result.out()))) {
            JsonObject report = reader.readObject();
            assertThat(result.status()).as(result.toString()).isEqualTo(report.getBoolean("clean") ? 0 : 1);
            return report;
        }
    }

    private static List<JsonObject> violations(JsonObject report, JudgedLayers layers) {
        return report.getJsonArray("violations").getValuesAs(JsonObject.class).stream()
                .filter(it -> it.getString("layers").equals(layers.name().toLowerCase(Locale.ROOT)))
                .toList();
    }

    private static boolean isNamed(JsonObject report, Planted planted) {
        return violations(report, planted.layers()).stream()
                .anyMatch(violation -> violation.getString("sentence").contains(planted.witness())
                        && planted.steps().stream()
                                .allMatch(step -> violation
                                        .getJsonArray("path")
                                        .toString()
                                        .contains(Json.createValue(step)
                                                .toString()
                                                .replaceAll("^\"|\"$", ""))));
    }

    /** Starts the exit node, waits until it is connected, and kills it. */
    private void leaveStateBehind() {
        fixture.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        fixture.lab
                                .provider()
                                .file("203.0.113.10:51820", "0.0.0.0/0, ::/0")
                                .replace("[Interface]", "[Interface]\nListenPort = 51900"));
        RunningProgram culvert = fixture.connect(SETTINGS);
        culvert.signal("KILL");
        culvert.awaitExit(ExitNodeFixture.TIMEOUT);
        fixture.shell(SAVE);
    }

    @Test
    void each_planted_change_is_named_with_a_packet_that_passes_by_it() {
        leaveStateBehind();
        assertThat(audit().getBoolean("clean")).as("before").isTrue();
        List<String> missed = new ArrayList<>();
        for (Planted planted : CHANGES) {
            fixture.shell(planted.script());
            JsonObject report = audit();
            if (!isNamed(report, planted)) {
                missed.add(planted.name() + ": " + report.getJsonArray("violations"));
            }
            fixture.shell(RESTORE);
        }
        assertThat(missed).isEmpty();
        assertThat(audit().getBoolean("clean")).as("restored").isTrue();
    }

    @Test
    void what_is_named_for_both_layers_really_leaves() {
        leaveStateBehind();
        fixture.assertLocalTrafficBlocked(Family.values());
        fixture.shell("""
                nft insert rule inet culvert output accept
                nft insert rule inet culvert postrouting accept
                ip -4 rule add pref 10 lookup main
                ip -6 rule add pref 10 lookup main
                """);

        JsonObject report = audit();

        assertThat(violations(report, JudgedLayers.BOTH))
                .extracting(violation -> violation.getString("sentence"))
                .contains(ANYWHERE, ANYWHERE_IPV6);
        for (Family family : Family.values()) {
            assertThat(fixture.observer.sees(() -> fixture.node.whoami(family)))
                    .as("leaves: " + family)
                    .isTrue();
        }
    }
}
