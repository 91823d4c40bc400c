package io.culvert.device;

import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.ip.Prefix;
import io.culvert.linux.TestNamespace;
import io.culvert.problem.ProblemException;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.SecretKey;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The behaviour that every implementation of a WireGuard device must have. */
@Tag("lab")
@DisplayNameGeneration(ReplaceUnderscores.class)
abstract class WireGuardDeviceContract {

    private static final int PATIENCE_MILLIS = 20_000;

    private final SecretKey ours = Keys.generatePrivate();
    private final SecretKey theirs = Keys.generatePrivate();

    /** Sockets of userspace devices are in one directory for all namespaces, so names must differ. */
    private final String name = "cv" + ThreadLocalRandom.current().nextInt(1_000_000);

    private final List<WireGuardDevice> devices = new ArrayList<>();
    private TestNamespace here;

    /** Creates a device in the calling thread's network namespace. */
    abstract WireGuardDevice create(String name);

    @BeforeEach
    void make_a_namespace() throws Exception {
        here = new TestNamespace();
    }

    @AfterEach
    void remove_all() throws Exception {
        here.step(() -> devices.forEach(WireGuardDevice::remove));
        here.close();
    }

    @Test
    void a_new_device_is_blank() throws Exception {
        here.step(() -> {
            DeviceState state = device(name).read();

            assertThat(state.publicKey()).isEmpty();
            assertThat(state.mark()).isZero();
            assertThat(state.peers()).isEmpty();
        });
    }

    @Test
    void what_is_configured_can_be_read_back() throws Exception {
        PeerConfig first = new PeerConfig(
                Keys.publicOf(theirs),
                Optional.of(Keys.generatePreshared()),
                Optional.of(new InetSocketAddress("203.0.113.9", 51820)),
                25,
                prefixes("0.0.0.0/0", "::/0"));
        PeerConfig second = new PeerConfig(
                Keys.publicOf(Keys.generatePrivate()),
                Optional.empty(),
                Optional.of(new InetSocketAddress("2001:db8::9", 443)),
                0,
                prefixes("10.1.0.0/16", "fd00:1::/64"));
        here.step(() -> {
            WireGuardDevice device = device(name);
            device.configure(new DeviceConfig(ours, 51820, 0x51000000L, List.of(first, second)));
            DeviceState state = device.read();

            assertThat(state.publicKey()).contains(Keys.publicOf(ours));
            assertThat(state.listenPort()).isEqualTo(51820);
            assertThat(state.mark()).isEqualTo(0x51000000L);
            assertThat(state.peers()).hasSize(2);
            for (PeerConfig peer : List.of(first, second)) {
                PeerState read = peer(state, peer.publicKey());
                assertThat(read.presharedKey()).isEqualTo(peer.presharedKey().isPresent());
                assertThat(read.endpoint()).isEqualTo(peer.endpoint());
                assertThat(read.keepaliveSeconds()).isEqualTo(peer.keepaliveSeconds());
                assertThat(read.allowedIps()).containsExactlyInAnyOrderElementsOf(peer.allowedIps());
                assertThat(read.lastHandshake()).isEmpty();
            }
        });
    }

    @Test
    void configuring_again_changes_nothing_and_configuring_less_takes_away() throws Exception {
        PeerConfig stays = peer(Keys.publicOf(theirs), Optional.empty(), "10.1.0.0/16");
        PeerConfig goes = new PeerConfig(
                Keys.publicOf(Keys.generatePrivate()),
                Optional.of(Keys.generatePreshared()),
                Optional.empty(),
                5,
                prefixes("10.2.0.0/16"));
        here.step(() -> {
            WireGuardDevice device = device(name);
            device.configure(new DeviceConfig(ours, 0, 7, List.of(stays, goes)));
            DeviceState before = device.read();
            device.configure(new DeviceConfig(ours, 0, 7, List.of(stays, goes)));
            assertThat(device.read())
                    .usingRecursiveComparison()
                    .ignoringCollectionOrder()
                    .isEqualTo(before);

            device.configure(new DeviceConfig(ours, 0, 0, List.of(stays)));
            assertThat(device.read().mark()).isZero();
            assertThat(device.read().peers()).extracting(PeerState::publicKey).containsExactly(stays.publicKey());
        });
    }

