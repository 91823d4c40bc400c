// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.MeshLab;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.device.DeviceConfig;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.ImplementationChoice;
import io.culvert.wireguard.device.ManagedDevice;
import io.culvert.wireguard.device.UserspaceProgram;
import io.culvert.wireguard.device.WireGuardDevices;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** Two machines with a tunnel through a router; a third one has addresses that belong to neither. */
public final class TwoMachines implements AutoCloseable {

    static final int PORT = 51820;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final MeshLab lab = new MeshLab(3);
    private final Side a = new Side(0);
    private final Side b = new Side(1);

    /** Creates two machines that have a session. */
    public TwoMachines() {
        this(true);
    }

    private TwoMachines(boolean hasSession) {
        try {
            a.up(b, Optional.of(hasSession ? b.candidates().getLast() : unusedEndpoint()), 25);
            b.up(a, Optional.of(a.candidates().getLast()).filter(_ -> hasSession), hasSession ? 25 : 0);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Creates two machines without a session: one has a wrong endpoint for the other, which has none. */
    static TwoMachines withoutSession() {
        return new TwoMachines(/* hasSession= */ false);
    }

    /** Returns an endpoint at the third machine, where no peer listens. */
    static InetSocketAddress unusedEndpoint() {
        return new InetSocketAddress(MeshLab.public4(2), PORT);
    }

    public MeshLab lab() {
        return lab;
    }

    public Side a() {
        return a;
    }

    public Side b() {
        return b;
    }

    /** Adds the lines of a log to a list, and notifies the threads that wait for them. */
    private static final class LogLines extends StringWriter {

        private final List<String> lines;

        LogLines(List<String> lines) {
            this.lines = lines;
        }

        @Override
        public void flush() {
            synchronized (lines) {
                toString().lines().forEach(lines::add);
                getBuffer().setLength(0);
                lines.notifyAll();
            }
        }
    }

    /** A machine with its device. */
    public final class Side {

        private final int number;
        private final LabNamespace namespace;
        private final SecretKey key = KeyGenerator.generatePrivate();
        private final List<String> log = new ArrayList<>();
        private final String link = "mg" + ThreadLocalRandom.current().nextInt(1_000_000);
        private Optional<ManagedDevice> device = Optional.empty();
        private Optional<EndpointSelector> endpointSelector = Optional.empty();

        Side(int number) {
            this.number = number;
            this.namespace = lab.node(number);
        }

        public int number() {
            return number;
        }

        public LabNamespace namespace() {
            return namespace;
        }

        /** Returns its address in the tunnel. */
        public String tunnelAddresses() {
            return "10.42.0." + (number + 1);
        }

        private List<InetSocketAddress> candidates() {
            return List.of(
                    new InetSocketAddress(MeshLab.lan4(number), PORT),
                    new InetSocketAddress(MeshLab.public4(number), PORT));
        }

        private void up(Side peer, Optional<InetSocketAddress> endpoint, int keepalive) throws Exception {
            device = Optional.of(namespace.call(() -> {
                WireGuardDevices devices = WireGuardDevices.detached(
                        ImplementationChoice.AUTO,
                        UserspaceProgram.withDefaults(
                                List.of(Path.of(".cache/bin").toAbsolutePath()), "64MiB"),
                        "culvert test");
                ManagedDevice created = devices.managed(link);
                created.ensure(new DeviceConfig(
                        key,
                        PORT,
                        0,
                        List.of(new PeerConfig(
                                KeyGenerator.publicOf(peer.key),
                                Optional.empty(),
                                endpoint,
                                keepalive,
                                List.of(Prefix.parse(peer.tunnelAddresses()))))));
                return created;
            }));
            namespace.ip("address add " + tunnelAddresses() + "/24 dev " + link, "link set " + link + " up mtu 1420");
        }

        /** Starts endpoint selection for the other machine. */
        public void startSelection(Side peer) throws Exception {
            startSelection(peer, peer.candidates());
        }

        void startSelection(Side peer, List<InetSocketAddress> candidates) throws Exception {
            endpointSelector = Optional.of(namespace.call(() -> EndpointSelector.start(
                    device.orElseThrow(), 0, Clock.systemUTC(), new Log(new PrintWriter(new LogLines(log))))));
            endpointSelector
                    .get()
                    .setPeers(List.of(new RoamingPeer(
                            KeyGenerator.publicOf(peer.key),
                            "peer",
                            candidates,
                            List.of(Prefix.parseAddress(peer.tunnelAddresses())))));
        }

        /** Waits for a log line, and removes it. */
        public void awaitLog(String part) {
            long deadline = System.nanoTime() + TIMEOUT.toNanos();
            synchronized (log) {
                while (log.stream().noneMatch(line -> line.contains(part))) {
                    long remainingMillis = (deadline - System.nanoTime()) / 1_000_000;
                    assertThat(remainingMillis)
                            .as("no '" + part + "' in " + log)
                            .isPositive();
                    try {
                        log.wait(remainingMillis);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }
                log.removeIf(line -> line.contains(part));
            }
        }

        /** Returns the log lines that were not waited for. */
        public List<String> log() {
            synchronized (log) {
                return List.copyOf(log);
            }
        }

        /** Returns the endpoint of the other machine. */
        public InetSocketAddress endpoint() throws Exception {
            return namespace.call(() -> device.orElseThrow().read().orElseThrow().peers().stream()
                    .flatMap((PeerState peer) -> peer.endpoint().stream())
                    .findFirst()
                    .orElseThrow());
        }

        private void down() throws Exception {
            endpointSelector.ifPresent(EndpointSelector::close);
            if (device.isPresent()) {
                namespace.call(() -> {
                    device.get().remove();
                    return true;
                });
            }
        }

        Collection<PeerStatus> statuses() {
            return endpointSelector.map(it -> it.statuses().values()).orElse(List.of());
        }
    }

    @Override
    public void close() {
        try {
            a.down();
            b.down();
        } catch (Exception e) {
            throw new AssertionError(e);
        } finally {
            lab.close();
        }
    }
}
