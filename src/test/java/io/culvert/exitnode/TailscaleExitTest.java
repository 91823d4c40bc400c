package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.TailscaleClient;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a phone in the tailnet is promised that uses the node as its exit. */
@Tag("tailnet")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleExitTest {

    private final Tailnet tailnet = Tailnet.usual();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    @Test
    void a_phone_exits_by_the_provider_in_both_families_over_a_direct_connection() {
        Child culvert = tailnet.connect(Map.of());
        TailscaleClient phone = tailnet.phoneExits();
        tailnet.observer.forget();

        tailnet.phoneGoesByTheProvider(Family.values());
        tailnet.world.localTrafficGoesByTheProvider(Family.values());

        assertThat(tailnet.observer.count("Tailscale to its peers")).isPositive();
        assertThat(phone.tailscale().peer(Tailnet.NODE).orElseThrow().getString("CurAddr"))
                .isIn(Lab.NODE_4 + ":" + Tailnet.PORT, "[" + Lab.NODE_6 + "]:" + Tailnet.PORT);
        assertThat(tailnet.world.status().mesh())
                .contains("exit.tailnet.example", tailnet.address(Family.IPV4), "offers exit node");
        assertThat(culvert.output()).doesNotContain("hskey", "warning", "error", "reverted an external change");
    }

    @Test
    void nobody_may_exit_before_the_tunnel_has_answered() {
        tailnet.lab.provider().die();
        Child culvert = tailnet.world.start(tailnet.settings(Map.of()));
        culvert.awaitLine("mesh: .*offers exit node once the tunnel is connected", World.SOON);
        TailscaleClient phone = tailnet.lab.phone();
        phone.tailscale().awaitPeer(Tailnet.NODE);

        assertThat(phone.tailscale()
                        .attempt("set", "--exit-node=" + Tailnet.NODE)
                        .err())
                .contains("not advertising an exit node");
        assertThat(tailnet.lab.headscale().member(Tailnet.NODE).approvedRoutes())
                .isEmpty();
        tailnet.world.localTrafficIsClosed(Family.values());

        tailnet.lab.provider().live();
        Tailnet.connected(culvert);
        tailnet.phoneExits();
        tailnet.phoneGoesByTheProvider(Family.values());
    }

    @Test
    void a_phone_that_exits_here_does_not_reach_the_node_s_local_network() {
        tailnet.world.givePrivateAddresses();
        String[] neighbours = {World.PRIVATE_NEIGHBOUR_4, World.PRIVATE_NEIGHBOUR_6};
        tailnet.world.unguarded(() -> {
            for (String neighbour : neighbours) {
                assertThat(tailnet.observer.sees(() -> phoneAsks(neighbour))).isTrue();
            }
        });
        tailnet.connect(Map.of());
        tailnet.phoneExits();

        for (String neighbour : neighbours) {
            assertThat(phoneAsks(neighbour)).isEmpty();
        }
        tailnet.phoneGoesByTheProvider(Family.values());
        assertThat(World.ask(tailnet.world.space(), World.PRIVATE_NEIGHBOUR_4, 8000))
                .as("who runs on the node itself reaches it")
                .isEqualTo(World.PRIVATE_NODE_4);
    }

    @Test
    void subnets_that_the_user_announces_are_reached_and_all_else_exits_by_the_provider() {
        tailnet.world.givePrivateAddresses();
        tailnet.connect(Map.of("TS_ROUTES", "10.5.0.0/24,fd05::/64"));
        tailnet.lab.headscale().approve(Tailnet.NODE, "0.0.0.0/0", "::/0", "10.5.0.0/24", "fd05::/64");
        TailscaleClient phone = tailnet.phoneExits();
        phone.tailscale().run("set", "--accept-routes");
        phone.tailscale()
                .await(
                        "routes to the subnets",
                        _ -> !phoneAsks(World.PRIVATE_NEIGHBOUR_4).isEmpty());
        tailnet.observer.forget();
        tailnet.observer.allow("the announced subnets", packet -> packet.destinationPort() == 8000);

        assertThat(phoneAsks(World.PRIVATE_NEIGHBOUR_4)).isEqualTo(World.PRIVATE_NODE_4);
        assertThat(phoneAsks(World.PRIVATE_NEIGHBOUR_6)).isEqualTo(World.PRIVATE_NODE_6);
        assertThat(World.ask(tailnet.lab.client().space(), Lab.NEIGHBOUR_4, 8000))
                .as("the neighbour's address that is not announced is the internet's")
                .isNotEqualTo(Lab.NODE_4);
        tailnet.phoneGoesByTheProvider(Family.values());
    }

    private String phoneAsks(String address) {
        return World.ask(tailnet.lab.client().space(), address, 8000);
    }
}
