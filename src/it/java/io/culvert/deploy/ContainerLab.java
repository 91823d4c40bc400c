// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.Bind;
import io.culvert.image.CulvertContainer;
import io.culvert.lab.Certificate;
import io.culvert.lab.ContainerEngine;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Observer;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.net.Family;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/** A lab whose node runs containers, with an observer that detects leaks of any of them. */
final class ContainerLab implements AutoCloseable {

    static final Duration TIMEOUT = Duration.ofSeconds(60);

    /** The name of the node in the tailnet. */
    static final String NODE = "exit";

    /** A network of the container engine with both families, and a resolver that knows its containers. */
    static final String NETWORK = "world";

    /** Debian's image, the base of the tested image. */
    static final String DEBIAN = "docker.io/library/debian:12-slim";

    /** The trusted certificates of a container. */
    private static final String TRUSTED = "/etc/ssl/certs/ca-certificates.crt";

    /** The default path of the provider's file. */
    private static final String PROVIDER_FILE = ":/etc/wireguard/wg0.conf:ro";

    final Lab lab;
    final ContainerEngine engine;
    final Observer observer;

    private ContainerLab(LabOptions shape) {
        lab = Lab.open(shape);
        try {
            engine = ContainerEngine.on(lab);
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
            observer.allowWireGuardTo(lab.provider(number).publicIpv4(), Provider.PORT);
        }
        // The engine changes the source ports of packets from containers.
        observer.allow(
                "Tailscale to Headscale",
                packet -> List.of(Headscale.ADDRESS_IPV4, Headscale.ADDRESS_IPV6).stream()
                        .anyMatch(headscale -> packet.isTcpTo(headscale, Headscale.PORT)
                                || packet.isTcpTo(headscale, 80)
                                || packet.isUdpTo(headscale, Headscale.STUN_PORT)));
        observer.allow(
                "WireGuard to the phone",
                packet -> (packet.isTo(Lab.CLIENT_IPV4) || packet.isTo(Lab.CLIENT_IPV6)) && packet.isWireGuard());
        // Tailscale tries every address of a peer, including addresses of its container networks.
        observer.allow(
                "Tailscale's peer discovery",
                packet -> packet.isDisco()
                        || (packet.isWireGuard() && packet.summary().contains(" to 10.")));
        // Replies to datagrams of the provider for a container that has just been removed.
        observer.allow(
                "ICMP port unreachable from the machine",
                packet -> packet.summary().startsWith("ICMP type 3 " + Lab.NODE_IPV4));
        observer.allow(
                "bootstrap DNS queries",
                packet -> packet.destinationPort() == 53
                        && (packet.payload().contains("headscale\7example")
                                || packet.payload().contains("provider0\7example")));
    }

    static ContainerLab of(LabOptions shape) {
        return new ContainerLab(shape);
    }

    /** Writes the provider's file, readable for every user. */
    Path providerFile() {
        return engine.file("provider.conf", lab.provider().file());
    }

    /** Writes the provider's file with the server's name instead of its address. */
    Path providerFileByName() {
        return engine.file(
                "provider-by-name.conf", lab.provider().file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));
    }

    /** Returns the volume of a compose file that makes a container trust Headscale's certificate. */
    String trustedCertificatesVolume() {
        return engine.file("trusted.pem", Certificate.HEADSCALE.certificate()) + ":" + TRUSTED + ":ro";
    }

    /** Returns a container without a mesh. */
    CulvertContainer withoutMesh(Map<String, String> more) {
        return withoutMesh(CulvertContainer.IMAGE, more);
    }

    /** Returns a container of another flavour without a mesh. */
    CulvertContainer withoutMesh(String image, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("CULVERT_MESH", "none"));
        settings.putAll(more);
        return withMounts(
                new CulvertContainer(image, settings).withNetworkMode(NETWORK), providerFile() + PROVIDER_FILE);
    }

    /** Returns a container that is a node of the tailnet, with its state in a volume of this name. */
    CulvertContainer inTailnet(String volume, Map<String, String> more) {
        return inTailnet(CulvertContainer.IMAGE, volume, more);
    }

    /** Returns a container of another flavour that is a node of the tailnet. */
    CulvertContainer inTailnet(String image, String volume, Map<String, String> more) {
        Map<String, String> settings =
                new HashMap<>(lab.headscale().settings(NODE, lab.headscale().key()));
        settings.remove("TS_SOCKET");
        settings.putAll(more);
        return withMounts(
                new CulvertContainer(image, settings).withNetworkMode(NETWORK),
                volume + ":/var/lib/tailscale",
                trustedCertificatesVolume(),
                providerFileByName() + PROVIDER_FILE);
    }

    /** Adds these mounts to the container, as {@code source:target} or {@code source:target:ro}. */
    static CulvertContainer withMounts(CulvertContainer culvert, String... mounts) {
        return culvert.host(config -> config.withBinds(Stream.concat(
                        Stream.ofNullable(config.getBinds()).flatMap(Arrays::stream),
                        Arrays.stream(mounts).map(Bind::parse))
                .toList()));
    }

    /** Starts the container, waits until it is ready, and returns its ID. */
    String start(CulvertContainer culvert) {
        culvert.start();
        engine.awaitLine(culvert.getContainerId(), "^ready", TIMEOUT);
        return culvert.getContainerId();
    }

    /** Starts another container of this name, without a kill switch, on the same network. */
    LabNamespace otherContainer(String name) {
        engine.run("run", "--detach", "--name", name, "--network", NETWORK, DEBIAN, "sleep", "infinity");
        return engine.network(name);
    }

    /** Verifies that the observer detects packets of a container without a kill switch. */
    void verifyObserverDetectsLeaks(Probe withoutKillSwitch) {
        assertThat(observer.sees(
                        () -> assertThat(withoutKillSwitch.whoami(Family.IPV4)).contains(Lab.NODE_IPV4)))
                .isTrue();
    }

    /** Verifies that servers see the provider's address for this probe, and that the observer has seen no leak. */
    void assertUsesProvider(Probe probe, Family... families) {
        for (Family family : families) {
            assertThat(probe.whoami(family)).contains(provider(family));
            assertThat(probe.echo(family)).contains(provider(family));
        }
        assertThat(observer.leaks()).isEmpty();
    }

    String provider(Family family) {
        return family == Family.IPV4
                ? lab.provider().publicIpv4()
                : lab.provider().publicIpv6();
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
