package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Headscale;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Pulse;
import io.culvert.lab.Tailscale;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node of a tailnet is killed and started again, or started when its tunnel cannot be. */
@Tag("tailnet")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleKilledTest {

    private final Tailnet tailnet = Tailnet.usual();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    /** On a machine of its own the programs outlive it; in a container they go with it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void who_was_killed_is_the_same_node_when_it_returns_and_nothing_leaks_meanwhile(boolean container) {
        tailnet.world.in(container ? Box.CONTAINER : Box.MACHINE);
        Map<String, String> settings = tailnet.settings(Map.of());
        Child first = Tailnet.connected(tailnet.world.start(settings));
        String id = tailnet.id();
        tailnet.phoneExits();
        String ipv4 = tailnet.world.provider(Family.IPV4);
        String ipv6 = tailnet.world.provider(Family.IPV6);
        try (Pulse phone = Pulse.of(tailnet.lab.client().space(), Family.IPV4);
                Pulse local = Pulse.of(tailnet.world.space(), Family.IPV6)) {
            phone.awaitAnswer(ipv4, World.SOON);
            local.awaitAnswer(ipv6, World.SOON);

            first.kill();
            long killed = System.nanoTime();
            Child second = Tailnet.connected(tailnet.world.start(settings));
            phone.awaitAnswer(ipv4, World.SOON);
            System.out.printf(
                    "killed %s and started again: exit traffic after %d ms%n",
                    container ? "in a container" : "on a machine", (System.nanoTime() - killed) / 1_000_000);
            local.awaitAnswer(ipv6, World.SOON);
            assertThat(phone.seen()).containsExactly(ipv4);
            assertThat(local.seen()).containsExactly(ipv6);
            assertThat(tailnet.id()).isEqualTo(id);
            assertThat(tailnet.observer.leaks()).isEmpty();

            second.signal("TERM");
            assertThat(second.awaitExit(World.SOON)).isZero();
        }
        assertThat(tailnet.lab.headscale().members())
                .extracting(Headscale.Member::name)
                .containsExactlyInAnyOrder(Tailnet.NODE, "phone");
        assertThat(Outcome.of(List.of(
                                "ip", "netns", "pids", tailnet.world.space().name()))
                        .out())
                .as("left behind")
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void without_a_tunnel_the_node_is_in_the_tailnet_and_nobody_exits(boolean resolves) {
        Map<String, String> settings = tailnet.settings(Map.of());
        try (Child before = Tailnet.connected(tailnet.world.start(settings))) {
            tailnet.phoneExits();
            tailnet.phoneGoesByTheProvider(Family.values());
            before.signal("TERM");
            assertThat(before.awaitExit(World.SOON)).isZero();
        }
        Provider provider = tailnet.lab.provider();
        if (resolves) {
            provider.die();
        } else {
            tailnet.observer.allow(
                    "our questions for the provider's name",
                    it -> it.destinationPort() == 53 && it.payload().contains("nowhere"));
            tailnet.lab
                    .node()
                    .wireGuardFile(
                            "provider.conf", provider.file("nowhere.invalid:" + Provider.PORT, "0.0.0.0/0, ::/0"));
        }

        Child culvert = tailnet.world.start(settings);

        culvert.awaitLine("mesh: .*offers exit node once the tunnel is connected", World.SOON);
        Tailscale phone = tailnet.lab.phone().tailscale();
        phone.await(
                "an offer withdrawn",
                _ -> !phone.peer(Tailnet.NODE).orElseThrow().getBoolean("ExitNodeOption"));
        assertThat(tailnet.world.status().mesh()).contains("offers exit node once the tunnel is connected");
        tailnet.phoneIsClosed(Family.values());
        tailnet.world.localTrafficIsClosed(Family.values());
        if (resolves) {
            provider.live();
            Tailnet.connected(culvert);
            tailnet.phoneExits();
            tailnet.phoneGoesByTheProvider(Family.values());
        }
    }
}
