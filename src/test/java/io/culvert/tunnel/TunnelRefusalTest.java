package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Box;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What goes wrong is said in sentences, with a status, and nothing is half done. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TunnelRefusalTest {

    private final TunnelLab lab = new TunnelLab(Shape.USUAL);
    private final Provider provider = lab.lab().provider();
    private final String file = lab.file("wg0.conf", provider.file());
    private final String before = lab.everything();

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private void assertRefused(Outcome outcome, int status, String... words) {
        assertThat(outcome.status()).as(outcome.err()).isEqualTo(status);
        assertThat(outcome.err()).contains(words).doesNotContain("\tat ", "Exception");
        assertThat(outcome.err().lines().filter(line -> line.endsWith(" is up")))
                .isEmpty();
        assertThat(lab.everything()).isEqualTo(before);
    }

    @Test
    void the_files_mistakes_are_located_all_at_once() {
        String wrong = lab.file(
                "wrong.conf",
                provider.file()
                        .replace("Address = ", "Adress = 10.0.0.1\nAddress = 1.2.3.4.5, ")
                        .replace("25", "maybe"));

        assertRefused(lab.tunnel("up", wrong), 2, "wrong.conf:3:1", "wrong.conf:4:11", "wrong.conf:11:23");
    }

    @Test
    void a_missing_file_and_a_name_that_no_interface_can_have_are_the_users_mistakes() {
        assertRefused(lab.tunnel("up", "wg9"), 2, "/etc/wireguard/wg9.conf");
        String longName = lab.file("far-too-long-for-linux.conf", provider.file());
        assertRefused(lab.tunnel("up", longName), 2, "far-too-long-fo.conf");
        assertRefused(lab.tunnel("down", longName), 2, "far-too-long-fo.conf");
        assertRefused(lab.tunnel("up"), 2, "FILE");
    }

    @Test
    void a_name_that_does_not_resolve_changes_nothing() {
        String named = lab.file("wg0.conf", provider.file("nowhere.invalid:51820", "0.0.0.0/0, ::/0"));

        assertRefused(lab.tunnel("up", named, "--kill-switch"), 1, "nowhere.invalid", "does not resolve");
    }

    @Test
    void a_taken_route_undoes_everything() {
        lab.ip("tuntap", "add", "dev", "other", "mode", "tun");
        lab.ip("link", "set", "other", "up");
        lab.ip("route", "add", "10.64.0.0/24", "dev", "other");
        String taken = lab.everything();
        String inMain = lab.file("wg0.conf", provider.file(provider.outer4() + ":51820", "10.64.0.0/24"));

        Outcome outcome = lab.tunnel("up", inMain, "--kill-switch");

        assertThat(outcome.status()).isEqualTo(3);
        assertThat(outcome.err()).contains("10.64.0.0/24");
        assertThat(lab.everything()).isEqualTo(taken);
    }

    @Test
    void an_interface_of_somebody_else_is_neither_raised_nor_taken_down() {
        lab.wgQuick("up", file).orFail();
        String wgQuick = lab.everything();

        Outcome up = lab.tunnel("up", file);
        Outcome down = lab.tunnel("down", file);

        assertThat(up.status()).isEqualTo(2);
        assertThat(up.err()).contains("wg0", "does not belong to Culvert", "wg-quick down wg0");
        assertThat(down.status()).isEqualTo(2);
        assertThat(lab.everything()).isEqualTo(wgQuick);
    }

    @Test
    void what_the_machine_lacks_is_named() {
        lab.node().in(Box.CONTAINER.without("net_admin"));
        Outcome noCapability = lab.tunnel("up", file);
        lab.node().in(Box.CONTAINER.withoutTun());
        Outcome noTun = lab.tunnel("up", file);
        lab.node().in(Box.MACHINE);

        assertRefused(noCapability, 3, "CAP_NET_ADMIN", "cap-add");
        assertRefused(noTun, 3, "/dev/net/tun", "--device");
    }

    @Test
    void on_a_machine_no_hint_speaks_of_containers() {
        lab.node().in(Box.MACHINE.with(Box.CONTAINER.without("net_admin").capabilities()));
        Outcome noCapability = lab.tunnel("up", file);
        lab.node().in(Box.MACHINE.withoutTun());
        Outcome noTun = lab.tunnel("up", file);
        lab.node().in(Box.MACHINE);

        assertRefused(noCapability, 3, "CAP_NET_ADMIN", "sudo");
        assertRefused(noTun, 3, "/dev/net/tun", "sudo modprobe tun");
        assertThat(noCapability.err() + noTun.err()).doesNotContain("compose", "--cap-add", "--device", "container");
    }

    @Test
    void a_mark_that_cannot_serve_the_kill_switch_is_the_users_mistake() {
        String marked = lab.file("wg0.conf", provider.file().replace("[Interface]", "[Interface]\nFwMark = 51820"));

        assertRefused(lab.tunnel("up", marked, "--kill-switch"), 2, "wg0.conf", "0xca6c");
    }

    @Test
    void hooks_are_told_in_words_that_are_true_here() {
        String hooked = lab.file("wg0.conf", provider.file().replace("[Interface]", """
                        [Interface]
                        PostUp = iptables -I OUTPUT ! -o %i -m mark ! --mark 1 -j REJECT
                        PreDown = curl http://198.51.100.10/
                        """));

        Outcome without = lab.tunnel("plan", hooked);
        Outcome with = lab.tunnel("plan", hooked, "--kill-switch");

        assertThat(without.err())
                .contains("warning", "wg0.conf:2:1", "packets may bypass the tunnel", "--kill-switch", "curl");
        assertThat(with.err()).contains("wg0.conf:2:1", "as --kill-switch replaces it");
    }
}
