// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.ExitNodeWithoutKillSwitch;
import io.culvert.lab.Lab;
import io.culvert.lab.LeakCell;
import io.culvert.lab.LeakMatrix;
import io.culvert.lab.LeakProbes;
import io.culvert.lab.LeakState;
import io.culvert.lab.LeakVerdict;
import io.culvert.lab.Observer;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TrafficOrigin;
import io.culvert.net.Family;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A lab with the agents of all origins, which measures the rows of a leak matrix. */
final class LeakMatrixRun implements AutoCloseable {

    static final String CONNECTED = "tunnel: connected to";
    static final String NFTABLES_RESTORED = "reverted an external change: nftables ruleset reloaded";
    private static final String LINK_UP = "network: ip link set";
    private static final String ROUTES_RESTORED = "network: ip -[46] route add";
    private static final String RULES_RESTORED = "reverted an external change: ip -4 rule add";

    /** Where the first provider's server answers from after it has roamed. */
    private static final String ROAMED = "203.0.113.11";

    private static final int ROAMED_PORT = 51999;

    /** Each takes seconds where packets are lost. */
    private static final int MAX_VOLLEYS = 12;

    final ExitNodeFixture fixture;
    private final Supplier<RunningProgram> start;
    private final LeakMatrix matrix;
    private final LeakProbes probes;
    private final Map<LeakState, String> failures = new EnumMap<>(LeakState.class);
    private @Nullable RunningProgram culvert;

    /**
     * @param start starts Culvert and returns at once
     * @param matrix to which the rows are added
     */
    LeakMatrixRun(ExitNodeFixture fixture, Supplier<RunningProgram> start, LeakMatrix matrix) {
        this.fixture = fixture;
        this.start = start;
        this.matrix = matrix;
        probes = new LeakProbes(fixture.lab, fixture.observer, matrix.origins());
    }

    /** Returns what was wrong in which state. */
    Map<LeakState, String> failures() {
        return failures;
    }

    static Observer allowProxy(Observer observer) {
        return observer.allowService(1080)
                .allowService(8888)
                .allow(
                        "UDP relay of the proxy",
                        packet -> packet.isTo(Lab.LAN_HOST_IPV4)
                                && packet.sourcePort() >= 1081
                                && packet.sourcePort() <= 1096);
    }

    RunningProgram culvert() {
        return Objects.requireNonNull(culvert);
    }

    void ip(String line) {
        fixture.namespace().ip(line);
    }

    RunningProgram start() {
        RunningProgram started = start.get();
        culvert = started;
        return started;
    }

    void startAndAwaitReady() {
        start().awaitLine("^ready", ExitNodeFixture.TIMEOUT);
    }

    /** The states with a fault in the network namespace, and those with two. */
    void frozenStates() {
        frozen(LeakState.BOTH_LAYERS_GONE, NFTABLES_RESTORED, this::deleteTables, this::deleteRules);
        frozen(LeakState.LINK_GONE, CONNECTED, this::deleteLink);
        frozen(LeakState.LINK_DOWN, LINK_UP, () -> ip("link set wg0 down"));
        frozen(LeakState.TABLE_FLUSHED, ROUTES_RESTORED, this::flushTable);
        frozen(LeakState.NFTABLES_GONE, NFTABLES_RESTORED, this::deleteTables);
        frozen(LeakState.RULES_GONE, RULES_RESTORED, this::deleteRules);
        frozen(LeakState.LINK_AND_NFTABLES_GONE, CONNECTED, this::deleteLink, this::deleteTables);
        frozen(LeakState.TABLE_AND_NFTABLES_GONE, NFTABLES_RESTORED, this::flushTable, this::deleteTables);
        frozen(LeakState.LINK_AND_RULES_GONE, CONNECTED, this::deleteLink, this::deleteRules);
        frozen(LeakState.TABLE_AND_RULES_GONE, RULES_RESTORED, this::flushTable, this::deleteRules);
    }

    void control() {
        try (ExitNodeWithoutKillSwitch _ = fixture.lab.exitNodeWithoutKillSwitch()) {
            measure(LeakState.NO_CULVERT);
        }
    }

