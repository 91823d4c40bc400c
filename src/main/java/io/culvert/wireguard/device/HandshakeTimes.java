// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Converts the times of a device's handshakes, which are of the machine's clock, to times of a monotonic clock. A
 * handshake that is new took place between two reads, whatever the machine's clock says: the kernel reports {@code
 * ktime_get_real_ts64} (drivers/net/wireguard/noise.c), which may have been set since.
 */
public final class HandshakeTimes {

    private record Handshake(Instant reported, Instant converted) {}

    private Map<PublicKey, Handshake> known = Map.of();
    private Optional<Instant> lastRead = Optional.empty();

    /**
     * Returns the state with converted times.
     *
     * @param clock the machine's time now
     * @param now the monotonic time
     */
    public DeviceState convert(DeviceState state, Instant clock, Instant now) {
        Map<PublicKey, Handshake> current = new HashMap<>();
        DeviceState converted = new DeviceState(
                state.publicKey(),
                state.listenPort(),
                state.mark(),
                state.peers().stream()
                        .map(peer -> peer.lastHandshake()
                                .map(reported -> {
                                    Handshake handshake = Optional.ofNullable(known.get(peer.publicKey()))
                                            .filter(it -> it.reported().equals(reported))
                                            .orElseGet(() -> new Handshake(reported, convert(reported, clock, now)));
                                    current.put(peer.publicKey(), handshake);
                                    return withHandshake(peer, handshake.converted());
                                })
                                .orElse(peer))
                        .toList());
        known = current;
        lastRead = Optional.of(now);
        return converted;
    }

    private Instant convert(Instant reported, Instant clock, Instant now) {
        Instant byClock = now.minus(Duration.between(reported, clock));
        Instant notAfter = byClock.isAfter(now) ? now : byClock;
        return lastRead.filter(notAfter::isBefore).orElse(notAfter);
    }

    private static PeerState withHandshake(PeerState peer, Instant handshake) {
        return new PeerState(
                peer.publicKey(),
                peer.presharedKey(),
                peer.endpoint(),
                Optional.of(handshake),
                peer.receivedBytes(),
                peer.sentBytes(),
                peer.keepaliveSeconds(),
                peer.allowedIps());
    }
}
