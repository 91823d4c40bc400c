// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.net.Coverage;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.plan.Tailnet;
import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.net.InetAddress;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The status that tailscaled reports (tailscale: ipn/ipnstate, Status).
 *
 * @param version such as {@code 1.98.9}
 * @param id the node's id at the control server; empty before the first login
 * @param name the node's DNS name in the tailnet, without the final dot
 * @param hostName the requested host name
 * @param addresses the node's Tailscale addresses
 * @param suffix the tailnet's MagicDNS suffix
 * @param exitApproved whether the control server has approved this node as an exit node
 * @param peers all addresses of all peers
 * @param routes the routes that peers advertise, except default routes
 * @param onlinePeers one address of each peer that is online
 */
record TailscaleStatus(
        String version,
        IpnNotification.State state,
        String id,
        String name,
        String hostName,
        List<InetAddress> addresses,
        String suffix,
        boolean exitApproved,
        Set<Prefix> peers,
        Set<Prefix> routes,
        List<InetAddress> onlinePeers) {

    TailscaleStatus {
        peers = Set.copyOf(peers);
        routes = Set.copyOf(routes);
    }

    static TailscaleStatus of(JsonObject json) {
        JsonObject self = object(json, "Self");
        return new TailscaleStatus(
                json.getString("Version", "").replaceFirst("-.*", ""),
                IpnNotification.State.of(json.getString("BackendState", "")),
                self.getString("ID", ""),
                self.getString("DNSName", "").replaceFirst("\\.$", ""),
                self.getString("HostName", ""),
                addresses(self),
                json.getString("MagicDNSSuffix", ""),
                self.getBoolean("ExitNodeOption", false),
                peers(json)
                        .flatMap(peer -> addresses(peer).stream())
                        .map(Prefix::host)
                        .collect(Collectors.toSet()),
                peers(json)
                        .flatMap(peer -> Stream.of("AllowedIPs", "PrimaryRoutes")
                                .flatMap(name -> texts(peer, name))
                                .flatMap(TailscaleStatus::prefix)
                                .filter(route -> !route.isDefault())
                                .filter(route ->
                                        !(route.isHost() && addresses(peer).contains(route.address()))))
                        .collect(Collectors.toSet()),
                peers(json)
                        .filter(peer -> peer.getBoolean("Online", false))
                        .flatMap(peer -> addresses(peer).stream().limit(1))
                        .toList());
    }

    /**
     * Returns the tailnet for the planner.
     *
     * @param acceptsRoutes whether this node accepts the routes that peers advertise
     * @param relayPorts the TCP ports of the relays
     */
    Tailnet tailnet(boolean acceptsRoutes, Set<Integer> relayPorts) {
        return new Tailnet(
                addresses,
                Stream.concat(
                                Stream.concat(addresses.stream().map(Prefix::host), peers.stream()),
                                acceptsRoutes && familyCoveredByRoutes().isEmpty() ? routes.stream() : Stream.empty())
                        .filter(prefix -> Tailnet.RANGES.stream().noneMatch(range -> range.contains(prefix)))
                        .distinct()
                        .sorted(Comparator.comparing(Prefix::toString))
                        .toList(),
                Optional.of(suffix).filter(it -> !it.isEmpty()),
                relayPorts);
    }

    /**
     * Returns the family for which the advertised routes cover most of the internet, an exit node in pieces; none may
     * be used.
     */
    Optional<Family> familyCoveredByRoutes() {
        return Coverage.mostlyCoveredFamily(routes);
    }

    private static Stream<JsonObject> peers(JsonObject json) {
        return object(json, "Peer").values().stream().map(JsonValue::asJsonObject);
    }

    private static JsonObject object(JsonObject json, String name) {
        return json.getOrDefault(name, JsonValue.NULL) instanceof JsonObject object
                ? object
                : JsonValue.EMPTY_JSON_OBJECT;
    }

    private static List<InetAddress> addresses(JsonObject node) {
        return texts(node, "TailscaleIPs").map(Prefix::parseAddress).toList();
    }

    private static Stream<String> texts(JsonObject node, String name) {
        return node.getOrDefault(name, JsonValue.NULL) instanceof JsonArray array
                ? array.getValuesAs(JsonString.class).stream().map(JsonString::getString)
                : Stream.empty();
    }

    /** Ignores a prefix that cannot be parsed. */
    private static Stream<Prefix> prefix(String text) {
        try {
            return Stream.of(Prefix.parse(text).network());
        } catch (IllegalArgumentException _) {
            return Stream.empty();
        }
    }
}
