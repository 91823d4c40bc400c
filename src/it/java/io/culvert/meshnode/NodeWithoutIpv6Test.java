// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNode;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mesh nodes on machines where IPv6 is enabled on some interfaces only. */
@NamespaceTest
class NodeWithoutIpv6Test {

    private static final Sandbox READ_ONLY =
            new Sandbox(false, false, false, true, true, Sandbox.Nft.USABLE, List.of(), List.of());

    private final Lab lab = Lab.open();
    private final LabNode node = lab.node().in(READ_ONLY);
    private final String file = node.file(
            "network.yaml",
            lab.client().networkFile(node.file("exit.key", lab.client().nodeKey() + "\n")));
    private final Probe phone = Probe.from(lab.client().namespace());

    @AfterEach
    void close_lab() {
        lab.close();
    }

    private CommandResult up() {
        return node.run(Map.of(), "mesh", "up", "exit", "--file", file);
    }

    /** In the order of a container engine: sysctls first, then addresses. */
    private void disable(String settings) {
        for (String setting : settings.split(" ", -1)) {
            node.namespace().sysctl("net.ipv6.conf." + setting.replace("=", ".disable_ipv6="));
        }
        if (settings.contains("all=1")) {
            node.namespace()
                    .ip(
                            "address add " + Lab.NODE_IPV6 + "/64 dev eth0 nodad",
                            "route add default via " + Lab.ROUTER_IPV6 + " dev eth0");
        }
        assertThat(Probe.from(node.namespace()).whoami(Family.IPV6)).contains(Lab.NODE_IPV6);
    }

    @ParameterizedTest
    @ValueSource(strings = {"default=1", "all=1 eth0=0 lo=0", "all=1 eth0=0"})
    void where_a_new_link_has_no_ipv6_the_mesh_works_on_ipv4(String settings) {
        disable(settings);
        // Nothing has to be forwarded for a family that the mesh does not carry.
        node.namespace().sysctl("net.ipv6.conf.all.forwarding=0");

        String before = node.namespace().run("ip", "-6", "rule");

        CommandResult up = up();

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err())
                .containsOnlyOnce("warn: net.ipv6.conf.default.disable_ipv6: is 1, so there is no IPv6 on home");
        assertThat(up.err().lines().filter(line -> line.contains("warn:"))).hasSize(1);
        lab.client().useExitNode();
        assertThat(phone.whoami(Family.IPV4)).contains(Lab.NODE_IPV4);
        assertThat(phone.whoami(Family.IPV6)).isEmpty();
        assertThat(node.run(Map.of(), "mesh", "diff", "exit", "--file", file).out())
                .isBlank();

        assertThat(node.run(Map.of(), "mesh", "down", "exit").status()).isZero();
        assertThat(node.namespace().run("ip", "-6", "rule")).isEqualTo(before);
    }

    @Test
    void where_the_switches_can_be_written_the_mesh_has_ipv6() {
        disable("default=1");
        node.in(Sandbox.MACHINE);

        CommandResult up = up();

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err()).doesNotContain("warn:");
        lab.client().useExitNode();
        assertThat(phone.whoami(Family.IPV6)).contains(Lab.NODE_IPV6);
    }
}
