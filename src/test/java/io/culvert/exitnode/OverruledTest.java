package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Shape;
import io.culvert.status.StatusReport.State;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Other programs put rules, routes and tables where they decide in the place of ours. The other layer holds, so nothing
 * leaks; but the layer that does not decide any more is not called healthy.
 */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class OverruledTest {

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    private void isNotHolding(Child culvert, String layer, String said) {
        culvert.awaitLine("kill switch: " + layer + " not in effect .*" + said, World.SOON);
        assertThat(world.status().guard()).as(said).containsEntry(layer, false);
        assertThat(world.status().state()).isEqualTo(State.EXPOSED);
        assertThat(world.status().healthy()).isFalse();
        assertThat(world.status().problems()).anyMatch(problem -> problem.contains(layer + " not in effect"));
        for (Family family : Family.values()) {
            world.node.whoami(family);
            world.node.echo(family);
        }
        assertThat(world.observer.leaks()).isEmpty();
    }

    private void holdsAgain(Child culvert) {
        culvert.awaitLine("kill switch: both layers are in effect again", World.SOON);
        assertThat(world.status().guard()).containsEntry("routing", true).containsEntry("nftables", true);
        assertThat(world.status().healthy()).isTrue();
        culvert.fromNow();
    }

    private void ip(String command) {
        world.space().run(("ip " + command).split(" ", -1));
    }

    @Test
    void a_rule_or_route_that_decides_before_ours_is_named_until_it_is_gone() {
        world.observerIsNotBlind(Family.values());
        Child culvert = world.connect(world.settings(Map.of()));
        assertThat(world.status().healthy()).isTrue();
        culvert.fromNow();

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
                isNotHolding(culvert, "routing", "ip " + family + " rule pref " + rule.split(" ", -1)[1]);
                ip(family + " rule delete " + rule);
                holdsAgain(culvert);
            }
        }
        for (String route : new String[] {
            "-4 route add 0.0.0.0/1 via " + Lab.ROUTER_4 + " dev eth0 table 51820",
            "-6 route add 2000::/3 dev eth0 table 51820",
            "-4 route add 198.51.100.0/24 via " + Lab.ROUTER_4 + " dev eth0 table 51821",
            "-4 route add 198.51.100.0/24 via " + Lab.ROUTER_4 + " dev eth0 table local"
        }) {
            ip(route);
            isNotHolding(culvert, "routing", "foreign route");
            ip(route.replace(" add ", " delete "));
            holdsAgain(culvert);
        }
        ip("-4 rule delete pref 0");
        isNotHolding(culvert, "routing", "lookup local");
        ip("-4 rule add pref 100 lookup local");
        holdsAgain(culvert);
        ip("-4 rule add pref 0 lookup local");

        // What comes behind ours, only stops packets, or is for links by which nothing is forwarded decides nothing.
        ip("-4 rule add pref 6000 lookup main");
        ip("-6 rule add pref 10 to 2001:db8:1::10 unreachable");
        ip("-4 rule add pref 10 to 198.51.100.77 blackhole");
        ip("-4 rule add pref 11 iif eth0 lookup main");
        ip("-4 route add 0.0.0.0/1 via " + Lab.ROUTER_4 + " dev eth0 table 99");
        assertThat(world.status().guard()).containsEntry("routing", true);
        world.localTrafficGoesByTheProvider(Family.IPV4);
    }

    @Test
    void what_another_table_does_before_ours_can_judge_is_named() {
        world.observerIsNotBlind(Family.values());
        Child culvert = world.connect(world.settings(Map.of()));
        culvert.fromNow();

        for (String rule : new String[] {
            "notrack",
            "meta mark set 0x51000000",
            "meta mark set meta mark or 0x51000000",
            "ct mark set 0x51000000",
            "meta mark set udp dport map { 7 : 0x51000000 }"
        }) {
            world.space().run("nft", "add table ip other { chain c { type filter hook output priority -310; }; }");
            assertThat(world.status().guard()).containsEntry("nftables", true);
            world.space().run("nft", "add rule ip other c ip daddr 198.51.100.99 " + rule);
            isNotHolding(culvert, "nftables", "ip other");
            world.space().run("nft", "delete table ip other");
            holdsAgain(culvert);
        }
    }

    @Test
    void what_is_there_at_the_start_is_named_too() {
        ip("-6 rule add pref 10 lookup main");
        Child culvert = world.connect(world.settings(Map.of()));

        isNotHolding(culvert, "routing", "ip -6 rule pref 10 lookup main");
        culvert.fromNow();
        ip("-6 rule delete pref 10");
        holdsAgain(culvert);
    }
}
