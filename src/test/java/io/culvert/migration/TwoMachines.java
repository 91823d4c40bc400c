package io.culvert.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.device.DeviceConfig;
import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.device.KeptDevice;
import io.culvert.device.UserspaceProgram;
import io.culvert.device.WireGuardDevices;
import io.culvert.device.WireGuardDevices.Choice;
import io.culvert.ip.Prefix;
import io.culvert.lab.MeshLab;
import io.culvert.lab.Namespace;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.SecretKey;
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
    private static final Duration SOON = Duration.ofSeconds(60);

    private final MeshLab lab = new MeshLab(3);
    private final Side a = new Side(0);
    private final Side b = new Side(1);

    /** Creates two machines that have a session. */
    public TwoMachines() {
        this(true);
    }

    private TwoMachines(boolean met) {
        try {
            a.up(b, Optional.of(met ? b.places().getLast() : nowhere()), 25);
            b.up(a, Optional.of(a.places().getLast()).filter(_ -> met), met ? 25 : 0);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Creates two machines without a session: one has a wrong endpoint for the other, which has none. */
    static TwoMachines strangers() {
        return new TwoMachines(/* met= */ false);
    }

    /** Returns an endpoint at the third machine, where no peer listens. */
    static InetSocketAddress nowhere() {
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

    /** A machine with its device. */
    public final class Side {

        private final int number;
        private final Namespace space;
        private final SecretKey key = Keys.generatePrivate();
        private final List<String> news = new ArrayList<>();
        private final String link = "mg" + ThreadLocalRandom.current().nextInt(1_000_000);
        private Optional<KeptDevice> device = Optional.empty();
        private Optional<Migration> migration = Optional.empty();

        Side(int number) {
            this.number = number;
            this.space = lab.node(number);
        }

        public int number() {
            return number;
        }

        public Namespace space() {
            return space;
        }

        /** Returns its address in the tunnel. */
        public String inner() {
            return "10.42.0." + (number + 1);
        }

        private List<InetSocketAddress> places() {
            return List.of(
                    new InetSocketAddress(MeshLab.lan4(number), PORT),
                    new InetSocketAddress(MeshLab.public4(number), PORT));
        }

        private void up(Side peer, Optional<InetSocketAddress> endpoint, int keepalive) throws Exception {
            device = Optional.of(space.call(() -> {
                WireGuardDevices devices = WireGuardDevices.lasting(
                        Choice.AUTO,
                        UserspaceProgram.usual(List.of(Path.of(".cache/bin").toAbsolutePath()), "64MiB"),
                        "culvert test");
                KeptDevice made = devices.kept(link);
                made.keep(new DeviceConfig(
                        key,
                        PORT,
                        0,
                        List.of(new PeerConfig(
                                Keys.publicOf(peer.key),
                                Optional.empty(),
                                endpoint,
                                keepalive,
                                List.of(Prefix.parse(peer.inner()))))));
                return made;
            }));
            space.ip("address add " + inner() + "/24 dev " + link, "link set " + link + " up mtu 1420");
        }

        /** Starts endpoint selection for the other machine. */
        public void migrate(Side peer) throws Exception {
            migrate(peer, peer.places());
        }

        void migrate(Side peer, List<InetSocketAddress> places) throws Exception {
            migration =
                    Optional.of(space.call(() -> Migration.start(device.orElseThrow(), 0, Clock.systemUTC(), line -> {
                        synchronized (news) {
                            news.add(line);
                            news.notifyAll();
                        }
                    })));
            migration
                    .get()
                    .follow(List.of(new MovingPeer(
                            Keys.publicOf(peer.key), "peer", places, List.of(Prefix.parseAddress(peer.inner())))));
        }

        /** Waits for a log line, and removes it. */
        public void awaitNews(String part) {
            long deadline = System.nanoTime() + SOON.toNanos();
            synchronized (news) {
                while (news.stream().noneMatch(line -> line.contains(part))) {
                    long left = (deadline - System.nanoTime()) / 1_000_000;
                    assertThat(left).as("no '" + part + "' in " + news).isPositive();
                    try {
                        news.wait(left);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }
                news.removeIf(line -> line.contains(part));
            }
        }

        /** Returns the log lines that were not waited for. */
        public List<String> news() {
            synchronized (news) {
                return List.copyOf(news);
            }
        }

        /** Returns the endpoint of the other machine. */
        public InetSocketAddress endpoint() throws Exception {
            return space.call(() -> device.orElseThrow().read().orElseThrow().peers().stream()
                    .flatMap((PeerState peer) -> peer.endpoint().stream())
                    .findFirst()
                    .orElseThrow());
        }

        private void down() throws Exception {
            migration.ifPresent(Migration::close);
            if (device.isPresent()) {
                space.call(() -> {
                    device.get().remove();
                    return true;
                });
            }
        }

        Collection<Standing> standings() {
            return migration.map(it -> it.standings().values()).orElse(List.of());
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
