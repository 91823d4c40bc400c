// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Prefix;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WgShowTextTest {

    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
    private static final PublicKey KEY = PublicKey.parse("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=");

    @Test
    void text_matches_wg_show_with_the_latest_handshake_first() {
        PeerState neverConnected = new PeerState(KEY, false, Optional.empty(), Optional.empty(), 0, 0, 0, List.of());
        PeerState connected = new PeerState(
                KEY,
                true,
                Optional.of(new InetSocketAddress(Prefix.parseAddress("2001:db8::10"), 51820)),
                Optional.of(NOW.minus(Duration.ofSeconds(3661))),
                1536,
                92,
                60,
                List.of(Prefix.parse("0.0.0.0/0"), Prefix.parse("::/0")));
        WgShowText text = new WgShowText(
                Map.of("wg0", new DeviceState(Optional.of(KEY), 51820, 0xca6c, List.of(neverConnected, connected))));

        assertThat(text.text(NOW)).isEqualTo("""
                interface: wg0
                  public key: xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                  private key: (hidden)
                  listening port: 51820
                  fwmark: 0xca6c

                peer: xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                  preshared key: (hidden)
                  endpoint: [2001:db8::10]:51820
                  allowed ips: 0.0.0.0/0, ::/0
                  latest handshake: 1 hour, 1 minute, 1 second ago
                  transfer: 1.50 KiB received, 92 B sent
                  persistent keepalive: every 1 minute

                peer: xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                  allowed ips: (none)""");
    }
}
