// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.net.Prefix;
import io.culvert.wireguard.config.Key.Header;
import java.util.Base64;
import java.util.Collection;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Writes a configuration in a canonical form: sections and keys in the order of the manual pages, one line per key. */
public final class WireGuardText {

    private final boolean secrets;
    private final StringBuilder text = new StringBuilder();

    private WireGuardText(boolean secrets) {
        this.secrets = secrets;
    }

    /** Returns what wg-quick reads, including secrets: for files, not for output. */
    public static String complete(WireGuardConfig config) {
        return new WireGuardText(true).wgQuick(config);
    }

    /** Returns {@link #complete} without secret keys and arguments of hooks, and with shortened public keys. */
    public static String withoutSecrets(WireGuardConfig config) {
        return new WireGuardText(false).wgQuick(config);
    }

    /** Returns what {@code wg setconf} reads, including secrets: the device and its peers, no addresses or routes. */
    public static String setconf(WireGuardConfig config) {
        WireGuardText writer = new WireGuardText(true);
        writer.text.append(Header.INTERFACE).append('\n');
        writer.device(config);
        config.peers().forEach(writer::peer);
        return writer.text.toString();
    }

    private String wgQuick(WireGuardConfig config) {
        text.append(Header.INTERFACE).append('\n');
        device(config);
        line(Key.ADDRESS, joined(config.addresses()));
        line(
                Key.DNS,
                joined(Stream.concat(config.dnsServers().stream().map(Prefix::text), config.searchDomains().stream())
                        .toList()));
        config.mtu().ifPresent(mtu -> line(Key.MTU, mtu));
        switch (config.table()) {
            case RoutingTable.Auto() -> {}
            case RoutingTable.Off() -> line(Key.TABLE, "off");
            case RoutingTable.Numbered(long number) -> line(Key.TABLE, number);
        }
        if (config.saveConfig()) {
            line(Key.SAVE_CONFIG, true);
        }
        for (Hook hook : config.hooks()) {
            text.append(secrets ? hook.key() + " = " + hook.command() : hook).append('\n');
        }
        config.peers().forEach(this::peer);
        return text.toString();
    }

    private void device(WireGuardConfig config) {
        line(Key.PRIVATE_KEY, shown(config.privateKey()));
        config.listenPort().ifPresent(port -> line(Key.LISTEN_PORT, port));
        config.fwMark().ifPresent(mark -> line(Key.FW_MARK, "0x" + Long.toHexString(mark)));
    }

    private void peer(Peer peer) {
        text.append('\n').append(Header.PEER).append('\n');
        line(Key.PUBLIC_KEY, secrets ? peer.publicKey() : peer.publicKey().shortText());
        peer.presharedKey().ifPresent(key -> line(Key.PRESHARED_KEY, shown(key)));
        line(Key.ALLOWED_IPS, joined(peer.allowedIps()));
        peer.endpoint().ifPresent(endpoint -> line(Key.ENDPOINT, endpoint));
        peer.keepaliveSeconds().ifPresent(seconds -> line(Key.PERSISTENT_KEEPALIVE, seconds));
    }

    private String shown(SecretKey key) {
        return secrets ? Base64.getEncoder().encodeToString(key.bytes()) : key.toString();
    }

    private void line(Key key, Object value) {
        String shown = value.toString();
        if (!shown.isEmpty()) {
            text.append(key).append(" = ").append(shown).append('\n');
        }
    }

    private static String joined(Collection<?> values) {
        return values.stream().map(Object::toString).collect(Collectors.joining(", "));
    }
}