    @Test
    void a_prefix_moves_from_one_peer_to_another_and_a_preshared_key_goes() throws Exception {
        PublicKey one = Keys.publicOf(Keys.generatePrivate());
        PublicKey other = Keys.publicOf(Keys.generatePrivate());
        here.step(() -> {
            WireGuardDevice device = device(name);
            PeerConfig keyed = new PeerConfig(
                    one, Optional.of(Keys.generatePreshared()), Optional.empty(), 0, prefixes("10.1.0.0/16"));
            device.configure(
                    new DeviceConfig(ours, 0, 0, List.of(keyed, peer(other, Optional.empty(), "10.2.0.0/16"))));
            device.configure(new DeviceConfig(
                    ours,
                    0,
                    0,
                    List.of(peer(one, Optional.empty(), "10.2.0.0/16"), peer(other, Optional.empty(), "10.1.0.0/16"))));
            DeviceState state = device.read();

            assertThat(peer(state, one).allowedIps()).isEqualTo(prefixes("10.2.0.0/16"));
            assertThat(peer(state, other).allowedIps()).isEqualTo(prefixes("10.1.0.0/16"));
            assertThat(peer(state, one).presharedKey()).isFalse();
        });
    }

    @Test
    void hundreds_of_peers_with_thousands_of_allowed_ips_are_all_there() throws Exception {
        List<PeerConfig> peers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            List<Prefix> prefixes = new ArrayList<>();
            for (int j = 0; j < (i == 50 ? 1000 : 10); j++) {
                prefixes.add(Prefix.parse("10." + i + "." + j / 250 + "." + j % 250 + "/32"));
            }
            peers.add(new PeerConfig(
                    Keys.publicOf(Keys.generatePrivate()), Optional.empty(), Optional.empty(), 0, prefixes));
        }
        here.step(() -> {
            WireGuardDevice device = device(name);
            device.configure(new DeviceConfig(ours, 0, 0, peers));
            DeviceState state = device.read();

            assertThat(state.peers()).hasSize(100);
            for (PeerConfig peer : peers) {
                assertThat(peer(state, peer.publicKey()).allowedIps())
                        .containsExactlyInAnyOrderElementsOf(peer.allowedIps());
            }
        });
    }

    @Test
    void two_devices_talk_and_a_new_configuration_keeps_their_session() throws Exception {
        try (TestNamespace there = new TestNamespace()) {
            connect(there);
            WireGuardDevice far = there.inside(() -> up(name + "b", "10.99.0.2", theirs, Optional.empty(), ours));
            try {
                here.step(() -> {
                    WireGuardDevice near = up(
                            name, "10.99.0.1", ours, Optional.of(new InetSocketAddress("203.0.113.2", 51820)), theirs);
                    exchangeDatagram(there);
                    PeerState before = peer(near.read(), Keys.publicOf(theirs));
                    assertThat(before.lastHandshake()).isPresent();
                    assertThat(before.sentBytes()).isPositive();

                    PeerConfig same = peer(Keys.publicOf(theirs), before.endpoint(), "10.99.0.2/32");
                    PeerConfig added = peer(Keys.publicOf(Keys.generatePrivate()), Optional.empty(), "10.5.0.0/16");
                    near.configure(new DeviceConfig(ours, 0, 0, List.of(same, added)));
                    exchangeDatagram(there);
                    assertThat(peer(near.read(), Keys.publicOf(theirs)).lastHandshake())
                            .isEqualTo(before.lastHandshake());
                });
            } finally {
                there.step(far::remove);
            }
        }
    }

    @Test
    void a_moved_peer_is_sent_a_packet_of_the_same_session_at_once() throws Exception {
        try (TestNamespace there = new TestNamespace()) {
            connect(there);
            WireGuardDevice far = there.inside(() -> up(name + "b", "10.99.0.2", theirs, Optional.empty(), ours));
            try (DatagramSocket elsewhere =
                    there.inside(() -> new DatagramSocket(new InetSocketAddress("203.0.113.3", 4000)))) {
                elsewhere.setSoTimeout(PATIENCE_MILLIS);
                here.step(() -> {
                    WireGuardDevice near = up(
                            name, "10.99.0.1", ours, Optional.of(new InetSocketAddress("203.0.113.2", 51820)), theirs);
                    exchangeDatagram(there);
                    near.moveEndpoint(Keys.publicOf(theirs), new InetSocketAddress("203.0.113.3", 4000));
                    DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
                    elsewhere.receive(packet);

                    // Data of type 4 (transport), not a handshake.
                    assertThat(Arrays.copyOf(packet.getData(), 4)).containsExactly(4, 0, 0, 0);
                    PeerState moved = peer(near.read(), Keys.publicOf(theirs));
                    assertThat(moved.endpoint()).contains(new InetSocketAddress("203.0.113.3", 4000));
                    assertThat(moved.keepaliveSeconds()).isZero();
                });
            } finally {
                there.step(far::remove);
            }
        }
    }

    @Test
    void a_peer_that_is_not_there_cannot_be_moved() throws Exception {
        here.step(() -> {
            WireGuardDevice device = device(name);
            PublicKey nobody = Keys.publicOf(theirs);

            assertThatThrownBy(() -> device.moveEndpoint(nobody, new InetSocketAddress("203.0.113.3", 4000)))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("peer " + nobody.shortText() + " not found");
            assertThat(device.read().peers()).isEmpty();
        });
    }

    @Test
    void a_peer_with_the_devices_own_key_is_refused_before_anything_is_told() throws Exception {
        here.step(() -> {
            WireGuardDevice device = device(name);

            assertThatThrownBy(() -> device.configure(new DeviceConfig(
                            ours, 0, 0, List.of(peer(Keys.publicOf(ours), Optional.empty(), "10.0.0.0/8")))))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("this device's own public key");
            assertThat(device.read().publicKey()).isEmpty();
        });
    }

    @Test
    void a_port_that_is_taken_is_told_as_such() throws Exception {
        here.step(() -> {
            WireGuardDevice device = device(name);
            sh("ip link set " + name + " up");
            try (DatagramSocket taken = new DatagramSocket()) {
                assertThatThrownBy(() -> device.configure(new DeviceConfig(ours, taken.getLocalPort(), 0, List.of())))
                        .isInstanceOf(ProblemException.class)
                        .hasMessageContaining("UDP port is already in use");
            }
        });
    }

    @Test
    void one_that_is_there_already_is_taken_over_as_it_is() throws Exception {
        here.step(() -> {
            device(name).configure(new DeviceConfig(ours, 0, 7, List.of()));

            assertThat(create(name).read().publicKey()).contains(Keys.publicOf(ours));
            assertThat(sh("ip -d link show " + name)).contains("alias culvert");
        });
    }

    @Test
    void a_configured_one_of_someone_else_is_left_alone() throws Exception {
        here.step(() -> {
            device(name).configure(new DeviceConfig(ours, 0, 7, List.of()));
            sh("ip link set " + name + " alias theirs");

            assertThatThrownBy(() -> create(name))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("it is not Culvert's");
            assertThat(sh("ip -o link")).contains(name);
        });
    }

    @Test
    void a_removed_device_leaves_nothing_and_may_be_removed_again() throws Exception {
        here.step(() -> {
            WireGuardDevice device = device(name);
            device.remove();

            assertThat(sh("ip -o link")).doesNotContain(name);
            device.remove();
        });
    }

    private WireGuardDevice device(String interfaceName) {
        WireGuardDevice device = create(interfaceName);
        devices.add(device);
        return device;
    }

    /** Connects the two sides: 203.0.113.1 here, 203.0.113.2 and .3 there. */
    private void connect(TestNamespace there) throws Exception {
        here.step(() -> {
            sh("ip link add cable type veth peer name cable netns " + there.name());
            sh("ip addr add 203.0.113.1/24 dev cable");
            sh("ip link set cable up");
        });
        there.step(() -> {
            sh("ip addr add 203.0.113.2/24 dev cable");
            sh("ip addr add 203.0.113.3/24 dev cable");
            sh("ip link set cable up");
        });
    }

    /** Creates a device in the calling thread's namespace with one peer, which has the other address of the tunnel. */
    private WireGuardDevice up(
            String interfaceName, String address, SecretKey key, Optional<InetSocketAddress> endpoint, SecretKey other)
            throws Exception {
        WireGuardDevice device = endpoint.isPresent() ? device(interfaceName) : create(interfaceName);
        String farAddress = address.equals("10.99.0.1") ? "10.99.0.2/32" : "10.99.0.1/32";
        device.configure(new DeviceConfig(
                key, endpoint.isPresent() ? 0 : 51820, 0, List.of(peer(Keys.publicOf(other), endpoint, farAddress))));
        sh("ip addr add " + address + "/24 dev " + interfaceName);
        sh("ip link set " + interfaceName + " up");
        return device;
    }

    /** Sends a datagram from the calling thread's namespace through the tunnel and back. */
    private static void exchangeDatagram(TestNamespace there) throws Exception {
        try (DatagramSocket far = there.inside(() -> new DatagramSocket(new InetSocketAddress("10.99.0.2", 7)));
                DatagramSocket near = new DatagramSocket(new InetSocketAddress("10.99.0.1", 0))) {
            far.setSoTimeout(PATIENCE_MILLIS);
            near.setSoTimeout(PATIENCE_MILLIS);
            near.send(new DatagramPacket(new byte[] {1}, 1, new InetSocketAddress("10.99.0.2", 7)));
            DatagramPacket packet = new DatagramPacket(new byte[10], 10);
            far.receive(packet);
            far.send(packet);
            near.receive(packet);
        }
    }

    private static PeerConfig peer(PublicKey key, Optional<InetSocketAddress> endpoint, String prefix) {
        return new PeerConfig(key, Optional.empty(), endpoint, 0, prefixes(prefix));
    }

    private static PeerState peer(DeviceState state, PublicKey key) {
        return state.peers().stream()
                .filter(peer -> peer.publicKey().equals(key))
                .findFirst()
                .orElseThrow();
    }

    private static List<Prefix> prefixes(String... texts) {
        return Arrays.stream(texts).map(Prefix::parse).toList();
    }
}
