// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.culvert.net.Prefix;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.device.DeviceChange.PeerChange;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class DeviceChangeTest {

    private static final SecretKey KEY = KeyGenerator.generatePrivate();
    private static final PublicKey PEER = KeyGenerator.publicOf(KeyGenerator.generatePrivate());
    private static final PublicKey OTHER = KeyGenerator.publicOf(KeyGenerator.generatePrivate());
    private static final InetSocketAddress SERVER = new InetSocketAddress("203.0.113.1", 51820);
    private static final InetSocketAddress OTHER_ENDPOINT = new InetSocketAddress("203.0.113.2", 51820);
    private static final DeviceState UNCONFIGURED = new DeviceState(Optional.empty(), 0, 0, List.of());

    @Test
    void the_change_of_an_unconfigured_device_contains_everything() {
        DeviceConfig config = new DeviceConfig(KEY, 51820, 7, List.of(peer(PEER, "0.0.0.0/0")));
        DeviceChange change = DeviceChange.between(config, UNCONFIGURED);

        assertThat(change.privateKey()).contains(KEY);
        assertThat(change.listenPort()).hasValue(51820);
        assertThat(change.mark()).hasValue(7);
        assertThat(change.peers()).singleElement().satisfies(peer -> {
            assertThat(peer.endpoint()).contains(SERVER);
            assertThat(peer.keepaliveSeconds()).hasValue(25);
            assertThat(peer.allowedIps()).contains(prefixes("0.0.0.0/0"));
        });
    }

    @Test
    void the_change_of_a_device_in_the_wanted_state_is_empty() {
        DeviceConfig config = new DeviceConfig(KEY, 0, 7, List.of(peer(PEER, "::/0", "0.0.0.0/0")));
        DeviceState now = state(40000, 7, state(PEER, SERVER, 25, "0.0.0.0/0", "::/0"));

        assertThat(DeviceChange.between(config, now).isEmpty()).isTrue();
        assertThat(DeviceChange.remaining(config, now)).isEmpty();
    }

    @Test
    void the_change_of_a_peer_contains_only_the_differences() {
        DeviceConfig config = new DeviceConfig(KEY, 0, 7, List.of(peer(PEER, "0.0.0.0/0")));
        DeviceState now = state(40000, 7, state(PEER, OTHER_ENDPOINT, 25, "0.0.0.0/0"));

        assertThat(DeviceChange.between(config, now))
                .isEqualTo(new DeviceChange(
                        Optional.empty(),
                        OptionalInt.empty(),
                        OptionalLong.empty(),
                        List.of(new PeerChange(
                                PEER,
                                false,
                                false,
                                Optional.empty(),
                                Optional.of(SERVER),
                                OptionalInt.empty(),
                                Optional.empty()))));
        // The server may have roamed between the change and the read-back.
        assertThat(DeviceChange.remaining(config, now)).isEmpty();
    }

    @Test
    void unwanted_peers_are_removed_first() {
        DeviceConfig config = new DeviceConfig(KEY, 0, 7, List.of(peer(OTHER, "0.0.0.0/0")));
        DeviceState now = state(40000, 7, state(PEER, SERVER, 25, "0.0.0.0/0"));

        assertThat(DeviceChange.between(config, now).peers())
                .extracting(PeerChange::publicKey, PeerChange::remove)
                .containsExactly(tuple(PEER, true), tuple(OTHER, false));
        assertThat(DeviceChange.remaining(config, now))
                .containsExactly("peer " + PEER.shortText(), "peer " + OTHER.shortText());
    }

    @Test
    void a_prefix_of_two_peers_is_assigned_to_the_last() {
        DeviceConfig config = new DeviceConfig(
                KEY, 0, 0, List.of(peer(PEER, "10.0.0.0/8", "0.0.0.0/0"), peer(OTHER, "10.0.0.0/8", "10.0.0.0/8")));

        assertThat(DeviceChange.between(config, UNCONFIGURED).peers())
                .extracting(peer -> peer.allowedIps().orElseThrow())
                .containsExactly(prefixes("0.0.0.0/0"), prefixes("10.0.0.0/8"));
    }

    @Test
    void settings_that_were_not_applied_are_listed() {
        DeviceConfig config = new DeviceConfig(KEY, 51820, 7, List.of(peer(PEER, "0.0.0.0/0")));
        DeviceState now = state(51821, 0, state(PEER, SERVER, 0, "0.0.0.0/0"));

        assertThat(DeviceChange.remaining(config, now))
                .containsExactly("listen port", "firewall mark", "peer " + PEER.shortText());
        assertThat(DeviceChange.remaining(config, UNCONFIGURED)).hasSize(4);
    }

    @Test
    void an_unwanted_or_missing_preshared_key_is_listed() {
        PeerConfig keyed = new PeerConfig(
                PEER, Optional.of(KeyGenerator.generatePreshared()), Optional.empty(), 0, prefixes("10.0.0.0/8"));
        PeerState without = state(PEER, SERVER, 0, "10.0.0.0/8");
        PeerState with =
                new PeerState(PEER, true, Optional.of(SERVER), Optional.empty(), 0, 0, 0, prefixes("10.0.0.0/8"));
        DeviceConfig config = new DeviceConfig(KEY, 0, 0, List.of(keyed));
        PeerConfig bare = new PeerConfig(PEER, Optional.empty(), Optional.empty(), 0, prefixes("10.0.0.0/8"));
        DeviceConfig unwanted = new DeviceConfig(KEY, 0, 0, List.of(bare));

        assertThat(DeviceChange.remaining(config, state(0, 0, without))).hasSize(1);
        assertThat(DeviceChange.remaining(config, state(0, 0, with))).isEmpty();
        assertThat(DeviceChange.remaining(unwanted, state(0, 0, with))).hasSize(1);
        assertThat(DeviceChange.remaining(unwanted, state(0, 0, without))).isEmpty();
    }

    @Test
    void an_endpoint_change_turns_keepalive_off_and_on() {
        assertThat(DeviceChange.endpointChange(PEER, OTHER_ENDPOINT, 15))
                .extracting(step -> step.peers().getFirst().keepaliveSeconds().getAsInt())
                .containsExactly(0, 15);
        assertThat(DeviceChange.endpointChange(PEER, OTHER_ENDPOINT, 0))
                .extracting(step -> step.peers().getFirst().keepaliveSeconds().getAsInt())
                .containsExactly(0, 25, 0);
    }

    @Test
    void an_invalid_configuration_is_rejected() {
        assertThatThrownBy(() -> new DeviceConfig(KEY, 65536, 0, List.of())).hasMessageContaining("65536");
        assertThatThrownBy(() -> new DeviceConfig(KEY, 0, -1, List.of())).hasMessageContaining("mark");
        assertThatThrownBy(
                        () -> new DeviceConfig(KEY, 0, 0, List.of(peer(PEER, "10.0.0.0/8"), peer(PEER, "10.1.0.0/16"))))
                .hasMessageContaining("twice");
        assertThatThrownBy(() -> new PeerConfig(
                        PEER,
                        Optional.empty(),
                        Optional.of(InetSocketAddress.createUnresolved("vpn.example.net", 51820)),
                        0,
                        List.of()))
                .hasMessageContaining("vpn.example.net is not resolved");
    }

    private static PeerConfig peer(PublicKey key, String... prefixes) {
        return new PeerConfig(key, Optional.empty(), Optional.of(SERVER), 25, prefixes(prefixes));
    }

    private static DeviceState state(int port, long mark, PeerState... peers) {
        return new DeviceState(Optional.of(KeyGenerator.publicOf(KEY)), port, mark, List.of(peers));
    }

    private static PeerState state(PublicKey key, InetSocketAddress endpoint, int keepalive, String... prefixes) {
        return new PeerState(key, false, Optional.of(endpoint), Optional.empty(), 0, 0, keepalive, prefixes(prefixes));
    }

    private static List<Prefix> prefixes(String... texts) {
        return Arrays.stream(texts).map(Prefix::parse).toList();
    }
}
