// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.Sandbox;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Errors are reported in sentences with an exit status, and nothing is changed. */
@NamespaceTest
class TunnelRefusalTest {

    private final TunnelLab lab = new TunnelLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();
    private final String file = lab.file("wg0.conf", provider.file());
    private final String before = lab.footprint();

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private void assertRefused(CommandResult outcome, int status, String... words) {
        assertThat(outcome.status()).as(outcome.err()).isEqualTo(status);
        assertThat(outcome.err()).contains(words).doesNotContain("\tat ", "Exception");
        assertThat(outcome.err().lines().filter(line -> line.endsWith(" is up")))
                .isEmpty();
        assertThat(lab.footprint()).isEqualTo(before);
    }

    @Test
    void all_errors_in_the_file_are_reported_with_their_locations() {
        String wrong = lab.file(
                "wrong.conf",
                provider.file()
                        .replace("Address = ", "Adress = 10.0.0.1\nAddress = 1.2.3.4.5, ")
                        .replace("25", "maybe"));

        assertRefused(lab.tunnel("up", wrong), 2, "wrong.conf:3:1", "wrong.conf:4:11", "wrong.conf:11:23");
    }

    @Test
    void a_missing_file_and_an_invalid_interface_name_are_input_errors() {
        assertRefused(lab.tunnel("up", "wg9"), 2, "/etc/wireguard/wg9.conf");
        String longName = lab.file("far-too-long-for-linux.conf", provider.file());
        assertRefused(lab.tunnel("up", longName), 2, "far-too-long-fo.conf");
        assertRefused(lab.tunnel("down", longName), 2, "far-too-long-fo.conf");
        assertRefused(lab.tunnel("up"), 2, "FILE");
    }

    @Test
    void a_name_that_does_not_resolve_changes_nothing() {
        String named = lab.file("wg0.conf", provider.file("nowhere.invalid:51820", "0.0.0.0/0, ::/0"));

        assertRefused(lab.tunnel("up", named, "--kill-switch"), 1, "nowhere.invalid", "does not exist");
    }

    @Test
    void a_conflicting_route_undoes_all_changes() {
        lab.ip("tuntap", "add", "dev", "other", "mode", "tun");
        lab.ip("link", "set", "other", "up");
        lab.ip("route", "add", "10.64.0.0/24", "dev", "other");
        String taken = lab.footprint();
        String inMain = lab.file("wg0.conf", provider.file(provider.publicIpv4() + ":51820", "10.64.0.0/24"));

        CommandResult outcome = lab.tunnel("up", inMain, "--kill-switch");

        assertThat(outcome.status()).isEqualTo(3);
        assertThat(outcome.err()).contains("10.64.0.0/24");
        assertThat(lab.footprint()).isEqualTo(taken);
    }

    @Test
    void a_foreign_interface_is_neither_configured_nor_removed() {
        lab.wgQuick("up", file).outputOrFail();
        String wgQuick = lab.footprint();

        CommandResult up = lab.tunnel("up", file);
        CommandResult down = lab.tunnel("down", file);

        assertThat(up.status()).isEqualTo(2);
        assertThat(up.err()).contains("wg0", "does not belong to Culvert", "wg-quick down wg0");
        assertThat(down.status()).isEqualTo(2);
        assertThat(lab.footprint()).isEqualTo(wgQuick);
    }

    @Test
    void unmet_machine_requirements_are_reported() {
        lab.node().in(Sandbox.CONTAINER.without("net_admin"));
        CommandResult noCapability = lab.tunnel("up", file);
        lab.node().in(Sandbox.CONTAINER.withoutTun());
        CommandResult noTun = lab.tunnel("up", file);
        lab.node().in(Sandbox.MACHINE);

        assertRefused(noCapability, 3, "CAP_NET_ADMIN", "cap-add");
        assertRefused(noTun, 3, "/dev/net/tun", "--device");
    }

    @Test
    void on_a_machine_no_hint_mentions_containers() {
        lab.node()
                .in(Sandbox.MACHINE.with(Sandbox.CONTAINER.without("net_admin").capabilities()));
        CommandResult noCapability = lab.tunnel("up", file);
        lab.node().in(Sandbox.MACHINE.withoutTun());
        CommandResult noTun = lab.tunnel("up", file);
        lab.node().in(Sandbox.MACHINE);

        assertRefused(noCapability, 3, "CAP_NET_ADMIN", "sudo");
        assertRefused(noTun, 3, "/dev/net/tun", "sudo modprobe tun");
        assertThat(noCapability.err() + noTun.err()).doesNotContain("compose", "--cap-add", "--device", "container");
    }

    @Test
    void an_FwMark_unusable_for_the_kill_switch_is_an_input_error() {
        String marked = lab.file("wg0.conf", provider.file().replace("[Interface]", "[Interface]\nFwMark = 51820"));

        assertRefused(lab.tunnel("up", marked, "--kill-switch"), 2, "wg0.conf", "0xca6c");
    }

    @Test
    void warnings_about_hooks_apply_to_culvert_tunnel() {
        String hooked = lab.file("wg0.conf", provider.file().replace("[Interface]", """
                        [Interface]
                        PostUp = iptables -I OUTPUT ! -o %i -m mark ! --mark 1 -j REJECT
                        PreDown = curl http://198.51.100.10/
                        """));

        CommandResult without = lab.tunnel("plan", hooked);
        CommandResult with = lab.tunnel("plan", hooked, "--kill-switch");

        assertThat(without.err())
                .contains("warn: ", "wg0.conf:2:1", "packets may bypass the tunnel", "--kill-switch", "curl");
        assertThat(with.err()).contains("wg0.conf:2:1", "as --kill-switch replaces it");
    }
}
