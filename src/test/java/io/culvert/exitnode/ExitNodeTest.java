package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Client;
import io.culvert.lab.Lab;
import io.culvert.lab.Observer;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
import java.time.Duration;
import java.util.HashMap;
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

    private final Lab lab = Lab.open(Shape.USUAL.uplink("enp3s0"));
    private final Probe node = Probe.from(lab.node().space());
    private final Probe phone = Probe.from(lab.client().space());
    private final Observer observer = lab.observe()
            .allowWireGuardTo(lab.provider().outer4(), Provider.PORT)
            .allowMesh();

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private Child start(Map<String, String> more) {
        lab.node().wireGuardFile("provider.conf", lab.provider().file());
        Map<String, String> settings = new HashMap<>(Map.of(
                "CULVERT_WIREGUARD_CONFIG", "/etc/wireguard/provider.conf",
                "CULVERT_MESH", "wireguard",
                "CULVERT_MESH_CONFIG", lab.node().file("mesh.conf", lab.client().nodeFile())));
        settings.putAll(more);
        return lab.node().start(settings, "up");
    }

    @Test
    @Tag("kernel")
    void a_phone_exits_by_the_provider_in_both_families() {
        Child culvert = start(Map.of());
        culvert.awaitLine("connected to", SOON);

        lab.client().useExitNode();

        assertThat(phone.whoami(Family.IPV4)).contains(lab.provider().outer4());
        assertThat(phone.whoami(Family.IPV6)).contains(lab.provider().outer6());
        assertThat(node.whoami(Family.IPV4)).contains(lab.provider().outer4());
        assertThat(node.whoami(Family.IPV6)).contains(lab.provider().outer6());
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void socks_leaves_by_the_tunnel_for_the_phone_and_for_the_neighbour() {
        Child culvert = start(
                Map.of("CULVERT_SOCKS", "true", "CULVERT_SOCKS_ALLOW", "192.0.2.0/26, 10.77.0.0/24, fd00:77::/64"));
        culvert.awaitLine("connected to", SOON);
        culvert.awaitLine("^ready", SOON);
        observer.allow("answers of the proxy", packet -> packet.sourcePort() == 1080);
        Probe neighbour = Probe.from(lab.neighbour());

        assertThat(neighbour.whoamiBySocks(Lab.NODE_4, 1080, Family.IPV4))
                .contains(lab.provider().outer4());
        assertThat(neighbour.whoamiBySocks(Lab.NODE_4, 1080, Family.IPV6))
                .contains(lab.provider().outer6());
        lab.client().useExitNode();
        assertThat(phone.whoamiBySocks(Client.MESH_NODE_4, 1080, Family.IPV4))
                .contains(lab.provider().outer4());
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_server_that_falls_silent_is_not_called_connected() {
        Child culvert = start(Map.of());
        culvert.awaitLine("connected to", SOON);
        assertThat(status()).startsWith("State:      connected");

        lab.provider().fallSilent();
        try (Pulse _ = Pulse.of(lab.node().space(), Family.IPV4)) {
            culvert.awaitLine("does not answer", Duration.ofMinutes(1));
        }
        assertThat(status()).startsWith("State:      blocked");

        culvert.fromNow();
        lab.provider().speak();
        culvert.awaitLine("connected to", SOON);
        assertThat(node.whoami(Family.IPV4)).contains(lab.provider().outer4());
        assertThat(observer.leaks()).isEmpty();
    }

    private String status() {
        return lab.node().run(Map.of(), "status").out();
    }
}
