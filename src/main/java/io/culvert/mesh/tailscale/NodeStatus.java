package io.culvert.mesh.tailscale;

import io.culvert.ip.Prefix;
import io.culvert.plan.Tailnet;
import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What tailscaled says of itself (tailscale: ipn/ipnstate, Status).
 *
 * @param version such as {@code 1.98.9}
 * @param id by which the control server knows the node; empty before the first login
 * @param name in the tailnet's DNS, without the final dot
 * @param hostName that was asked for
 * @param addresses of the node in the mesh
 * @param suffix of the tailnet's DNS names
 * @param exitApproved whether the control server tells peers that they may exit here
 * @param awakePeers one address of each peer that is online
 */
record NodeStatus(
        String version,
        Notice.State state,
        String id,
        String name,
        String hostName,
        List<InetAddress> addresses,
        String suffix,
        boolean exitApproved,
        List<InetAddress> awakePeers) {

    static NodeStatus of(JsonObject json) {
        JsonObject self = object(json, "Self");
        return new NodeStatus(
                json.getString("Version", "").replaceFirst("-.*", ""),
                Notice.State.of(json.getString("BackendState", "")),
                self.getString("ID", ""),
                self.getString("DNSName", "").replaceFirst("\\.$", ""),
                self.getString("HostName", ""),
                addresses(self),
                json.getString("MagicDNSSuffix", ""),
                self.getBoolean("ExitNodeOption", false),
                object(json, "Peer").values().stream()
                        .map(JsonValue::asJsonObject)
                        .filter(peer -> peer.getBoolean("Online", false))
                        .flatMap(peer -> addresses(peer).stream().limit(1))
                        .toList());
    }

    /** What the plan follows from. */
    Tailnet tailnet() {
        return new Tailnet(addresses, Optional.of(suffix).filter(it -> !it.isEmpty()));
    }

    private static JsonObject object(JsonObject json, String name) {
        return json.getOrDefault(name, JsonValue.NULL) instanceof JsonObject found
                ? found
                : JsonValue.EMPTY_JSON_OBJECT;
    }

    private static List<InetAddress> addresses(JsonObject node) {
        Stream<JsonString> texts = node.getOrDefault("TailscaleIPs", JsonValue.NULL) instanceof JsonArray array
                ? array.getValuesAs(JsonString.class).stream()
                : Stream.empty();
        return texts.map(text -> Prefix.parseAddress(text.getString())).toList();
    }
}
