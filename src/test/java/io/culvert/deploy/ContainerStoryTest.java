package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.image.CulvertContainer;
import io.culvert.ip.Family;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.Probe;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The whole story with the image, in containers without root: a provider, a Headscale, the exit node, a phone far away,
 * a container beside the node. One node lives through all of it, so the order counts.
 */
@Tag("deploy")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ContainerStoryTest {

    private static final String SOCKS_PORT = "1080";

    private final ContainerWorld world = ContainerWorld.of(Shape.USUAL);

    @SuppressWarnings("NullAway.Init") // Before all tests.
    private CulvertContainer culvert;

    @SuppressWarnings("NullAway.Init") // Before all tests.
    private Probe sibling;

    private final Probe phone = Probe.from(world.lab.client().space());

    @BeforeAll
    void startAll() {
        sibling = Probe.from(world.sibling("sibling"));
        world.observerIsNotBlind(sibling);
        culvert = world.inTailnet("state", Map.of("CULVERT_SOCKS", "true"));
        culvert.setPortBindings(List.of(SOCKS_PORT + ":" + SOCKS_PORT, "41641:41641/udp"));
        culvert.withCreateContainerCmdModifier(command -> command.withName("culvert"));
        world.start(culvert);
        world.engine.awaitLine("culvert", "mesh: .*offers exit node$", ContainerWorld.SOON);
    }

    @AfterAll
    void closeWorld() {
        world.close();
    }

    private Probe inside() {
        return Probe.from(world.engine.network("culvert"));
    }

    @Test
    @Order(1)
    void the_phone_exits_at_the_provider() {
        world.lab.phone().useExitNode(ContainerWorld.NODE);

        world.goesByTheProvider(phone, Family.values());
    }

    @Test
    @Order(2)
    void programs_in_the_container_s_network_exit_at_the_provider() {
        world.goesByTheProvider(inside(), Family.values());
    }

    @Test
    @Order(3)
    void the_proxy_serves_a_sibling_container_and_who_comes_by_the_published_port() {
        String address = world.engine
                .inspect("culvert", "range .NetworkSettings.Networks}}{{.IPAddress}}{{end")
                .strip();
        int port = Integer.parseInt(SOCKS_PORT);
        Probe host = Probe.from(world.lab.node().space());
        Probe neighbour = Probe.from(world.lab.neighbour());
        world.observer.allowService(port);

        for (Family family : Family.values()) {
            assertThat(sibling.whoamiBySocks(address, port, family)).contains(world.provider(family));
            assertThat(host.whoamiBySocks("127.0.0.1", port, family)).contains(world.provider(family));
            assertThat(neighbour.whoamiBySocks(Lab.NODE_4, port, family)).contains(world.provider(family));
        }
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    @Order(4)
    void health_follows_the_tunnel() {
        assertThat(world.engine.isHealthy("culvert")).isTrue();

        world.lab.provider().die();
        assertThat(phone.whoami(Family.IPV4)).isEmpty();
        assertThat(inside().whoami(Family.IPV4)).isEmpty();
        world.engine.awaitLine("culvert", "tunnel: no response from", ContainerWorld.SOON);
        assertThat(world.engine.isHealthy("culvert")).isFalse();

        world.lab.provider().live();
        world.engine.awaitLines("culvert", "tunnel: connected to", 2, ContainerWorld.SOON);
        assertThat(world.engine.isHealthy("culvert")).isTrue();
        world.goesByTheProvider(phone, Family.values());
    }

    @Test
    @Order(5)
    void killed_and_started_again_it_is_the_same_node_and_nothing_leaks() {
        long id = world.lab.headscale().member(ContainerWorld.NODE).id();

        world.engine.run("kill", "--signal", "KILL", "culvert");
        world.engine.awaitExit("culvert");
        world.engine.run("start", "culvert");
        world.engine.awaitLines("culvert", "mesh: .*offers exit node$", 2, ContainerWorld.SOON);

        assertThat(world.lab.headscale().members())
                .extracting(Headscale.Member::name)
                .containsExactlyInAnyOrder(ContainerWorld.NODE, "phone");
        assertThat(world.lab.headscale().member(ContainerWorld.NODE).id()).isEqualTo(id);
        world.goesByTheProvider(inside(), Family.values());
        // The phone's session with the killed node has to be made anew, when the control server has told it.
        try (Pulse traffic = Pulse.of(world.lab.client().space(), Family.IPV4)) {
            traffic.awaitAnswer(world.provider(Family.IPV4), ContainerWorld.SOON);
        }
        world.goesByTheProvider(phone, Family.values());
    }

    @Test
    @Order(6)
    void asked_to_stop_it_ends_in_time_and_in_order() {
        world.engine.run("stop", "--time", "10", "culvert");

        assertThat(world.engine.inspect("culvert", ".State.ExitCode")).isEqualTo("0");
        assertThat(world.engine.log("culvert").strip()).endsWith("stopped");
        assertThat(phone.whoami(Family.IPV4)).isEmpty();
        assertThat(world.observer.leaks()).isEmpty();
    }
}
