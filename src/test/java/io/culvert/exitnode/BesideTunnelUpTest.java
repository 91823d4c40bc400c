package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code culvert up} and {@code culvert tunnel up} in one network namespace: neither opens the other's kill switch. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class BesideTunnelUpTest {

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    private Outcome tunnel(String... arguments) {
        return world.lab.node().run(Map.of(), arguments);
    }

    @Test
    void on_a_machine_the_tunnel_s_kill_switch_stays_until_the_hint_is_followed() {
        world.in(Box.MACHINE);
        world.observerIsNotBlind(Family.values());
        tunnel("tunnel", "up", "--kill-switch", "provider").orFail();
        world.localTrafficGoesByTheProvider(Family.values());

        Outcome refused = world.run(World.alone(Map.of()), "up");

        assertThat(refused.status()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err())
                .contains("provider: this tunnel of 'culvert tunnel up' is up")
                .contains("take it down first: culvert tunnel down provider");
        world.localTrafficGoesByTheProvider(Family.values());

        tunnel("tunnel", "down", "provider").orFail();
        world.connect(World.alone(Map.of()));
        assertThat(world.node.whoami(Family.IPV4)).contains(world.provider(Family.IPV4));
    }

    @Test
    void on_a_machine_a_tunnel_of_one_network_is_not_taken_down_either() {
        world.in(Box.MACHINE);
        world.lab.node().wireGuardFile("part.conf", partial());
        tunnel("tunnel", "up", "part").orFail();

        Outcome refused = world.run(World.alone(Map.of()), "up");

        assertThat(refused.status()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err()).contains("culvert tunnel down part");
        assertThat(world.node.whoami(Family.IPV4)).contains(world.provider(Family.IPV4));
    }

    @Test
    void in_a_container_it_is_taken_over_and_all_stays_closed() {
        world.observerIsNotBlind(Family.values());
        tunnel("tunnel", "up", "--kill-switch", "provider").orFail();

        Child culvert = world.connect(World.alone(Map.of()));
        world.localTrafficGoesByTheProvider(Family.values());
        culvert.signal("TERM");
        assertThat(culvert.awaitExit(World.SOON)).isZero();

        world.localTrafficIsClosed(Family.values());
    }

    /** What is refused leaves nftables alone, no routing rule. */
    @ParameterizedTest
    @ValueSource(strings = {"up", "down"})
    void a_kill_switch_that_a_refused_start_left_is_not_opened(String what) {
        world.lab.node().wireGuardFile("part.conf", partial());
        world.observerIsNotBlind(Family.values());
        Outcome start = world.run(World.alone(Map.of("CULVERT_SOCKS_PORT", "99999")), "up");
        assertThat(start.err()).contains("kill switch: stays active");

        Outcome refused = tunnel("tunnel", what, "part");

        assertThat(refused.status()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err())
                .contains("part: 'culvert up' is running in this network namespace, or has left its kill switch");
        world.localTrafficIsClosed(Family.values());
    }

    @Test
    void nothing_of_a_tunnel_is_changed_while_culvert_up_starts_or_runs() {
        world.in(Box.MACHINE);
        Map<String, String> container = Map.of("CULVERT_CONTAINER", "true");
        world.connect(World.alone(container));

        Outcome refused = tunnel("tunnel", "up", "--kill-switch", "provider");

        assertThat(refused.status()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err())
                .contains("'culvert up' is running in this network namespace")
                .doesNotContain("tunnel down");
        assertThat(world.space().run("nft", "list", "tables")).contains("culvert-runs");
        world.localTrafficGoesByTheProvider(Family.values());
    }

    private String partial() {
        return world.lab.provider().file(world.lab.provider().outer4() + ":" + Provider.PORT, "198.51.100.0/24");
    }
}
