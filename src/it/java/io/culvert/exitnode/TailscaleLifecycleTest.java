// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.Headscale;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.lab.TailnetTest;
import io.culvert.net.Family;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Starts and stops of a node in a tailnet. */
@TailnetTest
class TailscaleLifecycleTest {

    private final TailnetFixture tailnet = TailnetFixture.defaultSettings();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    @Test
    void a_restart_with_the_same_state_keeps_the_node_and_leaks_nothing() {
        Map<String, String> settings = tailnet.settings(Map.of());
        RunningProgram first = TailnetFixture.awaitExitNode(tailnet.fixture.start(settings));
        String before = tailnet.tailscale().status().getJsonObject("Self").getString("ID");
        String address = tailnet.address(Family.IPV4);
        tailnet.selectExitNodeOnPhone();
        Map<String, String> without = new HashMap<>(settings);
        without.remove("TS_AUTHKEY");

        try (ContinuousProbe phone = ContinuousProbe.of(tailnet.lab.client().namespace(), Family.IPV4);
                ContinuousProbe local = ContinuousProbe.of(tailnet.fixture.namespace(), Family.IPV6)) {
            phone.awaitReply(tailnet.fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
            first.signal("TERM");
            assertThat(first.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
            // The saved state identifies the node: no key is needed.
            TailnetFixture.awaitExitNode(tailnet.fixture.start(without));
            phone.awaitReply(tailnet.fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
            local.awaitReply(tailnet.fixture.provider(Family.IPV6), ExitNodeFixture.TIMEOUT);
            assertThat(phone.seenAddresses()).containsExactly(tailnet.fixture.provider(Family.IPV4));
            assertThat(local.seenAddresses()).containsExactly(tailnet.fixture.provider(Family.IPV6));
        }

        assertThat(tailnet.tailscale().status().getJsonObject("Self").getString("ID"))
                .isEqualTo(before);
        assertThat(tailnet.address(Family.IPV4)).isEqualTo(address);
        assertThat(tailnet.lab.headscale().members())
                .extracting(Headscale.Member::name)
                .containsExactlyInAnyOrder(TailnetFixture.NODE, "phone");
        tailnet.assertPhoneUsesTunnel(Family.values());
    }

    @Test
    void a_stopped_container_exits_at_once_and_its_kill_switch_stays_active() {
        RunningProgram culvert = tailnet.connect(Map.of());
        tailnet.selectExitNodeOnPhone();

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();

        assertThat(culvert.output())
                .contains("received SIGTERM")
                .endsWith("stopped")
                .doesNotContain("warn:");
        for (String family : List.of("-4", "-6")) {
            // Tailscale's own preferences.
            assertThat(tailnet.fixture.namespace().run("ip", family, "rule")).doesNotContainPattern("(?m)^52\\d\\d:");
        }
        tailnet.fixture.assertLocalTrafficBlocked(Family.values());
        tailnet.assertPhoneBlocked(Family.values());
    }

    @Test
    void a_node_without_saved_state_is_a_new_node_after_a_crash_and_advertises_the_exit_node_at_login() {
        Map<String, String> settings = tailnet.settings(Map.of());
        settings.remove("TS_STATE_DIR");
        RunningProgram culvert = TailnetFixture.awaitExitNode(tailnet.fixture.start(settings));
        assertThat(culvert.output()).contains("each start registers a new node");

        ProcessHandle tailscaled = culvert.descendant("tailscaled", "--port=" + TailnetFixture.PORT);
        culvert.ignoreEarlierOutput();
        tailscaled.destroyForcibly();

        culvert.awaitLine("mesh: .*advertises exit node$", ExitNodeFixture.TIMEOUT);
        assertThat(culvert.output()).doesNotContain("not approved at the control server yet");
    }

    @Test
    void a_stop_restores_the_machine() {
        tailnet.fixture.in(Sandbox.MACHINE);
        String rules = rules();
        String resolvConf = tailnet.lab.node().resolvConf();
        RunningProgram culvert = tailnet.connect(Map.of());
        assertThat(rules()).isNotEqualTo(rules);

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();

        assertThat(rules()).isEqualTo(rules);
        assertThat(tailnet.lab.node().resolvConf()).isEqualTo(resolvConf);
        assertThat(tailnet.fixture.namespace().run("nft", "list", "tables")).doesNotContain("culvert");
        assertThat(tailnet.fixture.namespace().run("ip", "-o", "link")).doesNotContain("tailscale0", "wg0");
    }

    private String rules() {
        return tailnet.fixture.namespace().run("ip", "-4", "rule")
                + tailnet.fixture.namespace().run("ip", "-6", "rule");
    }
}
