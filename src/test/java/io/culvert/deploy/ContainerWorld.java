package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.Bind;
import io.culvert.image.CulvertContainer;
import io.culvert.ip.Family;
import io.culvert.lab.Certificate;
import io.culvert.lab.Engine;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Observer;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/** A lab whose node runs containers, and the observer who decides what leaked from any of them. */
final class ContainerWorld implements AutoCloseable {

    static final Duration SOON = Duration.ofSeconds(60);

    /** The name of the node in the tailnet. */
    static final String NODE = "exit";

    /** A network of the engine's kind that has fixed routes in both families, and a resolver that knows its containers. */
    static final String NETWORK = "world";

    /** Debian's base image, which the image that is tested was made of. */
    static final String DEBIAN = "docker.io/library/debian:12-slim";

    /** Where programs look for the authorities they trust. */
    private static final String TRUSTED = "/etc/ssl/certs/ca-certificates.crt";

    /** Where the provider's file is found without being named. */
    private static final String PROVIDER_FILE = ":/etc/wireguard/wg0.conf:ro";

    final Lab lab;
    final Engine engine;
    final Observer observer;

    private ContainerWorld(Shape shape) {
        lab = Lab.open(shape);
        try {
            engine = Engine.on(lab);
            if (engine.attempt("image", "exists", CulvertContainer.IMAGE).status() != 0) {
                engine.close();
                throw new TestAbortedException("there is no image " + CulvertContainer.IMAGE + ": run 'make image'");
            }
            engine.run("network", "create", "--ipv6", NETWORK);
        } catch (RuntimeException | Error e) {
            lab.close();
            throw e;
        }
        observer = lab.observe();
        for (int number = 0; number < shape.providers(); number++) {
            observer.allowWireGuardTo(lab.provider(number).outer4(), Provider.PORT);
        }
        // What containers send leaves from ports of the engine's choice.
        observer.allow(
                "Tailscale to Headscale",
                packet -> List.of(Headscale.ADDRESS_4, Headscale.ADDRESS_6).stream()
                        .anyMatch(headscale -> packet.isTcpTo(headscale, Headscale.PORT)
                                || packet.isTcpTo(headscale, 80)
                                || packet.isUdpTo(headscale, Headscale.STUN_PORT)));
        observer.allow(
                "WireGuard to the phone",
                packet -> (packet.isTo(Lab.CLIENT_4) || packet.isTo(Lab.CLIENT_6)) && packet.isWireGuard());
        // It tries every address that a peer says it has, those behind other engines included.
        observer.allow(
                "Tailscale's search for a way to its peers",
                packet -> packet.isDisco()
                        || (packet.isWireGuard() && packet.summary().contains(" to 10.")));
        // For a datagram of the provider's that came for a container just gone.
        observer.allow(
                "the machine's own word that nobody listens there",
                packet -> packet.summary().startsWith("ICMP type 3 " + Lab.NODE_4));
        observer.allow(
                "questions for the names that the chain itself needs",
                packet -> packet.destinationPort() == 53
                        && (packet.payload().contains("headscale\7example")
                                || packet.payload().contains("provider0\7example")));
    }

    static ContainerWorld of(Shape shape) {
        return new ContainerWorld(shape);
    }

    /** The provider's file, as every user of the node can read it. */
    Path providerFile() {
        return engine.file("provider.conf", lab.provider().file());
    }

    /** The same with the server's name instead of its address. */
    Path providerFileByName() {
        return engine.file(
                "provider-by-name.conf", lab.provider().file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));
    }

    /** What it takes in a compose file to trust Headscale's certificate. */
    String trust() {
        return engine.file("trusted.pem", Certificate.HEADSCALE.certificate()) + ":" + TRUSTED + ":ro";
    }

    /** The usual node, whom nobody uses as an exit. */
    CulvertContainer alone(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("CULVERT_MESH", "none"));
        settings.putAll(more);
        return mounting(new CulvertContainer(settings).withNetworkMode(NETWORK), providerFile() + PROVIDER_FILE);
    }

    /** A node of the tailnet, with the state in a volume of this name. */
    CulvertContainer inTailnet(String volume, Map<String, String> more) {
        Map<String, String> settings =
                new HashMap<>(lab.headscale().settings(NODE, lab.headscale().key()));
        settings.remove("TS_SOCKET");
        settings.putAll(more);
        return mounting(
                new CulvertContainer(settings).withNetworkMode(NETWORK),
                volume + ":/var/lib/tailscale",
                trust(),
                providerFileByName() + PROVIDER_FILE);
    }

    /** The container with these mounts more, as {@code source:target} or {@code source:target:ro}. */
    static CulvertContainer mounting(CulvertContainer culvert, String... mounts) {
        return culvert.host(config -> config.withBinds(Stream.concat(
                        Stream.ofNullable(config.getBinds()).flatMap(Arrays::stream),
                        Arrays.stream(mounts).map(Bind::parse))
                .toList()));
    }

    /** Starts it and waits until it is ready; the name by which the engine knows it. */
    String start(CulvertContainer culvert) {
        culvert.start();
        engine.awaitLine(culvert.getContainerId(), "^ready", SOON);
        return culvert.getContainerId();
    }

    /** A container that nobody guards, of this name, on the same network. */
    Namespace sibling(String name) {
        engine.run("run", "--detach", "--name", name, "--network", NETWORK, DEBIAN, "sleep", "infinity");
        return engine.network(name);
    }

    /** The test's eyes are open: what an unguarded container sends is seen. */
    void observerIsNotBlind(Probe unguarded) {
        assertThat(observer.sees(() -> assertThat(unguarded.whoami(Family.IPV4)).contains(Lab.NODE_4)))
                .isTrue();
    }

    /** Whoever asks from there is taken for the provider, and nothing else has left the node. */
    void goesByTheProvider(Probe probe, Family... families) {
        for (Family family : families) {
            assertThat(probe.whoami(family)).contains(provider(family));
            assertThat(probe.echo(family)).contains(provider(family));
        }
        assertThat(observer.leaks()).isEmpty();
    }

    String provider(Family family) {
        return family == Family.IPV4 ? lab.provider().outer4() : lab.provider().outer6();
    }

    @Override
    public void close() {
        try {
            engine.close();
        } finally {
            lab.close();
        }
    }
}
