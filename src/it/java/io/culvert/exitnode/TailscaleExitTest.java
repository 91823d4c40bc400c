// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TailnetTest;
import io.culvert.lab.TailscaleClient;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A phone of the tailnet that uses this node as its exit node. */
@TailnetTest
class TailscaleExitTest {

    private final TailnetFixture tailnet = TailnetFixture.defaultSettings();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    @Test
    void a_client_exits_through_the_tunnel_in_both_families_over_a_direct_connection() {
        RunningProgram culvert = tailnet.connect(Map.of());
        TailscaleClient phone = tailnet.selectExitNodeOnPhone();
        tailnet.observer.reset();

        tailnet.assertPhoneUsesTunnel(Family.values());
        tailnet.fixture.assertLocalTrafficUsesTunnel(Family.values());

        assertThat(tailnet.observer.count("Tailscale to its peers")).isPositive();
        assertThat(phone.tailscale().peer(TailnetFixture.NODE).orElseThrow().getString("CurAddr"))
                .isIn(Lab.NODE_IPV4 + ":" + TailnetFixture.PORT, "[" + Lab.NODE_IPV6 + "]:" + TailnetFixture.PORT);
        assertThat(tailnet.fixture.status().mesh())
                .contains("exit.tailnet.example", tailnet.address(Family.IPV4), "advertises exit node");
        assertThat(culvert.output()).doesNotContain("hskey", "warn", "error", "reverted an external change");
    }

    @Test
    void the_leak_test_passes_while_Tailscale_uses_the_uplink() {
        RunningProgram culvert = tailnet.connect(Map.of());
        tailnet.selectExitNodeOnPhone();
        culvert.awaitLine("^leak test: passed", ExitNodeFixture.TIMEOUT);
        CommandResult result = tailnet.fixture.run(Map.of(), "leak-test");

        assertThat(result.status()).as(result.toString()).isZero();
        assertThat(result.out()).contains("UDP to 192.0.2.1 port 53, with the mark of Tailscale: passed");
        assertThat(tailnet.observer.leaks()).isEmpty();
        tailnet.assertPhoneUsesTunnel(Family.values());
    }

    @Test
    void the_exit_node_is_not_usable_before_the_first_handshake() {
        tailnet.lab.provider().stop();
        RunningProgram culvert = tailnet.fixture.start(tailnet.settings(Map.of()));
        culvert.awaitLine("mesh: .*advertises exit node once the tunnel is connected", ExitNodeFixture.TIMEOUT);
        TailscaleClient phone = tailnet.lab.phone();
        phone.tailscale().awaitPeer(TailnetFixture.NODE);

        assertThat(phone.tailscale()
                        .attempt("set", "--exit-node=" + TailnetFixture.NODE)
                        .err())
                .contains("not advertising an exit node");
        assertThat(tailnet.lab.headscale().member(TailnetFixture.NODE).approvedRoutes())
                .isEmpty();
        tailnet.fixture.assertLocalTrafficBlocked(Family.values());

        tailnet.lab.provider().start();
        TailnetFixture.awaitExitNode(culvert);
        tailnet.selectExitNodeOnPhone();
        tailnet.assertPhoneUsesTunnel(Family.values());
    }

    @Test
    void exit_node_clients_cannot_reach_the_node_s_local_network() {
        tailnet.fixture.addPrivateNetwork();
        String[] lanHosts = {ExitNodeFixture.PRIVATE_LAN_HOST_4, ExitNodeFixture.PRIVATE_LAN_HOST_6};
        tailnet.fixture.withoutKillSwitch(() -> {
            for (String lanHost : lanHosts) {
                assertThat(tailnet.observer.sees(() -> phoneAsks(lanHost))).isTrue();
            }
        });
        tailnet.connect(Map.of());
        tailnet.selectExitNodeOnPhone();

        for (String lanHost : lanHosts) {
            assertThat(phoneAsks(lanHost)).isEmpty();
        }
        tailnet.assertPhoneUsesTunnel(Family.values());
        assertThat(ExitNodeFixture.clientAddressSeenBy(
                        tailnet.fixture.namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_4, 8000))
                .as("who runs on the node itself reaches it")
                .isEqualTo(ExitNodeFixture.PRIVATE_NODE_4);
    }

    @Test
    void advertised_subnets_are_reachable_and_all_other_traffic_uses_the_tunnel() {
        tailnet.fixture.addPrivateNetwork();
        tailnet.connect(Map.of("TS_ROUTES", "10.5.0.0/24,fd05::/64"));
        tailnet.lab.headscale().approve(TailnetFixture.NODE, "0.0.0.0/0", "::/0", "10.5.0.0/24", "fd05::/64");
        TailscaleClient phone = tailnet.selectExitNodeOnPhone();
        phone.tailscale().run("set", "--accept-routes");
        phone.tailscale()
                .await(
                        "routes to the subnets",
                        _ -> !phoneAsks(ExitNodeFixture.PRIVATE_LAN_HOST_4).isEmpty());
        tailnet.observer.reset();
        tailnet.observer.allow("the announced subnets", packet -> packet.destinationPort() == 8000);

        assertThat(phoneAsks(ExitNodeFixture.PRIVATE_LAN_HOST_4)).isEqualTo(ExitNodeFixture.PRIVATE_NODE_4);
        assertThat(phoneAsks(ExitNodeFixture.PRIVATE_LAN_HOST_6)).isEqualTo(ExitNodeFixture.PRIVATE_NODE_6);
        assertThat(ExitNodeFixture.clientAddressSeenBy(tailnet.lab.client().namespace(), Lab.LAN_HOST_IPV4, 8000))
                .as("a LAN address that is not advertised is routed as internet traffic")
                .isNotEqualTo(Lab.NODE_IPV4);
        tailnet.assertPhoneUsesTunnel(Family.values());
    }

    private String phoneAsks(String address) {
        return ExitNodeFixture.clientAddressSeenBy(tailnet.lab.client().namespace(), address, 8000);
    }
}
