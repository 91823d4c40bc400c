package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tunnels beside each other and one after the other, what is left of them, and what is shown of them. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TunnelLifeTest {

    private final TunnelLab lab = new TunnelLab(Shape.USUAL.providers(2));
    private final Provider provider = lab.lab().provider();
    private final Provider other = lab.lab().provider(1);
    private final Probe node = Probe.from(lab.lab().node().space());
    private final String wg0 = lab.file("wg0.conf", provider.file());
    private final String wg1 = lab.file("wg1.conf", other.file());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    @Test
    void the_later_of_two_tunnels_is_used_and_the_earlier_is_untouched_when_it_goes() {
        lab.tunnel("up", wg0).orFail();
        String alone = lab.everything();
        lab.tunnel("up", wg1).orFail();
        assertThat(node.whoami(Family.IPV4)).contains(other.outer4());
        assertThat(lab.node().resolvConf()).contains("nameserver " + other.inner4());

        lab.tunnel("down", wg1).orFail();

        assertThat(lab.everything()).isEqualTo(alone);
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
    }

    @Test
    void the_earlier_of_two_tunnels_may_go_first() {
        String before = lab.everything();
        lab.tunnel("up", wg0).orFail();
        lab.tunnel("up", wg1).orFail();
        lab.tunnel("down", wg0).orFail();

        assertThat(node.whoami(Family.IPV4)).contains(other.outer4());
        assertThat(lab.node().resolvConf()).contains("nameserver " + other.inner4());

        lab.tunnel("down", wg1).orFail();
        assertThat(lab.everything()).isEqualTo(before);
    }

    @Test
    void beside_wg_quick_both_work_and_neither_touches_the_other() {
        lab.wgQuick("up", wg0).orFail();
        String alone = lab.everything();
        String part = lab.file("wg1.conf", other.file(other.outer4() + ":" + Provider.PORT, "198.51.100.0/24"));

        lab.tunnel("up", part).orFail();
        assertThat(node.whoami(Family.IPV4)).contains(other.outer4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.outer6());
        lab.tunnel("down", part).orFail();

        assertThat(lab.everything()).isEqualTo(alone);
    }

    @Test
    void down_twice_is_fine() {
        lab.tunnel("up", wg0).orFail();
        assertThat(lab.tunnel("down", wg0).err()).isEqualTo("wg0 is down\n");

        Outcome again = lab.tunnel("down", wg0);

        assertThat(again.status()).isZero();
        assertThat(again.err()).isEqualTo("wg0 was not up\n");
    }

    @Test
    void what_a_killed_program_left_is_taken_down() {
        String before = lab.everything().replace("wg0.sock\n", "");
        lab.tunnel("up", wg0).orFail();
        lab.killUserspace("wg0");

        assertThat(lab.tunnel("down", wg0).err()).isEqualTo("wg0 is down\n");

        assertThat(lab.everything().replace("wg0.sock\n", "")).isEqualTo(before);
    }

    @Test
    void what_a_killed_program_left_is_taken_over() {
        lab.tunnel("up", wg0).orFail();
        lab.killUserspace("wg0");

        lab.tunnel("up", wg0).orFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
    }

    @Test
    void an_edited_file_is_made_true_by_up() {
        lab.tunnel("up", wg0).orFail();
        lab.file(
                "wg0.conf",
                provider.file(provider.outer4() + ":" + Provider.PORT, "0.0.0.0/0")
                        .replace("DNS", "MTU = 1300\n#DNS"));

        lab.tunnel("up", wg0).orFail();

        String edited = lab.meaning("wg0");
        String resolvConf = lab.node().resolvConf();
        lab.tunnel("down", wg0).orFail();
        lab.tunnel("up", wg0).orFail();
        assertThat(edited).isEqualTo(lab.meaning("wg0"));
        assertThat(resolvConf).isEqualTo("nameserver 192.0.2.1\n");
    }

    @Test
    void several_at_once_take_turns() throws Exception {
        Thread first = Thread.ofPlatform().start(() -> lab.tunnel("up", wg0).orFail());
        lab.tunnel("up", wg1).orFail();
        first.join();

        assertThat(lab.tunnel("show").out()).contains("interface: wg0", "interface: wg1");
        assertThat(node.whoami(Family.IPV4)).isPresent();
    }

    @Test
    void show_says_what_wg_show_says() {
        lab.tunnel("up", wg0).orFail();
        lab.tunnel("up", wg1).orFail();
        node.whoami(Family.IPV4);

        String ours = lab.tunnel("show").orFail();

        assertThat(withoutCounts(ours))
                .isEqualTo(withoutCounts(lab.node().attempt("wg", "show").orFail()));
        assertThat(lab.tunnel("show", "wg1", "--json").orFail())
                .contains("\"wg1\"", "\"endpoint\":\"203.0.113.26:51820\"")
                .doesNotContain("wg0", "rivateKey");
        assertThat(lab.tunnel("show", "wg7").status()).isEqualTo(1);
    }

    private static String withoutCounts(String shown) {
        return shown.replaceAll("(transfer|latest handshake): .*", "$1");
    }

    @Test
    void a_plan_changes_nothing_and_does_by_hand_what_up_does() {
        String before = lab.everything();
        String plan = lab.tunnel("plan", wg0).orFail();
        assertThat(lab.everything()).isEqualTo(before);
        assertThat(plan).doesNotContain(key());
        lab.tunnel("up", wg0).orFail();
        String up = lab.meaning("wg0")
                + lab.node().attempt("nft", "list", "ruleset").orFail();
        lab.tunnel("down", wg0).orFail();

        // The kernel of the lab may have no WireGuard.
        String script = plan.replace("ip link add dev wg0 type wireguard", "wireguard-go wg0 >/dev/null 2>&1")
                .replace("# nameserver", "echo nameserver 10.64.0.1 >/etc/resolv.conf #");
        String path = lab.file("plan.sh", script);
        lab.node()
                .attempt("env", "PRIVATE_KEY_FILE=" + lab.file("key", key()), "sh", "-e", path)
                .orFail();

        assertThat(lab.meaning("wg0")
                        + lab.node().attempt("nft", "list", "ruleset").orFail())
                .isEqualTo(up);
    }

    private String key() {
        return provider.file().replaceAll("(?s).*PrivateKey = (\\S+).*", "$1");
    }
}
