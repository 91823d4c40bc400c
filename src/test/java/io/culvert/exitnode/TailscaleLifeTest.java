package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Headscale;
import io.culvert.lab.Pulse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Starts and stops of a node in a tailnet. */
@Tag("tailnet")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleLifeTest {

    private final Tailnet tailnet = Tailnet.usual();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    @Test
    void a_restart_with_the_same_state_is_the_same_node_and_nothing_leaks_under_traffic() {
        Map<String, String> settings = tailnet.settings(Map.of());
        Child first = Tailnet.connected(tailnet.world.start(settings));
        String before = tailnet.tailscale().status().getJsonObject("Self").getString("ID");
        String address = tailnet.address(Family.IPV4);
        tailnet.phoneExits();
        Map<String, String> without = new HashMap<>(settings);
        without.remove("TS_AUTHKEY");

        try (Pulse phone = Pulse.of(tailnet.lab.client().space(), Family.IPV4);
                Pulse local = Pulse.of(tailnet.world.space(), Family.IPV6)) {
            phone.awaitAnswer(tailnet.world.provider(Family.IPV4), World.SOON);
            first.signal("TERM");
            assertThat(first.awaitExit(World.SOON)).isZero();
            // The node remembers who it is: it needs no key any more.
            Tailnet.connected(tailnet.world.start(without));
            phone.awaitAnswer(tailnet.world.provider(Family.IPV4), World.SOON);
            local.awaitAnswer(tailnet.world.provider(Family.IPV6), World.SOON);
            assertThat(phone.seen()).containsExactly(tailnet.world.provider(Family.IPV4));
            assertThat(local.seen()).containsExactly(tailnet.world.provider(Family.IPV6));
        }

        assertThat(tailnet.tailscale().status().getJsonObject("Self").getString("ID"))
                .isEqualTo(before);
        assertThat(tailnet.address(Family.IPV4)).isEqualTo(address);
        assertThat(tailnet.lab.headscale().members())
                .extracting(Headscale.Member::name)
                .containsExactlyInAnyOrder(Tailnet.NODE, "phone");
        tailnet.phoneGoesByTheProvider(Family.values());
    }

    @Test
    void a_container_that_is_stopped_stops_at_once_and_stays_closed() {
        Child culvert = tailnet.connect(Map.of());
        tailnet.phoneExits();

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(World.SOON)).isZero();

        assertThat(culvert.output())
                .contains("received SIGTERM")
                .endsWith("stopped")
                .doesNotContain("warning:");
        for (String family : List.of("-4", "-6")) {
            // Tailscale's own preferences.
            assertThat(tailnet.world.space().run("ip", family, "rule")).doesNotContainPattern("(?m)^52\\d\\d:");
        }
        tailnet.world.localTrafficIsClosed(Family.values());
        tailnet.phoneIsClosed(Family.values());
    }

    @Test
    void a_node_that_keeps_no_state_is_another_after_a_crash_and_offers_the_exit_at_its_login() {
        Map<String, String> settings = tailnet.settings(Map.of());
        settings.remove("TS_STATE_DIR");
        Child culvert = Tailnet.connected(tailnet.world.start(settings));
        assertThat(culvert.output()).contains("each start registers a new node");

        ProcessHandle tailscaled = culvert.descendant("tailscaled", "--port=" + Tailnet.PORT);
        culvert.fromNow();
        tailscaled.destroyForcibly();

        culvert.awaitLine("mesh: .*offers exit node$", World.SOON);
        assertThat(culvert.output()).doesNotContain("not approved at the control server yet");
    }

    @Test
    void a_machine_is_given_back_as_it_was() {
        tailnet.world.in(Box.MACHINE);
        String rules = rules();
        String resolvConf = tailnet.lab.node().resolvConf();
        Child culvert = tailnet.connect(Map.of());
        assertThat(rules()).isNotEqualTo(rules);

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(World.SOON)).isZero();

        assertThat(rules()).isEqualTo(rules);
        assertThat(tailnet.lab.node().resolvConf()).isEqualTo(resolvConf);
        assertThat(tailnet.world.space().run("nft", "list", "tables")).doesNotContain("culvert");
        assertThat(tailnet.world.space().run("ip", "-o", "link")).doesNotContain("tailscale0", "wg0");
    }

    private String rules() {
        return tailnet.world.space().run("ip", "-4", "rule")
                + tailnet.world.space().run("ip", "-6", "rule");
    }
}
