package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Client;
import io.culvert.lab.Lab;
import io.culvert.lab.Probe;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The story that the program is for, as a user with a phone and a provider's file lives it. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ExitNodeTest {

    private static final Duration SOON = Duration.ofSeconds(20);

    private final World world = World.of(Shape.USUAL.uplink("enp3s0"));

    @AfterEach
    void closeLab() {
        world.close();
    }

    @Test
    @Tag("kernel")
    void a_phone_exits_by_the_provider_in_both_families() {
        world.observerIsNotBlind(Family.values());
        world.connect(world.settings(Map.of()));

        world.lab.client().useExitNode();

        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).contains(world.provider(family));
        }
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @Test
    void socks_leaves_by_the_tunnel_for_the_phone_and_for_the_neighbour() {
        world.observerIsNotBlind(Family.values());
        Child culvert = world.connect(world.settings(
                Map.of("CULVERT_SOCKS", "true", "CULVERT_SOCKS_ALLOW", "192.0.2.0/26, 10.77.0.0/24, fd00:77::/64")));
        culvert.awaitLine("^ready", SOON);
        world.observer.allow("answers of the proxy", packet -> packet.sourcePort() == 1080);
        Probe neighbour = Probe.from(world.lab.neighbour());

        for (Family family : Family.values()) {
            assertThat(neighbour.whoamiBySocks(Lab.NODE_4, 1080, family)).contains(world.provider(family));
        }
        world.lab.client().useExitNode();
        assertThat(world.phone.whoamiBySocks(Client.MESH_NODE_4, 1080, Family.IPV4))
                .contains(world.provider(Family.IPV4));
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void a_server_that_falls_silent_is_not_called_connected() {
        world.observerIsNotBlind(Family.values());
        Child culvert = world.connect(world.settings(Map.of()));
        assertThat(status()).startsWith("State:       connected");

        world.lab.provider().fallSilent();
        try (Pulse _ = Pulse.of(world.space(), Family.IPV4)) {
            culvert.awaitLine("no response from", Duration.ofMinutes(1));
        }
        assertThat(status()).startsWith("State:       blocked");

        culvert.fromNow();
        world.lab.provider().speak();
        culvert.awaitLine("connected to", SOON);
        world.localTrafficGoesByTheProvider(Family.IPV4);
    }

    private String status() {
        return world.run(Map.of(), "status").out();
    }
}