    void beforeSettings() {
        String file = fixture.lab.node().file("bypasses", "198.51.100.2:443");
        try (RunningProgram changes = fixture.namespace().start("nft", "monitor");
                RunningProgram heldUp = fixture.lab
                        .node()
                        .startHeldUpAt(file, fixture.settings(Map.of("CULVERT_BYPASS_FILE", file)), "up")) {
            changes.awaitLine("culvert", ExitNodeFixture.TIMEOUT);
            measure(LeakState.BEFORE_SETTINGS);
            assertThat(heldUp.isAlive()).isTrue();
            assertThat(heldUp.output()).doesNotContain("Settings");
        }
    }

    void refused() {
        CommandResult refused = fixture.run(fixture.settings(Map.of("CULVERT_SOCKS_PORT", "99999")), "up");
        assertThat(refused.status()).as(refused.err()).isEqualTo(2);
        measure(LeakState.REFUSED_START);
    }

    void measure(LeakState state) {
        probes.reset();
        probes.volley();
        conclude(state);
    }

    void connected(LeakState state, Family... families) {
        probes.reset();
        awaitTunnel(state, families);
        conclude(state);
    }

    /** Sends volleys until packets of all cells arrive by the tunnel. */
    private void awaitTunnel(LeakState state, Family... families) {
        List<LeakCell> carried = probes.carried(families);
        List<LeakCell> missing = carried;
        for (int volley = 0; volley < MAX_VOLLEYS && !missing.isEmpty(); volley++) {
            probes.volley();
            missing = probes.awaitArrivals(carried);
        }
        if (!missing.isEmpty()) {
            fail(state, "not by the tunnel: " + missing);
        }
    }

    /** Sends volleys throughout a change, and then until traffic uses the tunnel again. */
    void change(LeakState state, Runnable change) {
        probes.reset();
        whileSending(change);
        probes.resetArrivals();
        awaitTunnel(state, Family.values());
        conclude(state);
    }

    /** Sends volleys throughout a change after which nothing passes, and one more. */
    void interrupt(LeakState state, Runnable change) {
        probes.reset();
        whileSending(change);
        probes.resetArrivals();
        probes.volley();
        conclude(state);
    }

    private void whileSending(Runnable change) {
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> volleys = CompletableFuture.runAsync(() -> {
            do {
                probes.volley();
            } while (!over.get());
        });
        try {
            change.run();
        } finally {
            over.set(true);
            volleys.join();
        }
    }

    /** While Culvert is suspended it restores nothing; afterwards everything. */
    void frozen(LeakState state, String restored, Runnable... faults) {
        boolean routingOnly = state.kind() == LeakState.Kind.ROUTING_ONLY;
        if (routingOnly) {
            // Closes the sockets of earlier volleys: those with a mark or a link would retransmit.
            probes.narrowVolley();
        }
        culvert().ignoreEarlierOutput();
        culvert().signal("STOP");
        try {
            Stream.of(faults).forEach(Runnable::run);
            probes.reset();
            if (routingOnly) {
                probes.narrowVolley();
            } else {
                probes.volley();
            }
            conclude(state);
        } finally {
            culvert().signal("CONT");
        }
        culvert().awaitLine(restored, ExitNodeFixture.TIMEOUT);
        awaitBothLayers();
        probes.reset();
        awaitTunnel(state, Family.values());
        if (probes.verdicts(LeakState.CONNECTED).containsValue(LeakVerdict.LEAKED)) {
            fail(state, "leaked after the recovery: " + probes.leaks());
        }
    }

    private void awaitBothLayers() {
        assertThat(fixture.run(Map.of(), "health", "--wait", "30").status()).isZero();
    }

    private void deleteLink() {
        ip("link delete wg0");
    }

    private void flushTable() {
        fixture.namespace().run("ip", "-4", "route", "flush", "table", "51820");
        fixture.namespace().run("ip", "-6", "route", "flush", "table", "51820");
    }

    void kill(String restored, String... words) {
        culvert().ignoreEarlierOutput();
        culvert().descendant(words).destroyForcibly();
        culvert().awaitLine(restored, ExitNodeFixture.TIMEOUT);
    }

    /** Dante's processes are children of one. */
    void killProxy() {
        culvert().ignoreEarlierOutput();
        ProcessHandle proxy = culvert().descendant("danted");
        for (Optional<ProcessHandle> parent = proxy.parent();
                parent.filter(LeakMatrixRun::isDante).isPresent(); ) {
            proxy = parent.orElseThrow();
            parent = proxy.parent();
        }
        proxy.destroyForcibly();
        culvert().awaitLine("restarting in", ExitNodeFixture.TIMEOUT);
    }

