// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import io.culvert.lab.NamespaceTest;
import io.culvert.linux.TestNamespace;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import io.culvert.wireguard.device.DeviceState.PeerState;
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
import org.junit.jupiter.api.Test;

/** The behaviour that every implementation of a WireGuard device must have. */
@NamespaceTest
abstract class WireGuardDeviceContract {

    private static final int TIMEOUT_MILLIS = 20_000;

    private final SecretKey ownKey = KeyGenerator.generatePrivate();
    private final SecretKey otherKey = KeyGenerator.generatePrivate();

    /** Sockets of userspace devices are in one directory for all namespaces, so names must differ. */
    private final String name = "cv" + ThreadLocalRandom.current().nextInt(1_000_000);

    private final List<WireGuardDevice> devices = new ArrayList<>();
    private TestNamespace namespace;

    /** Creates a device in the calling thread's network namespace. */
    abstract WireGuardDevice create(String name);

    @BeforeEach
    void create_namespace() throws Exception {
        namespace = new TestNamespace();
    }

    @AfterEach
    void remove_devices() throws Exception {
        namespace.step(() -> devices.forEach(WireGuardDevice::remove));
        namespace.close();
    }

    @Test
    void a_new_device_is_unconfigured() throws Exception {
        namespace.step(() -> {
            DeviceState state = device(name).read();

            assertThat(state.publicKey()).isEmpty();
            assertThat(state.mark()).isZero();
            assertThat(state.peers()).isEmpty();
        });
    }

