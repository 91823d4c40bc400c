package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Outcome;
import io.culvert.lab.Shape;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The exit node as a peer of a network file: a whole mesh behind a provider, without Tailscale. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NetworkFileTest {

    private final World world = World.of(Shape.USUAL);
    private final String key =
            world.lab.node().file("exit.key", world.lab.client().nodeKey() + "\n");

    @AfterEach
    void closeLab() {
        world.close();
    }

    private Map<String, String> settings(String file, String node) {
        return world.settings(
                Map.of("CULVERT_MESH_CONFIG", world.lab.node().file("network.yaml", file), "CULVERT_MESH_NODE", node));
    }

    @Test
    void a_phone_of_the_file_exits_by_the_provider_in_both_families() {
        world.observerIsNotBlind(Family.values());
        Child culvert = world.connect(settings(world.lab.client().networkFile(key), "exit"));

        world.lab.client().useExitNode();

        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).contains(world.provider(family));
        }
        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.run(Map.of(), "status").out()).contains("1 of 1 clients have connected");

        // Nothing of the phone's leaves when the tunnel is gone.
        culvert.signal("STOP");
        world.space().run("ip", "link", "delete", "wg0");
        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).isEmpty();
        }
        world.localTrafficIsClosed(Family.values());
        culvert.signal("CONT");
    }

    @Test
    void what_is_wrong_with_the_file_is_told_with_its_place_before_anything_is_done() {
        String file = world.lab.client().networkFile(key);

        assertThat(refused(file, "exot").err()).contains("has no peer 'exot'").contains("did you mean 'exit'?");
        assertThat(refused(file, "phone").err()).contains("is set up by its own means");
        assertThat(refused(file.replace("listenPort", "listenport"), "exit").err())
                .contains("network.yaml:8")
                .contains("listenPort");
        String other = file.replace("exit: true", "exit: true\n    routes: [10.99.0.0/24]")
                .replace(key, world.lab.node().file("wrong.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=\n"));
        assertThat(refused(other, "exit").err()).contains("its public key is");
        Outcome without = world.run(
                world.settings(Map.of("CULVERT_MESH_CONFIG", world.lab.node().file("network.yaml", file))), "up");
        assertThat(without.status()).isEqualTo(2);
        assertThat(without.err()).contains("set CULVERT_MESH_NODE to its name");
        assertThat(world.footprint()).doesNotContain("culvert");
    }

    private Outcome refused(String file, String node) {
        Outcome outcome = world.run(settings(file, node), "up");
        assertThat(outcome.status()).as(outcome.err()).isEqualTo(2);
        return outcome;
    }
}
