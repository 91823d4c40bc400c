// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.net.Prefix;
import io.culvert.wireguard.device.DeviceChange.PeerChange;
import java.net.InetSocketAddress;
import java.util.HexFormat;

/**
 * Encodes requests of the configuration protocol of userspace WireGuard (wireguard.com/xplatform, "Configuration
 * Protocol"): lines of {@code key=value}, keys in hexadecimal, ended by an empty line. A set operation is not atomic
 * and does not report which value was wrong, so only validated values are passed.
 */
final class UapiRequest {

    static final String GET = "get=1\n\n";

    private static final HexFormat HEX = HexFormat.of();

    private UapiRequest() {}

    /** Returns a set request, which contains secrets. */
    static String set(DeviceChange change) {
        StringBuilder text = new StringBuilder("set=1\n");
        change.privateKey().ifPresent(key -> line(text, "private_key", HEX.formatHex(key.bytes())));
        change.listenPort().ifPresent(port -> line(text, "listen_port", port));
        change.mark().ifPresent(mark -> line(text, "fwmark", mark));
        change.peers().forEach(peer -> peer(text, peer));
        return text.append('\n').toString();
    }

    private static void peer(StringBuilder text, PeerChange peer) {
        line(text, "public_key", HEX.formatHex(peer.publicKey().bytes()));
        if (peer.remove()) {
            line(text, "remove", true);
            return;
        }
        if (peer.onlyIfExists()) {
            line(text, "update_only", true);
        }
        peer.presharedKey().ifPresent(key -> line(text, "preshared_key", HEX.formatHex(key.bytes())));
        peer.endpoint().ifPresent(endpoint -> line(text, "endpoint", text(endpoint)));
        peer.keepaliveSeconds().ifPresent(seconds -> line(text, "persistent_keepalive_interval", seconds));
        peer.allowedIps().ifPresent(prefixes -> {
            line(text, "replace_allowed_ips", true);
            prefixes.forEach(prefix -> line(text, "allowed_ip", prefix));
        });
    }

    private static void line(StringBuilder text, String key, Object value) {
        text.append(key).append('=').append(value).append('\n');
    }

    private static String text(InetSocketAddress endpoint) {
        String address = Prefix.text(endpoint.getAddress());
        return (address.indexOf(':') >= 0 ? "[" + address + "]" : address) + ":" + endpoint.getPort();
    }
}
