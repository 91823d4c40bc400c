package io.culvert.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.culvert.device.DeviceChange.PeerChange;
import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.ip.Prefix;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.SecretKey;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class DeviceChangeTest {

    private static final SecretKey KEY = Keys.generatePrivate();
    private static final PublicKey PEER = Keys.publicOf(Keys.generatePrivate());
    private static final PublicKey OTHER = Keys.publicOf(Keys.generatePrivate());
    private static final InetSocketAddress SERVER = new InetSocketAddress("203.0.113.1", 51820);
    private static final InetSocketAddress ELSEWHERE = new InetSocketAddress("203.0.113.2", 51820);
    private static final DeviceState BLANK = new DeviceState(Optional.empty(), 0, 0, List.of());

    @Test
    void a_blank_device_is_told_everything() {
        DeviceConfig wanted = new DeviceConfig(KEY, 51820, 7, List.of(peer(PEER, "0.0.0.0/0")));
        DeviceChange change = DeviceChange.between(wanted, BLANK);

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
    void a_device_that_is_as_wanted_is_told_nothing() {
        DeviceConfig wanted = new DeviceConfig(KEY, 0, 7, List.of(peer(PEER, "::/0", "0.0.0.0/0")));
        DeviceState now = state(40000, 7, state(PEER, SERVER, 25, "0.0.0.0/0", "::/0"));

        assertThat(DeviceChange.between(wanted, now).isEmpty()).isTrue();
        assertThat(DeviceChange.remaining(wanted, now)).isEmpty();
    }

    @Test
    void only_what_differs_of_a_peer_is_told() {
        DeviceConfig wanted = new DeviceConfig(KEY, 0, 7, List.of(peer(PEER, "0.0.0.0/0")));
        DeviceState now = state(40000, 7, state(PEER, ELSEWHERE, 25, "0.0.0.0/0"));

        assertThat(DeviceChange.between(wanted, now))
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
        assertThat(DeviceChange.remaining(wanted, now)).isEmpty();
    }

    @Test
    void peers_that_are_not_wanted_go_first() {
        DeviceConfig wanted = new DeviceConfig(KEY, 0, 7, List.of(peer(OTHER, "0.0.0.0/0")));
        DeviceState now = state(40000, 7, state(PEER, SERVER, 25, "0.0.0.0/0"));

        assertThat(DeviceChange.between(wanted, now).peers())
                .extracting(PeerChange::publicKey, PeerChange::remove)
                .containsExactly(tuple(PEER, true), tuple(OTHER, false));
        assertThat(DeviceChange.remaining(wanted, now))
                .containsExactly("peer " + PEER.shortText(), "peer " + OTHER.shortText());
    }

    @Test
    void a_prefix_that_two_peers_claim_is_the_last_ones() {
        DeviceConfig wanted = new DeviceConfig(
                KEY, 0, 0, List.of(peer(PEER, "10.0.0.0/8", "0.0.0.0/0"), peer(OTHER, "10.0.0.0/8", "10.0.0.0/8")));

        assertThat(DeviceChange.between(wanted, BLANK).peers())
                .extracting(peer -> peer.allowedIps().orElseThrow())
                .containsExactly(prefixes("0.0.0.0/0"), prefixes("10.0.0.0/8"));
    }

    @Test
    void what_a_device_took_but_does_not_have_is_named() {
        DeviceConfig wanted = new DeviceConfig(KEY, 51820, 7, List.of(peer(PEER, "0.0.0.0/0")));
        DeviceState now = state(51821, 0, state(PEER, SERVER, 0, "0.0.0.0/0"));

        assertThat(DeviceChange.remaining(wanted, now))
                .containsExactly("listen port", "firewall mark", "peer " + PEER.shortText());
        assertThat(DeviceChange.remaining(wanted, BLANK)).hasSize(4);
    }

    @Test
    void a_preshared_key_that_is_there_or_not_against_our_wish_is_named() {
        PeerConfig keyed = new PeerConfig(
                PEER, Optional.of(Keys.generatePreshared()), Optional.empty(), 0, prefixes("10.0.0.0/8"));
        PeerState without = state(PEER, SERVER, 0, "10.0.0.0/8");
        PeerState with =
                new PeerState(PEER, true, Optional.of(SERVER), Optional.empty(), 0, 0, 0, prefixes("10.0.0.0/8"));
        DeviceConfig wanted = new DeviceConfig(KEY, 0, 0, List.of(keyed));
        PeerConfig bare = new PeerConfig(PEER, Optional.empty(), Optional.empty(), 0, prefixes("10.0.0.0/8"));
        DeviceConfig unwanted = new DeviceConfig(KEY, 0, 0, List.of(bare));

        assertThat(DeviceChange.remaining(wanted, state(0, 0, without))).hasSize(1);
        assertThat(DeviceChange.remaining(wanted, state(0, 0, with))).isEmpty();
        assertThat(DeviceChange.remaining(unwanted, state(0, 0, with))).hasSize(1);
        assertThat(DeviceChange.remaining(unwanted, state(0, 0, without))).isEmpty();
    }

    @Test
    void moving_a_peer_turns_its_keepalive_off_and_on() {
        assertThat(DeviceChange.moving(PEER, ELSEWHERE, 15))
                .extracting(step -> step.peers().getFirst().keepaliveSeconds().getAsInt())
                .containsExactly(0, 15);
        assertThat(DeviceChange.moving(PEER, ELSEWHERE, 0))
                .extracting(step -> step.peers().getFirst().keepaliveSeconds().getAsInt())
                .containsExactly(0, 25, 0);
    }

    @Test
    void a_configuration_that_no_device_could_have_cannot_be_made() {
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
        return new DeviceState(Optional.of(Keys.publicOf(KEY)), port, mark, List.of(peers));
    }

    private static PeerState state(PublicKey key, InetSocketAddress endpoint, int keepalive, String... prefixes) {
        return new PeerState(key, false, Optional.of(endpoint), Optional.empty(), 0, 0, keepalive, prefixes(prefixes));
    }

    private static List<Prefix> prefixes(String... texts) {
        return Arrays.stream(texts).map(Prefix::parse).toList();
    }
}
