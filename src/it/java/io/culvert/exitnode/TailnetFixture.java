// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Observer;
import io.culvert.lab.Probe;
import io.culvert.lab.ReceivedQuery;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TailscaleCli;
import io.culvert.lab.TailscaleClient;
import io.culvert.net.Family;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** A world whose node is in a tailnet: what a user of Tailscale or Headscale has, and nothing else. */
final class TailnetFixture implements AutoCloseable {

    /** The node's name in the tailnet. */
    static final String NODE = "exit";

    /** The default UDP port of the node's tailscaled for direct connections. */
    static final int PORT = 41641;

    /** The resolver address of tailscaled; with an exit node, it forwards queries to that of the exit node. */
    static final String MAGIC_DNS = "100.100.100.100";

    final ExitNodeFixture fixture;
    final Lab lab;
    final Probe node;
    final Probe phone;
    final Probe laptop;
    final Observer observer;

    private TailnetFixture(LabOptions options) {
        fixture = ExitNodeFixture.of(options);
        lab = fixture.lab;
        node = fixture.node;
        phone = fixture.phone;
        laptop = Probe.from(lab.lanHost());
        observer = fixture.observer.allowTailscale(PORT);
    }

    /** The observer's leak detection was verified in this lab. */
    static TailnetFixture of(LabOptions options) {
        TailnetFixture tailnet = new TailnetFixture(options);
        tailnet.fixture.verifyObserverDetectsLeaks(options.ipv6() ? Family.values() : new Family[] {Family.IPV4});
        return tailnet;
    }

    static TailnetFixture defaultSettings() {
        return of(LabOptions.DEFAULTS);
    }

    /** Returns the default settings of a Tailscale node, and additional ones. */
    Map<String, String> settings(Map<String, String> more) {
        Map<String, String> settings =
                new HashMap<>(lab.headscale().settings(NODE, lab.headscale().key()));
        settings.putAll(more);
        return settings;
    }

    /** Starts the node and waits until the exit node is usable. */
    RunningProgram connect(Map<String, String> more) {
        return awaitExitNode(fixture.start(settings(more)));
    }

    /** Waits until the exit node is usable. */
    static RunningProgram awaitExitNode(RunningProgram culvert) {
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("mesh: .*advertises exit node$", ExitNodeFixture.TIMEOUT);
        return culvert;
    }

    /** Selects the node as the phone's exit node, and waits for a direct path. */
    TailscaleClient selectExitNodeOnPhone() {
        TailscaleClient device = lab.phone().useExitNode(NODE);
        device.tailscale().awaitDirect(NODE);
        return device;
    }

    /** Returns a client of the node's tailscaled. */
    TailscaleCli tailscale() {
        return lab.node().tailscale();
    }

    /** Returns the node's address in the tailnet. */
    String address(Family family) {
        return tailscale().address(family);
    }

    /** Returns the node's id at the control server. */
    String id() {
        return tailscale().status().getJsonObject("Self").getString("ID");
    }

    /** Asserts that the phone appears with the provider's address by TCP and UDP, and that nothing leaked. */
    void assertPhoneUsesTunnel(Family... families) {
        for (Family family : families) {
            assertThat(phone.whoami(family)).contains(fixture.provider(family));
            assertThat(phone.echo(family)).contains(fixture.provider(family));
        }
        assertThat(observer.leaks()).isEmpty();
    }

    /** Asserts that the phone reaches nothing, and that nothing leaked. */
    void assertPhoneBlocked(Family... families) {
        for (Family family : families) {
            assertThat(phone.whoami(family)).isEmpty();
            assertThat(phone.echo(family)).isEmpty();
        }
        assertThat(observer.leaks()).isEmpty();
    }

    /** Waits until the phone resolves names: its tailscaled retries some time after the exit node has gone. */
    void awaitPhoneResolves(Supplier<String> names) {
        assertThat(Stream.generate(names).limit(10).anyMatch(this::phoneResolves))
                .as("a phone asks again when the node it asked has gone")
                .isTrue();
    }

    private boolean phoneResolves(String name) {
        List<String> answer = phone.resolve(MAGIC_DNS, name, Family.IPV4);
        if (!answer.isEmpty()) {
            assertQueriedThroughTunnelOnly(name);
        }
        return !answer.isEmpty();
    }

    /** Returns the queries that the internet's resolver received for this name. */
    List<ReceivedQuery> queriesFor(String name) {
        return lab.internet().queries().stream()
                .filter(query -> query.name().equals(name + "."))
                .toList();
    }

    /** Asserts that the resolver received queries for the name, from the provider's address only. */
    void assertQueriedThroughTunnelOnly(String name) {
        assertThat(queriesFor(name))
                .as(name)
                .isNotEmpty()
                .allSatisfy(query -> assertThat(query.sourceAddress())
                        .isIn(fixture.provider(Family.IPV4), fixture.provider(Family.IPV6)));
    }

    @Override
    public void close() {
        fixture.close();
    }
}
