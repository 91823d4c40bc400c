// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.image.CulvertContainer;
import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.DeployTest;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Probe;
import io.culvert.net.Family;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The whole life of the image in rootless containers: a provider, a Headscale, the exit node, a phone on another network, and
 * another container on the same network. All tests use one node, so their order matters.
 */
@DeployTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ContainerLifecycleTest {

    private static final String SOCKS_PORT = "1080";

    private final ContainerLab fixture = ContainerLab.of(LabOptions.DEFAULTS);

    @SuppressWarnings("NullAway.Init") // Before all tests.
    private CulvertContainer culvert;

    @SuppressWarnings("NullAway.Init") // Before all tests.
    private Probe otherContainer;

    private final Probe phone = Probe.from(fixture.lab.client().namespace());

    @BeforeAll
    void startAll() {
        otherContainer = Probe.from(fixture.otherContainer("sibling"));
        fixture.verifyObserverDetectsLeaks(otherContainer);
        culvert = fixture.inTailnet("state", Map.of("CULVERT_SOCKS", "true"));
        culvert.setPortBindings(List.of(SOCKS_PORT + ":" + SOCKS_PORT, "41641:41641/udp"));
        culvert.withCreateContainerCmdModifier(command -> command.withName("culvert"));
        fixture.start(culvert);
        fixture.engine.awaitLine("culvert", "mesh: .*advertises exit node$", ContainerLab.TIMEOUT);
    }

    @AfterAll
    void closeWorld() {
        fixture.close();
    }

    private Probe inside() {
        return Probe.from(fixture.engine.network("culvert"));
    }

    @Test
    @Order(1)
    void the_phones_traffic_leaves_through_the_provider() {
        fixture.lab.phone().useExitNode(ContainerLab.NODE);

        fixture.assertUsesProvider(phone, Family.values());
    }

    @Test
    @Order(2)
    void traffic_of_programs_in_the_containers_network_leaves_through_the_provider() {
        fixture.assertUsesProvider(inside(), Family.values());
    }

    @Test
    @Order(3)
    void the_proxy_serves_other_containers_and_clients_of_the_published_port() {
        String address = fixture.engine
                .inspect("culvert", "range .NetworkSettings.Networks}}{{.IPAddress}}{{end")
                .strip();
        int port = Integer.parseInt(SOCKS_PORT);
        Probe host = Probe.from(fixture.lab.node().namespace());
        Probe lanHost = Probe.from(fixture.lab.lanHost());
        fixture.observer.allowService(port);

        for (Family family : Family.values()) {
            assertThat(otherContainer.whoamiBySocks(address, port, family)).contains(fixture.provider(family));
            assertThat(host.whoamiBySocks("127.0.0.1", port, family)).contains(fixture.provider(family));
            assertThat(lanHost.whoamiBySocks(Lab.NODE_IPV4, port, family)).contains(fixture.provider(family));
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    @Order(4)
    void health_follows_the_tunnel() {
        assertThat(fixture.engine.isHealthy("culvert")).isTrue();

        fixture.lab.provider().stop();
        assertThat(phone.whoami(Family.IPV4)).isEmpty();
        assertThat(inside().whoami(Family.IPV4)).isEmpty();
        fixture.engine.awaitLine("culvert", "tunnel: no response from", ContainerLab.TIMEOUT);
        assertThat(fixture.engine.isHealthy("culvert")).isFalse();

        fixture.lab.provider().start();
        fixture.engine.awaitLines("culvert", "tunnel: connected to", 2, ContainerLab.TIMEOUT);
        assertThat(fixture.engine.isHealthy("culvert")).isTrue();
        fixture.assertUsesProvider(phone, Family.values());
    }

    @Test
    @Order(5)
    void after_a_kill_and_a_restart_it_is_the_same_node_and_nothing_leaks() {
        long id = fixture.lab.headscale().member(ContainerLab.NODE).id();

        fixture.engine.run("kill", "--signal", "KILL", "culvert");
        fixture.engine.awaitExit("culvert");
        fixture.engine.run("start", "culvert");
        fixture.engine.awaitLines("culvert", "mesh: .*advertises exit node$", 2, ContainerLab.TIMEOUT);

        assertThat(fixture.lab.headscale().members())
                .extracting(Headscale.Member::name)
                .containsExactlyInAnyOrder(ContainerLab.NODE, "phone");
        assertThat(fixture.lab.headscale().member(ContainerLab.NODE).id()).isEqualTo(id);
        fixture.assertUsesProvider(inside(), Family.values());
        // The phone needs a new session with the restarted node, which it learns of from the control server.
        try (ContinuousProbe traffic = ContinuousProbe.of(fixture.lab.client().namespace(), Family.IPV4)) {
            traffic.awaitReply(fixture.provider(Family.IPV4), ContainerLab.TIMEOUT);
        }
        fixture.assertUsesProvider(phone, Family.values());
    }

    @Test
    @Order(6)
    void stopping_ends_it_cleanly_before_the_timeout() {
        fixture.engine.run("stop", "--time", "10", "culvert");

        assertThat(fixture.engine.inspect("culvert", ".State.ExitCode")).isEqualTo("0");
        assertThat(fixture.engine.log("culvert").strip()).endsWith("stopped");
        assertThat(phone.whoami(Family.IPV4)).isEmpty();
        assertThat(fixture.observer.leaks()).isEmpty();
    }
}