    private static boolean isDante(ProcessHandle process) {
        return process.info().command().orElse("").endsWith("danted");
    }

    /** Changes of the uplink and of the server. */
    void changesOfTheNetwork() {
        Provider provider = fixture.lab.provider();
        change(LeakState.UPLINK_REPLACED, this::replaceUplink);
        change(LeakState.UPLINK_DOWN_AND_UP, this::uplinkDownAndUp);
        fixture.observer.allowWireGuardTo(ROAMED, ROAMED_PORT);
        change(LeakState.SERVER_ROAMED, () -> provider.respondFrom(ROAMED, ROAMED_PORT));
        change(LeakState.SECOND_UPLINK, this::addSecondUplink);
        provider.blockTraffic();
        measure(LeakState.SERVER_SILENT);
        provider.unblockTraffic();
    }

    void stop() {
        culvert().signal("TERM");
        assertThat(culvert().awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
    }

    void replaceUplink() {
        fixture.lab.router().ip("address add 192.0.2.2/26 dev lan", "address add 2001:db8:e::2/64 dev lan nodad");
        fixture.lab.moveNode(Lab.NODE_IPV4, "192.0.2.30", "192.0.2.2");
        fixture.lab.moveNode(Lab.NODE_IPV6, "2001:db8:e::30", "2001:db8:e::2");
        probes.resetArrivals();
        List<LeakCell> local = probes.carried(Family.values()).stream()
                .filter(cell -> cell.origin() == TrafficOrigin.LOCAL)
                .toList();
        assertThat(IntStream.range(0, MAX_VOLLEYS)
                        .anyMatch(_ -> probes.awaitArrivals(local).isEmpty()))
                .as("traffic uses the tunnel from the new address")
                .isTrue();
        fixture.lab.moveNode("192.0.2.30", Lab.NODE_IPV4, Lab.ROUTER_IPV4);
        fixture.lab.moveNode("2001:db8:e::30", Lab.NODE_IPV6, Lab.ROUTER_IPV6);
    }

    void uplinkDownAndUp() {
        ip("link set eth0 down");
        fixture.namespace()
                .ip(
                        "link set eth0 up",
                        "route add default via " + Lab.ROUTER_IPV4 + " dev eth0",
                        "address replace " + Lab.NODE_IPV6 + "/64 dev eth0 nodad",
                        "route replace default via " + Lab.ROUTER_IPV6 + " dev eth0");
    }

    void addSecondUplink() {
        Provider provider = fixture.lab.provider();
        // WireGuard follows the node to its new address, which the client must not look for in its own tunnel.
        fixture.lab.client().namespace().ip("route add 192.0.2.128/26 via 192.0.2.65");
        Observer second = fixture.lab
                .addSecondUplink()
                .allowMesh()
                .allowWireGuardTo(provider.publicIpv4(), Provider.PORT)
                .allowWireGuardTo(ROAMED, ROAMED_PORT)
                .allowWireGuardTo(fixture.lab.provider(1).publicIpv4(), Provider.PORT);
        probes.observe(allowProxy(second));
    }

    private void deleteTables() {
        fixture.namespace().nft("delete table inet culvert; delete table arp culvert");
    }

    /** Those of others, such as Tailscale's, stay. */
    private void deleteRules() {
        for (String family : List.of("-4", "-6")) {
            fixture.namespace().run("ip", family, "rule", "flush", "protocol", "67");
        }
    }

    private void conclude(LeakState state) {
        Map<LeakCell, LeakVerdict> verdicts = probes.verdicts(state);
        matrix.add(state, verdicts);
        System.out.print(matrix.row(state));
        boolean control = state.kind() == LeakState.Kind.CONTROL;
        List<LeakCell> wrong = probes.cells().stream()
                .filter(cell -> verdicts.get(cell) != LeakVerdict.NOT_APPLICABLE
                        && control != (verdicts.get(cell) == LeakVerdict.LEAKED))
                .toList();
        if (control && !wrong.isEmpty()) {
            fail(state, "not seen: " + wrong);
        } else if (!control && (!wrong.isEmpty() || !probes.unattributed().isEmpty())) {
            fail(state, "leaked: " + wrong + " " + probes.leaks());
        }
    }

    private void fail(LeakState state, String failure) {
        System.out.println(state + ": " + failure);
        failures.merge(state, failure, (one, other) -> one + "\n" + other);
    }

    @Override
    public void close() {
        probes.close();
    }
}
