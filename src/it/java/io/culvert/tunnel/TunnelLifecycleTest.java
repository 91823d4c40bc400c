// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.net.Family;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several tunnels at the same time and one after the other, leftovers of killed runs, and the output of show. */
@NamespaceTest
class TunnelLifecycleTest {

    private final TunnelLab lab = new TunnelLab(LabOptions.DEFAULTS.providers(2));
    private final Provider provider = lab.lab().provider();
    private final Provider other = lab.lab().provider(1);
    private final Probe node = Probe.from(lab.lab().node().namespace());
    private final String wg0 = lab.file("wg0.conf", provider.file());
    private final String wg1 = lab.file("wg1.conf", other.file());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    @Test
    void the_later_of_two_tunnels_is_used_and_its_removal_keeps_the_earlier_one() {
        lab.tunnel("up", wg0).outputOrFail();
        String alone = lab.footprint();
        lab.tunnel("up", wg1).outputOrFail();
        assertThat(node.whoami(Family.IPV4)).contains(other.publicIpv4());
        assertThat(lab.node().resolvConf()).contains("nameserver " + other.tunnelIpv4());

        lab.tunnel("down", wg1).outputOrFail();

        assertThat(lab.footprint()).isEqualTo(alone);
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
    }

    @Test
    void the_earlier_of_two_tunnels_can_be_removed_first() {
        String before = lab.footprint();
        lab.tunnel("up", wg0).outputOrFail();
        lab.tunnel("up", wg1).outputOrFail();
        lab.tunnel("down", wg0).outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains(other.publicIpv4());
        assertThat(lab.node().resolvConf()).contains("nameserver " + other.tunnelIpv4());

        lab.tunnel("down", wg1).outputOrFail();
        assertThat(lab.footprint()).isEqualTo(before);
    }

    @Test
    void tunnels_of_Culvert_and_wg_quick_work_together() {
        lab.wgQuick("up", wg0).outputOrFail();
        String alone = lab.footprint();
        String part = lab.file("wg1.conf", other.file(other.publicIpv4() + ":" + Provider.PORT, "198.51.100.0/24"));

        lab.tunnel("up", part).outputOrFail();
        assertThat(node.whoami(Family.IPV4)).contains(other.publicIpv4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.publicIpv6());
        lab.tunnel("down", part).outputOrFail();

        assertThat(lab.footprint()).isEqualTo(alone);
    }

    @Test
    void down_is_idempotent() {
        lab.tunnel("up", wg0).outputOrFail();
        assertThat(lab.tunnel("down", wg0).err()).isEqualTo("wg0 is down\n");

        CommandResult again = lab.tunnel("down", wg0);

        assertThat(again.status()).isZero();
        assertThat(again.err()).isEqualTo("wg0 was not up\n");
    }

    @Test
    void leftovers_of_a_killed_program_are_removed_by_down() {
        String before = lab.footprint().replace("wg0.sock\n", "");
        lab.tunnel("up", wg0).outputOrFail();
        lab.killUserspace("wg0");

        assertThat(lab.tunnel("down", wg0).err()).isEqualTo("wg0 is down\n");

        assertThat(lab.footprint().replace("wg0.sock\n", "")).isEqualTo(before);
    }

    @Test
    void leftovers_of_a_killed_program_are_taken_over_by_up() {
        lab.tunnel("up", wg0).outputOrFail();
        lab.killUserspace("wg0");

        lab.tunnel("up", wg0).outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
    }

    @Test
    void up_applies_an_edited_file() {
        lab.tunnel("up", wg0).outputOrFail();
        lab.file(
                "wg0.conf",
                provider.file(provider.publicIpv4() + ":" + Provider.PORT, "0.0.0.0/0")
                        .replace("DNS", "MTU = 1300\n#DNS"));

        lab.tunnel("up", wg0).outputOrFail();

        String edited = lab.normalizedState("wg0");
        String resolvConf = lab.node().resolvConf();
        lab.tunnel("down", wg0).outputOrFail();
        lab.tunnel("up", wg0).outputOrFail();
        assertThat(edited).isEqualTo(lab.normalizedState("wg0"));
        assertThat(resolvConf).isEqualTo("nameserver 192.0.2.1\n");
    }

    @Test
    void concurrent_commands_are_serialized() throws Exception {
        Thread first = Thread.ofPlatform().start(() -> lab.tunnel("up", wg0).outputOrFail());
        lab.tunnel("up", wg1).outputOrFail();
        first.join();

        assertThat(lab.tunnel("show").out()).contains("interface: wg0", "interface: wg1");
        assertThat(node.whoami(Family.IPV4)).isPresent();
    }

    @Test
    void show_matches_wg_show() {
        lab.tunnel("up", wg0).outputOrFail();
        lab.tunnel("up", wg1).outputOrFail();
        node.whoami(Family.IPV4);

        String output = lab.tunnel("show").outputOrFail();

        assertThat(withoutCounts(output))
                .isEqualTo(withoutCounts(lab.node().attempt("wg", "show").outputOrFail()));
        assertThat(lab.tunnel("show", "wg1", "--json").outputOrFail())
                .contains("\"wg1\"", "\"endpoint\":\"203.0.113.26:51820\"")
                .doesNotContain("wg0", "rivateKey");
        assertThat(lab.tunnel("show", "wg7").status()).isEqualTo(1);
    }

    private static String withoutCounts(String shown) {
        return shown.replaceAll("(transfer|latest handshake): .*", "$1");
    }

    @Test
    void a_plan_changes_nothing_and_lists_the_changes_of_up() {
        String before = lab.footprint();
        String plan = lab.tunnel("plan", wg0).outputOrFail();
        assertThat(lab.footprint()).isEqualTo(before);
        assertThat(plan).doesNotContain(key());
        lab.tunnel("up", wg0).outputOrFail();
        String up = lab.normalizedState("wg0")
                + lab.node().attempt("nft", "list", "ruleset").outputOrFail();
        lab.tunnel("down", wg0).outputOrFail();

        // The kernel of the lab may have no WireGuard.
        String script = plan.replace("ip link add dev wg0 type wireguard", "wireguard-go wg0 >/dev/null 2>&1")
                .replace("# nameserver", "echo nameserver 10.64.0.1 >/etc/resolv.conf #");
        String path = lab.file("plan.sh", script);
        lab.node()
                .attempt("env", "PRIVATE_KEY_FILE=" + lab.file("key", key()), "sh", "-e", path)
                .outputOrFail();

        assertThat(lab.normalizedState("wg0")
                        + lab.node().attempt("nft", "list", "ruleset").outputOrFail())
                .isEqualTo(up);
    }

    private String key() {
        return provider.file().replaceAll("(?s).*PrivateKey = (\\S+).*", "$1");
    }
}
