// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import io.culvert.status.StatusReport.State;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Rules, routes and tables of other programs override one layer of the kill switch. The other layer still blocks, so
 * nothing leaks; but the overridden layer is not reported as active.
 */
@NamespaceTest
class ForeignRulesTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private void assertLayerOverridden(RunningProgram culvert, String layer, String message) {
        culvert.awaitLine("kill switch: " + layer + " not in effect .*" + message, ExitNodeFixture.TIMEOUT);
        assertThat(fixture.status().killSwitch()).as(message).containsEntry(layer, false);
        // Where packets could leave by it, all traffic is blocked as soon as the audit has found that out.
        assertThat(fixture.status().state()).isIn(State.EXPOSED, State.BLOCKED);
        assertThat(fixture.status().healthy()).isFalse();
        assertThat(fixture.status().problems()).anyMatch(problem -> problem.contains(layer + " not in effect"));
        for (Family family : Family.values()) {
            fixture.node.whoami(family);
            fixture.node.echo(family);
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    private void assertInEffectAgain(RunningProgram culvert) {
        culvert.awaitLine("kill switch: both layers are in effect again", ExitNodeFixture.TIMEOUT);
        assertThat(fixture.status().killSwitch()).containsEntry("routing", true).containsEntry("nftables", true);
        // What was sent meanwhile got no answer, so that it may take a probe until the tunnel counts as working.
        assertThat(fixture.run(Map.of(), "health", "--wait", "30").status()).isZero();
        culvert.ignoreEarlierOutput();
    }

    private void ip(String command) {
        fixture.namespace().run(("ip " + command).split(" ", -1));
    }

    @Test
    void foreign_rules_and_routes_are_reported_until_they_are_removed() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        assertThat(fixture.status().healthy()).isTrue();
        culvert.ignoreEarlierOutput();

        for (String rule : new String[] {
            "pref 10 lookup main",
            "pref 10 lookup main suppress_prefixlength 0",
            "pref 20 fwmark 0x99 lookup main",
            "pref 5335 lookup main",
            "pref 30 uidrange 0-5000 lookup main",
            "pref 40 iif lo goto 32766",
            "pref 50 iif mesh0 lookup main",
            "pref 5205 lookup main"
        }) {
            for (String family : new String[] {"-4", "-6"}) {
                ip(family + " rule add " + rule);
                assertLayerOverridden(culvert, "routing", "ip " + family + " rule pref " + rule.split(" ", -1)[1]);
                ip(family + " rule delete " + rule);
                assertInEffectAgain(culvert);
            }
        }
        for (String route : new String[] {
            "-4 route add 0.0.0.0/1 via " + Lab.ROUTER_IPV4 + " dev eth0 table 51820",
            "-6 route add 2000::/3 dev eth0 table 51820",
            "-4 route add 198.51.100.0/24 via " + Lab.ROUTER_IPV4 + " dev eth0 table 51821",
            "-4 route add 198.51.100.0/24 via " + Lab.ROUTER_IPV4 + " dev eth0 table local"
        }) {
            ip(route);
            assertLayerOverridden(culvert, "routing", "foreign route");
            ip(route.replace(" add ", " delete "));
            assertInEffectAgain(culvert);
        }
        ip("-4 rule delete pref 0");
        assertLayerOverridden(culvert, "routing", "lookup local");
        ip("-4 rule add pref 100 lookup local");
        assertInEffectAgain(culvert);
        ip("-4 rule add pref 0 lookup local");

        // Rules that come after Culvert's, only drop packets, or concern other interfaces override nothing.
        ip("-4 rule add pref 6000 lookup main");
        ip("-6 rule add pref 10 to 2001:db8:1::10 unreachable");
        ip("-4 rule add pref 10 to 198.51.100.77 blackhole");
        ip("-4 rule add pref 11 iif eth0 lookup main");
        ip("-4 route add 0.0.0.0/1 via " + Lab.ROUTER_IPV4 + " dev eth0 table 99");
        assertThat(fixture.status().killSwitch()).containsEntry("routing", true);
        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
    }

    @Test
    void foreign_nftables_rules_are_reported() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        culvert.ignoreEarlierOutput();

        for (String rule : new String[] {
            "notrack",
            "meta mark set 0x51000000",
            "meta mark set meta mark or 0x51000000",
            "ct mark set 0x51000000",
            "meta mark set udp dport map { 7 : 0x51000000 }"
        }) {
            fixture.namespace()
                    .run("nft", "add table ip other { chain c { type filter hook output priority -310; }; }");
            assertThat(fixture.status().killSwitch()).containsEntry("nftables", true);
            fixture.namespace().run("nft", "add rule ip other c ip daddr 198.51.100.99 " + rule);
            assertLayerOverridden(culvert, "nftables", "ip other");
            fixture.namespace().run("nft", "delete table ip other");
            assertInEffectAgain(culvert);
        }
    }

    @Test
    void foreign_rules_present_at_the_start_are_reported() {
        ip("-6 rule add pref 10 lookup main");
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));

        assertLayerOverridden(culvert, "routing", "ip -6 rule pref 10 lookup main");
        culvert.ignoreEarlierOutput();
        ip("-6 rule delete pref 10");
        assertInEffectAgain(culvert);
    }
}
