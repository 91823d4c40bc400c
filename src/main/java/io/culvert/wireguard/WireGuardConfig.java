package io.culvert.wireguard;

import io.culvert.ip.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A wg-quick file, read and checked. Immutable; its text form hides the secrets.
 *
 * @param name the interface name wg-quick would give it: the file's name without {@code .conf}, or wg0 where
 *     that cannot be one; 1 to 15 characters
 * @param addresses with host bits, as written
 * @param dnsServers addresses of {@code DNS=}
 * @param searchDomains names of {@code DNS=}
 * @param listenPort 1 to 65535; empty for a random one
 * @param fwMark 1 to 4294967295; empty where absent, 0 or off
 * @param mtu in bytes; empty where absent
 * @param saveConfig whether {@code SaveConfig = true} stands there; never honoured
 */
public record WireGuardConfig(
        String name,
        SecretKey privateKey,
        List<Prefix> addresses,
        List<InetAddress> dnsServers,
        List<String> searchDomains,
        OptionalInt listenPort,
        OptionalLong fwMark,
        OptionalInt mtu,
        RoutingTable table,
        boolean saveConfig,
        List<Hook> hooks,
        List<Peer> peers) {

    public WireGuardConfig {
        addresses = List.copyOf(addresses);
        dnsServers = List.copyOf(dnsServers);
        searchDomains = List.copyOf(searchDomains);
        hooks = List.copyOf(hooks);
        peers = List.copyOf(peers);
    }

    /** The same with other peers. */
    public WireGuardConfig with(List<Peer> others) {
        return new WireGuardConfig(
                name,
                privateKey,
                addresses,
                dnsServers,
                searchDomains,
                listenPort,
                fwMark,
                mtu,
                table,
                saveConfig,
                hooks,
                others);
    }
}