    @Test
    void a_configuration_can_be_read_back() throws Exception {
        PeerConfig first = new PeerConfig(
                KeyGenerator.publicOf(otherKey),
                Optional.of(KeyGenerator.generatePreshared()),
                Optional.of(new InetSocketAddress("203.0.113.9", 51820)),
                25,
                prefixes("0.0.0.0/0", "::/0"));
        PeerConfig second = new PeerConfig(
                KeyGenerator.publicOf(KeyGenerator.generatePrivate()),
                Optional.empty(),
                Optional.of(new InetSocketAddress("2001:db8::9", 443)),
                0,
                prefixes("10.1.0.0/16", "fd00:1::/64"));
        namespace.step(() -> {
            WireGuardDevice device = device(name);
            device.configure(new DeviceConfig(ownKey, 51820, 0x51000000L, List.of(first, second)));
            DeviceState state = device.read();

            assertThat(state.publicKey()).contains(KeyGenerator.publicOf(ownKey));
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
    void configuring_again_changes_nothing_and_unlisted_peers_are_removed() throws Exception {
        PeerConfig keptPeer = peer(KeyGenerator.publicOf(otherKey), Optional.empty(), "10.1.0.0/16");
        PeerConfig removedPeer = new PeerConfig(
                KeyGenerator.publicOf(KeyGenerator.generatePrivate()),
                Optional.of(KeyGenerator.generatePreshared()),
                Optional.empty(),
                5,
                prefixes("10.2.0.0/16"));
        namespace.step(() -> {
            WireGuardDevice device = device(name);
            device.configure(new DeviceConfig(ownKey, 0, 7, List.of(keptPeer, removedPeer)));
            DeviceState before = device.read();
            device.configure(new DeviceConfig(ownKey, 0, 7, List.of(keptPeer, removedPeer)));
            assertThat(device.read())
                    .usingRecursiveComparison()
                    .ignoringCollectionOrder()
                    .isEqualTo(before);

            device.configure(new DeviceConfig(ownKey, 0, 0, List.of(keptPeer)));
            assertThat(device.read().mark()).isZero();
            assertThat(device.read().peers()).extracting(PeerState::publicKey).containsExactly(keptPeer.publicKey());
        });
    }

    @Test
    void a_prefix_moves_to_another_peer_and_a_preshared_key_is_removed() throws Exception {
        PublicKey one = KeyGenerator.publicOf(KeyGenerator.generatePrivate());
        PublicKey other = KeyGenerator.publicOf(KeyGenerator.generatePrivate());
        namespace.step(() -> {
            WireGuardDevice device = device(name);
            PeerConfig keyed = new PeerConfig(
                    one, Optional.of(KeyGenerator.generatePreshared()), Optional.empty(), 0, prefixes("10.1.0.0/16"));
            device.configure(
                    new DeviceConfig(ownKey, 0, 0, List.of(keyed, peer(other, Optional.empty(), "10.2.0.0/16"))));
            device.configure(new DeviceConfig(
                    ownKey,
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
    void a_hundred_peers_with_thousands_of_allowed_ips_are_configured() throws Exception {
        List<PeerConfig> peers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            List<Prefix> prefixes = new ArrayList<>();
            for (int j = 0; j < (i == 50 ? 1000 : 10); j++) {
                prefixes.add(Prefix.parse("10." + i + "." + j / 250 + "." + j % 250 + "/32"));
            }
            peers.add(new PeerConfig(
                    KeyGenerator.publicOf(KeyGenerator.generatePrivate()),
                    Optional.empty(),
                    Optional.empty(),
                    0,
                    prefixes));
        }
        namespace.step(() -> {
            WireGuardDevice device = device(name);
            device.configure(new DeviceConfig(ownKey, 0, 0, peers));
            DeviceState state = device.read();

            assertThat(state.peers()).hasSize(100);
            for (PeerConfig peer : peers) {
                assertThat(peer(state, peer.publicKey()).allowedIps())
                        .containsExactlyInAnyOrderElementsOf(peer.allowedIps());
            }
        });
    }

    @Test
    void two_devices_exchange_packets_and_a_new_configuration_keeps_their_session() throws Exception {
        try (TestNamespace remoteNamespace = new TestNamespace()) {
            connect(remoteNamespace);
            WireGuardDevice remote =
                    remoteNamespace.inside(() -> up(name + "b", "10.99.0.2", otherKey, Optional.empty(), ownKey));
            try {
                namespace.step(() -> {
                    WireGuardDevice local = up(
                            name,
                            "10.99.0.1",
                            ownKey,
                            Optional.of(new InetSocketAddress("203.0.113.2", 51820)),
                            otherKey);
                    exchangeDatagram(remoteNamespace);
                    PeerState before = peer(local.read(), KeyGenerator.publicOf(otherKey));
                    assertThat(before.lastHandshake()).isPresent();
                    assertThat(before.sentBytes()).isPositive();

                    PeerConfig same = peer(KeyGenerator.publicOf(otherKey), before.endpoint(), "10.99.0.2/32");
                    PeerConfig added = peer(
                            KeyGenerator.publicOf(KeyGenerator.generatePrivate()), Optional.empty(), "10.5.0.0/16");
                    local.configure(new DeviceConfig(ownKey, 0, 0, List.of(same, added)));
                    exchangeDatagram(remoteNamespace);
                    assertThat(peer(local.read(), KeyGenerator.publicOf(otherKey))
                                    .lastHandshake())
                            .isEqualTo(before.lastHandshake());
                });
            } finally {
                remoteNamespace.step(remote::remove);
            }
        }
    }

    @Test
    void after_an_endpoint_change_a_packet_of_the_same_session_is_sent_at_once() throws Exception {
        try (TestNamespace remoteNamespace = new TestNamespace()) {
            connect(remoteNamespace);
            WireGuardDevice remote =
                    remoteNamespace.inside(() -> up(name + "b", "10.99.0.2", otherKey, Optional.empty(), ownKey));
            try (DatagramSocket otherSocket =
                    remoteNamespace.inside(() -> new DatagramSocket(new InetSocketAddress("203.0.113.3", 4000)))) {
                otherSocket.setSoTimeout(TIMEOUT_MILLIS);
                namespace.step(() -> {
                    WireGuardDevice local = up(
                            name,
                            "10.99.0.1",
                            ownKey,
                            Optional.of(new InetSocketAddress("203.0.113.2", 51820)),
                            otherKey);
                    exchangeDatagram(remoteNamespace);
                    local.setEndpoint(KeyGenerator.publicOf(otherKey), new InetSocketAddress("203.0.113.3", 4000));
                    DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
                    otherSocket.receive(packet);

                    // Data of type 4 (transport), not a handshake.
                    assertThat(Arrays.copyOf(packet.getData(), 4)).containsExactly(4, 0, 0, 0);
                    PeerState moved = peer(local.read(), KeyGenerator.publicOf(otherKey));
                    assertThat(moved.endpoint()).contains(new InetSocketAddress("203.0.113.3", 4000));
                    assertThat(moved.keepaliveSeconds()).isZero();
                });
            } finally {
                remoteNamespace.step(remote::remove);
            }
        }
    }

    @Test
    void the_endpoint_of_an_unknown_peer_cannot_be_set() throws Exception {
        namespace.step(() -> {
            WireGuardDevice device = device(name);
            PublicKey unknownPeer = KeyGenerator.publicOf(otherKey);

            assertThatThrownBy(() -> device.setEndpoint(unknownPeer, new InetSocketAddress("203.0.113.3", 4000)))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("peer " + unknownPeer.shortText() + " not found");
            assertThat(device.read().peers()).isEmpty();
        });
    }

    @Test
    void a_peer_with_the_devices_own_key_is_rejected_before_anything_is_changed() throws Exception {
        namespace.step(() -> {
            WireGuardDevice device = device(name);

            assertThatThrownBy(() -> device.configure(new DeviceConfig(
                            ownKey,
                            0,
                            0,
                            List.of(peer(KeyGenerator.publicOf(ownKey), Optional.empty(), "10.0.0.0/8")))))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("this device's own public key");
            assertThat(device.read().publicKey()).isEmpty();
        });
    }

    @Test
    void a_port_that_is_in_use_is_reported() throws Exception {
        namespace.step(() -> {
            WireGuardDevice device = device(name);
            sh("ip link set " + name + " up");
            try (DatagramSocket taken = new DatagramSocket()) {
                assertThatThrownBy(() -> device.configure(new DeviceConfig(ownKey, taken.getLocalPort(), 0, List.of())))
                        .isInstanceOf(ProblemException.class)
                        .hasMessageContaining("UDP port is already in use");
            }
        });
    }

    @Test
    void an_existing_device_is_adopted_with_its_configuration() throws Exception {
        namespace.step(() -> {
            device(name).configure(new DeviceConfig(ownKey, 0, 7, List.of()));

            assertThat(create(name).read().publicKey()).contains(KeyGenerator.publicOf(ownKey));
            assertThat(sh("ip -d link show " + name)).contains("alias culvert");
        });
    }

    @Test
    void a_configured_foreign_device_is_not_changed() throws Exception {
        namespace.step(() -> {
            device(name).configure(new DeviceConfig(ownKey, 0, 7, List.of()));
            sh("ip link set " + name + " alias theirs");

            assertThatThrownBy(() -> create(name))
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("it is not Culvert's");
            assertThat(sh("ip -o link")).contains(name);
        });
    }

    @Test
    void removing_a_device_is_complete_and_idempotent() throws Exception {
        namespace.step(() -> {
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
    private void connect(TestNamespace remoteNamespace) throws Exception {
        namespace.step(() -> {
            sh("ip link add cable type veth peer name cable netns " + remoteNamespace.name());
            sh("ip addr add 203.0.113.1/24 dev cable");
            sh("ip link set cable up");
        });
        remoteNamespace.step(() -> {
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
                key,
                endpoint.isPresent() ? 0 : 51820,
                0,
                List.of(peer(KeyGenerator.publicOf(other), endpoint, farAddress))));
        sh("ip addr add " + address + "/24 dev " + interfaceName);
        sh("ip link set " + interfaceName + " up");
        return device;
    }

    /** Sends a datagram from the calling thread's namespace through the tunnel and back. */
    private static void exchangeDatagram(TestNamespace remoteNamespace) throws Exception {
        try (DatagramSocket remote =
                        remoteNamespace.inside(() -> new DatagramSocket(new InetSocketAddress("10.99.0.2", 7)));
                DatagramSocket local = new DatagramSocket(new InetSocketAddress("10.99.0.1", 0))) {
            remote.setSoTimeout(TIMEOUT_MILLIS);
            local.setSoTimeout(TIMEOUT_MILLIS);
            local.send(new DatagramPacket(new byte[] {1}, 1, new InetSocketAddress("10.99.0.2", 7)));
            DatagramPacket packet = new DatagramPacket(new byte[10], 10);
            remote.receive(packet);
            remote.send(packet);
            local.receive(packet);
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
