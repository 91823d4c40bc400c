package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.DnsQuestion;
import io.culvert.lab.Lab;
import io.culvert.lab.Observer;
import io.culvert.lab.Probe;
import io.culvert.lab.Shape;
import io.culvert.lab.Tailscale;
import io.culvert.lab.TailscaleClient;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** A world whose node is in a tailnet: what a user of Tailscale or Headscale has, and nothing else. */
final class Tailnet implements AutoCloseable {

    /** The node's name in it. */
    static final String NODE = "exit";

    /** Where the node's tailscaled is reached directly, unless the user says otherwise. */
    static final int PORT = 41641;

    /** Where every device asks its own tailscaled, which asks the exit node's on behalf of a phone that exits. */
    static final String MAGIC_DNS = "100.100.100.100";

    final World world;
    final Lab lab;
    final Probe node;
    final Probe phone;
    final Probe laptop;
    final Observer observer;

    private Tailnet(Shape shape) {
        world = World.of(shape);
        lab = world.lab;
        node = world.node;
        phone = world.phone;
        laptop = Probe.from(lab.neighbour());
        observer = world.observer.allowTailscale(PORT);
    }

    /** In this world the observer has shown that he is not blind. */
    static Tailnet of(Shape shape) {
        Tailnet tailnet = new Tailnet(shape);
        tailnet.world.observerIsNotBlind(shape.ipv6() ? Family.values() : new Family[] {Family.IPV4});
        return tailnet;
    }

    static Tailnet usual() {
        return of(Shape.USUAL);
    }

    /** The settings of the usual node, and these. */
    Map<String, String> settings(Map<String, String> more) {
        Map<String, String> settings =
                new HashMap<>(lab.headscale().settings(NODE, lab.headscale().key()));
        settings.putAll(more);
        return settings;
    }

    /** Starts the node and waits until others may exit by it. */
    Child connect(Map<String, String> more) {
        return connected(world.start(settings(more)));
    }

    /** Waits until others may exit by the node. */
    static Child connected(Child culvert) {
        culvert.awaitLine("^ready", World.SOON);
        culvert.awaitLine("mesh: .*offers exit node$", World.SOON);
        return culvert;
    }

    /** The phone exits by the node from now on, and packets to it go directly. */
    TailscaleClient phoneExits() {
        TailscaleClient device = lab.phone().useExitNode(NODE);
        device.tailscale().awaitDirect(NODE);
        return device;
    }

    /** The node's tailscaled. */
    Tailscale tailscale() {
        return lab.node().tailscale();
    }

    /** The node's address in the tailnet. */
    String address(Family family) {
        return tailscale().address(family);
    }

    /** By which the control server knows the node. */
    String id() {
        return tailscale().status().getJsonObject("Self").getString("ID");
    }

    /** The phone is taken for the provider, by TCP and UDP, and nothing else has left. */
    void phoneGoesByTheProvider(Family... families) {
        for (Family family : families) {
            assertThat(phone.whoami(family)).contains(world.provider(family));
            assertThat(phone.echo(family)).contains(world.provider(family));
        }
        assertThat(observer.leaks()).isEmpty();
    }

    /** The phone reaches nobody, and nothing has left. */
    void phoneIsClosed(Family... families) {
        for (Family family : families) {
            assertThat(phone.whoami(family)).isEmpty();
            assertThat(phone.echo(family)).isEmpty();
        }
        assertThat(observer.leaks()).isEmpty();
    }

    /** Asks for names of the phone's until one is answered: it asks again, some time after the node that it asked has gone. */
    void phoneResolvesSoon(Supplier<String> names) {
        assertThat(Stream.generate(names).limit(10).anyMatch(this::phoneResolves))
                .as("a phone asks again when the node it asked has gone")
                .isTrue();
    }

    private boolean phoneResolves(String name) {
        List<String> answer = phone.resolve(MAGIC_DNS, name, Family.IPV4);
        if (!answer.isEmpty()) {
            askedByTheProviderOnly(name);
        }
        return !answer.isEmpty();
    }

    /** What the internet's resolver was asked for this name. */
    List<DnsQuestion> asked(String name) {
        return lab.internet().questions().stream()
                .filter(question -> question.name().equals(name + "."))
                .toList();
    }

    /** The resolver was asked for it, and by the provider only. */
    void askedByTheProviderOnly(String name) {
        assertThat(asked(name))
                .as(name)
                .isNotEmpty()
                .allSatisfy(question ->
                        assertThat(question.asker()).isIn(world.provider(Family.IPV4), world.provider(Family.IPV6)));
    }

    @Override
    public void close() {
        world.close();
    }
}
