// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TailnetTest;
import io.culvert.lab.TailscaleClient;
import io.culvert.net.Family;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Another device of the tailnet is an exit node, and this node is configured to use it. */
@TailnetTest
class ForeignExitNodeTest {

    private final TailnetFixture tailnet = TailnetFixture.defaultSettings();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    /** Tailscale lets a node that does not advertise an exit node use one. */
    private RunningProgram start() {
        TailscaleClient phone = tailnet.lab.phone();
        for (String forwarding : new String[] {"net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"}) {
            tailnet.lab.client().namespace().run("sysctl", "-qw", forwarding);
        }
        phone.tailscale().run("set", "--advertise-exit-node");
        RunningProgram culvert = tailnet.fixture.start(
                tailnet.settings(Map.of("TS_EXTRA_ARGS", extraArguments() + " --advertise-exit-node=false")));
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("mesh: .*does not advertise an exit node, as configured", ExitNodeFixture.TIMEOUT);
        tailnet.tailscale().awaitExitNode("phone");
        return culvert;
    }

    private String extraArguments() {
        return tailnet.settings(Map.of()).getOrDefault("TS_EXTRA_ARGS", "");
    }

    private void assertNothingExitsThroughPhone() {
        for (Family family : Family.values()) {
            assertThat(tailnet.node.whoami(family)).isNotEqualTo(phone(family));
            assertThat(tailnet.node.echo(family)).isNotEqualTo(phone(family));
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    private static Optional<String> phone(Family family) {
        return Optional.of(family == Family.IPV4 ? Lab.CLIENT_IPV4 : Lab.CLIENT_IPV6);
    }

    private void whileSuspended(RunningProgram culvert, Runnable scenario) {
        culvert.signal("STOP");
        try {
            scenario.run();
        } finally {
            culvert.signal("CONT");
        }
    }

    @Test
    void each_layer_blocks_leaks_alone_and_the_exit_node_in_use_is_cleared() {
        RunningProgram culvert = start();
        whileSuspended(culvert, () -> {
            tailnet.tailscale().run("set", "--exit-node=phone");
            assertThat(tailnet.fixture.namespace().run("ip", "route", "show", "table", "52"))
                    .contains("default dev tailscale0");
            tailnet.fixture.assertLocalTrafficUsesTunnel(Family.values());

            for (String family : new String[] {"-4", "-6"}) {
                tailnet.fixture
                        .namespace()
                        .run(
                                "ip",
                                family,
                                "rule",
                                "add",
                                "pref",
                                "10",
                                "not",
                                "fwmark",
                                "0x80000/0xff0000",
                                "lookup",
                                "52");
            }
            assertNothingExitsThroughPhone();
            assertThat(tailnet.node.whoami(Family.IPV4)).isEmpty();

            tailnet.fixture.namespace().run("nft", "delete", "table", "inet", "culvert");
            assertThat(tailnet.node.whoami(Family.IPV4))
                    .as("without a kill switch, traffic exits through the phone")
                    .isEqualTo(phone(Family.IPV4));
            culvert.ignoreEarlierOutput();
        });
        culvert.awaitLine("mesh: exit node .* cleared", ExitNodeFixture.TIMEOUT);
        tailnet.tailscale().awaitPrefs("\"ExitNodeID\": \"\"");
        for (String family : new String[] {"-4", "-6"}) {
            tailnet.fixture.namespace().run("ip", family, "rule", "delete", "pref", "10");
        }
        culvert.awaitLine("both layers are in effect again", ExitNodeFixture.TIMEOUT);
        tailnet.fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(tailnet.fixture.status().healthy()).isTrue();
    }

    @Test
    void mesh_peers_are_reachable_and_replies_to_them_never_enter_the_tunnel() {
        RunningProgram culvert = start();
        ExitNodeFixture.serve(tailnet.lab.client().namespace(), 8000);
        String phone = tailnet.lab.phone().tailscale().address(Family.IPV4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(tailnet.fixture.namespace(), phone, 8000))
                .isEqualTo(tailnet.address(Family.IPV4));

        whileSuspended(culvert, () -> {
            tailnet.fixture.namespace().run("ip", "route", "flush", "table", "52");
            assertThat(tailnet.fixture
                            .namespace()
                            .attempt("ip", "route", "get", phone)
                            .err())
                    .contains("No route to host");
        });
    }
}
