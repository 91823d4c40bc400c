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
import io.culvert.lab.Transfer;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.network.Links;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.SecretKey;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two machines with a tunnel between them, a network that both can be plugged into, and a download that must not notice. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class MigrationTest {

    private static final int PORT = 51820;
    private static final Duration SOON = Duration.ofSeconds(60);

    private final MeshLab lab = new MeshLab(3);
    private final Side a = new Side(0);
    private final Side b = new Side(1);

    /** A machine with its device. */
    private final class Side {

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

        String inner() {
            return "10.42.0." + (number + 1);
        }

        List<InetSocketAddress> places() {
            return List.of(
                    new InetSocketAddress(MeshLab.lan4(number), PORT),
                    new InetSocketAddress(MeshLab.public4(number), PORT));
        }

        void up(Side peer) throws Exception {
            device = Optional.of(space.call(() -> {
                WireGuardDevices devices = WireGuardDevices.lasting(
                        Choice.AUTO,
                        UserspaceProgram.usual(List.of(Path.of(".cache/bin").toAbsolutePath()), "64MiB"),
                        "culvert test");
                KeptDevice made = new KeptDevice(() -> devices.create(link), name -> {
                    try (NetlinkSocket socket = KernelNetlinkSocket.route()) {
                        return new Links(socket).exists(name);
                    }
                });
                made.keep(new DeviceConfig(
                        key,
                        PORT,
                        0,
                        List.of(new PeerConfig(
                                Keys.publicOf(peer.key),
                                Optional.empty(),
                                Optional.of(peer.places().getLast()),
                                25,
                                List.of(Prefix.parse(peer.inner()))))));
                return made;
            }));
            space.ip("address add " + inner() + "/24 dev " + link, "link set " + link + " up mtu 1420");
        }

        void migrate(Side peer) throws Exception {
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
                            Keys.publicOf(peer.key),
                            "peer",
                            peer.places(),
                            List.of(Prefix.parseAddress(peer.inner())))));
        }

        /** Waits for news; what came before counts only once. */
        void awaitNews(String part) throws InterruptedException {
            long deadline = System.nanoTime() + SOON.toNanos();
            synchronized (news) {
                while (news.stream().noneMatch(line -> line.contains(part))) {
                    long left = (deadline - System.nanoTime()) / 1_000_000;
                    assertThat(left).as("no '" + part + "' in " + news).isPositive();
                    news.wait(left);
                }
                news.removeIf(line -> line.contains(part));
            }
        }

        List<String> news() {
            synchronized (news) {
                return List.copyOf(news);
            }
        }

        InetSocketAddress endpoint() throws Exception {
            return space.call(() -> device.orElseThrow().read().orElseThrow().peers().stream()
                    .flatMap((PeerState peer) -> peer.endpoint().stream())
                    .findFirst()
                    .orElseThrow());
        }

        void down() throws Exception {
            migration.ifPresent(Migration::close);
            if (device.isPresent()) {
                space.call(() -> {
                    device.get().remove();
                    return true;
                });
            }
        }
    }

    @BeforeEach
    void two_that_are_connected() throws Exception {
        a.up(b);
        b.up(a);
    }

    @AfterEach
    void close_lab() throws Exception {
        a.down();
        b.down();
        lab.close();
    }

    private String lan(Side side) {
        return MeshLab.lan4(side.number) + ":" + PORT;
    }

    private String outer(Side side) {
        return MeshLab.public4(side.number) + ":" + PORT;
    }

    @Test
    void a_network_that_appears_is_used_and_one_that_goes_is_left_and_no_byte_is_lost() throws Exception {
        a.migrate(b);
        try (Transfer download = Transfer.begin(b.space, a.space, a.inner(), 7000);
                Transfer upload = Transfer.begin(a.space, b.space, b.inner(), 7001)) {
            for (int round = 0; round < 3; round++) {
                lab.plug(1);
                lab.plug(0);
                a.awaitNews("moved to " + lan(b));
                download.awaitMore();
                upload.awaitMore();
                assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(1));
                assertThat(b.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(0));

                lab.unplug(0);
                a.awaitNews("moved to " + outer(b));
                download.awaitMore();
                upload.awaitMore();
                assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.public4(1));
                lab.unplug(1);
            }
            upload.finish();
            download.finish();
        }
        assertThat(a.news()).isEmpty();
    }

    @Test
    void somebody_else_at_the_peers_address_costs_one_visit_and_nothing_is_lost() throws Exception {
        a.migrate(b);
        try (Transfer download = Transfer.begin(b.space, a.space, a.inner(), 7000)) {
            lab.plug(lab.node(2), MeshLab.lan4(1), "liar");
            lab.plug(0);
            a.awaitNews("is not at " + lan(b));
            download.awaitMore();
            download.awaitMore();
            download.awaitMore();
            download.finish();
        }
        assertThat(a.news()).isEmpty();
        assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.public4(1));
        assertThat(a.migration.orElseThrow().standings().values())
                .allSatisfy(standing -> assertThat(standing.moves()).isZero());
    }

    @Test
    void when_the_peer_is_unplugged_what_is_sent_finds_it_elsewhere() throws Exception {
        lab.plug(1);
        lab.plug(0);
        a.migrate(b);
        try (Transfer upload = Transfer.begin(a.space, b.space, b.inner(), 7000)) {
            a.awaitNews("moved to " + lan(b));
            // Its link is there as before, only nobody is at the other end of the wire.
            lab.lan().ip("link set port1 down");
            a.awaitNews("moved to " + outer(b));
            upload.awaitMore();
            upload.finish();
        }
        assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.public4(1));
    }

    @Test
    void both_at_once_move_once_and_come_to_rest() throws Exception {
        a.migrate(b);
        b.migrate(a);
        try (Transfer download = Transfer.begin(b.space, a.space, a.inner(), 7000)) {
            lab.plug(1);
            lab.plug(0);
            while (!a.endpoint().getAddress().getHostAddress().equals(MeshLab.lan4(1))
                    || !b.endpoint().getAddress().getHostAddress().equals(MeshLab.lan4(0))) {
                download.awaitMore();
            }
            for (int i = 0; i < 10; i++) {
                download.awaitMore();
            }
            download.finish();
        }
        assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(1));
        assertThat(b.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(0));
        assertThat(a.news().size() + b.news().size())
                .as(a.news() + " " + b.news())
                .isBetween(1, 2);
    }
}
