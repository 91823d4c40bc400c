// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Observer;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines on which a tunnel cannot have IPv6, and files without peers or addresses. */
@NamespaceTest
class PartialTunnelTest {

    private static final Sandbox READ_ONLY =
            new Sandbox(false, false, false, true, true, Sandbox.Nft.USABLE, List.of(), List.of());

    private final TunnelLab lab = new TunnelLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();
    private final Probe node = Probe.from(lab.node().namespace());

    @AfterEach
    void close() {
        lab.close();
    }

    private String file() {
        return file("");
    }

    private String file(String lines) {
        return lab.file(
                "wg0.conf",
                provider.file(provider.publicIpv4() + ":" + Provider.PORT, "0.0.0.0/0, ::/0")
                        .replace("[Interface]\n", "[Interface]\n" + lines + "\n"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void where_a_new_link_has_no_ipv6_it_is_blocked(boolean killSwitch) {
        lab.node().in(READ_ONLY);
        Observer observer = lab.lab().observe().allowWireGuardTo(provider.publicIpv4(), Provider.PORT);
        assertThat(observer.sees(() -> node.whoami(Family.IPV6))).isTrue();
        lab.node().namespace().sysctl("net.ipv6.conf.default.disable_ipv6=1");
        String before = lab.footprint();

        CommandResult up = killSwitch ? lab.tunnel("up", "--kill-switch", file()) : lab.tunnel("up", file());

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err())
                .containsOnlyOnce("warn: net.ipv6.conf.default.disable_ipv6: is 1, so there is no IPv6 on wg0");
        observer.reset();
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(node.whoami(Family.IPV6)).isEmpty();
        assertThat(observer.leaks()).isEmpty();

        lab.tunnel("down", "wg0").outputOrFail();
        assertThat(lab.footprint()).isEqualTo(before);
    }

    /** The routes alone have to block it, as there is no kill switch. */
    @Test
    void where_it_cannot_be_read_whether_a_new_link_has_ipv6_it_is_blocked() {
        Observer observer = lab.lab().observe().allowWireGuardTo(provider.publicIpv4(), Provider.PORT);
        assertThat(observer.sees(() -> node.whoami(Family.IPV6))).isTrue();

        CommandResult up = lab.tunnelWithHiddenSysctls("up", file());

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err())
                .containsOnlyOnce("warn: net.ipv6.conf.default.disable_ipv6: cannot be read")
                .doesNotContain("not supported by the kernel");
        observer.reset();
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(node.whoami(Family.IPV6)).isEmpty();
        assertThat(observer.leaks()).isEmpty();

        CommandResult repaired = lab.tunnel("up", file());
        assertThat(repaired.err()).doesNotContain("IPv6 is blocked");
        assertThat(node.whoami(Family.IPV6)).contains(provider.publicIpv6());
    }

    @Test
    void where_sysctls_are_writable_the_tunnel_has_ipv6() {
        lab.node().namespace().sysctl("net.ipv6.conf.default.disable_ipv6=1");

        CommandResult up = lab.tunnel("up", file());

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err()).doesNotContain("IPv6 is blocked");
        assertThat(node.whoami(Family.IPV6)).contains(provider.publicIpv6());
    }

    @Test
    void an_MTU_too_small_for_ipv6_blocks_it() {
        CommandResult up = lab.tunnel("up", file("MTU = 1200"));

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err()).containsOnlyOnce("its MTU is 1200 (MTU in its file), but IPv6 requires 1280");
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(node.whoami(Family.IPV6)).isEmpty();
    }

    @Test
    void an_address_that_is_added_later_is_kept() {
        String text = provider.file(provider.publicIpv4() + ":" + Provider.PORT, "10.64.0.0/16, 198.51.100.0/24");
        String file = lab.file("wg0.conf", text.replaceAll("(?m)^Address = .*\n", ""));
        String before = lab.footprint();

        CommandResult up = lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err()).contains("note: [Interface] has no Address");
        lab.ip("address", "add", provider.customerIpv4() + "/32", "dev", "wg0");
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        lab.tunnel("up", file).outputOrFail();
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(lab.tunnel("show", "wg0").outputOrFail()).contains("peer");

        lab.tunnel("down", file).outputOrFail();
        assertThat(lab.footprint()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_file_with_only_a_key_is_a_valid_tunnel(boolean killSwitch) {
        String file = lab.file("wg0.conf", "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n");
        Observer observer = lab.lab().observe();
        assertThat(observer.sees(() -> node.whoami(Family.IPV4))).isTrue();
        String before = lab.footprint();

        assertThat(lab.tunnel("plan", file).status()).isZero();
        CommandResult up = killSwitch ? lab.tunnel("up", "--kill-switch", file) : lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err()).contains("note: [Interface] has no Address").contains("note: no [Peer] section");
        assertThat(lab.tunnel("show").outputOrFail()).contains("wg0");
        observer.reset();
        if (killSwitch) {
            assertThat(node.whoami(Family.IPV4)).isEmpty();
            assertThat(node.whoami(Family.IPV6)).isEmpty();
            assertThat(observer.leaks()).isEmpty();
        } else {
            assertThat(node.whoami(Family.IPV4)).contains(Lab.NODE_IPV4);
        }

        lab.tunnel("down", "wg0").outputOrFail();
        assertThat(lab.footprint()).isEqualTo(before);
    }

    @Test
    void commands_that_need_a_complete_file_reject_a_partial_one() {
        String file = lab.file("wg0.conf", "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n");

        CommandResult exec = lab.node().run(Map.of(), "exec", "--config", file, "--", "true");

        assertThat(exec.status()).isEqualTo(2);
        assertThat(exec.err()).contains("[Interface] has no Address").contains("no [Peer] section");
    }
}
