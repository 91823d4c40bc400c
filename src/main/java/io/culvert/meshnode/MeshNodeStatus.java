// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.net.Endpoint;
import io.culvert.roaming.EndpointSelector;
import io.culvert.roaming.PeerStatus;
import io.culvert.runtime.Environment;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The status of the nodes that are up on this machine: their devices as the kernel reports them, and the status that a
 * managing process reports.
 *
 * @param nodes each with its devices by interface name
 * @param managed the report of the managing process; absent for a node without one
 */
record MeshNodeStatus(Map<String, Map<String, DeviceState>> nodes, Map<String, JsonObject> managed, Instant now) {

    /** Queries the status of nodes that are up, each with its interfaces. */
    static MeshNodeStatus read(
            Environment environment, Map<String, List<String>> links, Function<String, NodeDevices> devices) {
        Map<String, Map<String, DeviceState>> nodes = new TreeMap<>();
        Map<String, JsonObject> managed = new TreeMap<>();
        links.forEach((node, names) -> {
            Map<String, DeviceState> states = new TreeMap<>();
            names.forEach(name -> devices.apply(node).read(name).ifPresent(state -> states.put(name, state)));
            nodes.put(node, states);
            StatusSocket.queryJson(socket(environment, node)).ifPresent(report -> managed.put(node, report));
        });
        return new MeshNodeStatus(nodes, managed, environment.clock().instant());
    }

    static Path socket(Environment environment, String node) {
        return environment.runDirectory().resolve("mesh").resolve(node.replaceAll("[^A-Za-z0-9_.-]", "_") + ".sock");
    }

    /** Returns the report of a managing process: the names of peers and their endpoint selection. */
    static JsonObject report(PeerNames names, Map<String, EndpointSelector> endpointSelectors) {
        JsonObjectBuilder peerNames = Json.createObjectBuilder();
        names.names().forEach((key, name) -> peerNames.add(key.toString(), name));
        JsonObjectBuilder links = Json.createObjectBuilder();
        endpointSelectors.forEach((link, endpointSelector) -> {
            JsonObjectBuilder peers = Json.createObjectBuilder();
            endpointSelector.statuses().forEach((name, status) -> peers.add(name, json(status)));
            links.add(link, peers);
        });
        return Json.createObjectBuilder()
                .add("names", peerNames)
                .add("places", links)
                .build();
    }

    private static JsonObjectBuilder json(PeerStatus status) {
        JsonObjectBuilder json = Json.createObjectBuilder()
                .add("state", status.state().toString())
                .add("place", status.rank())
                .add("places", status.candidates())
                .add("moves", status.changes())
                .add("refused", status.failedProbes());
        status.since().ifPresent(since -> json.add("since", since.toString()));
        return json;
    }

    String text() {
        List<String> lines = new ArrayList<>();
        nodes.forEach((node, devices) -> {
            lines.add(node
                    + (managed.containsKey(node)
                            ? " (managed)"
                            : " (not managed; 'culvert mesh up " + node + " --watch' selects endpoints)"));
            devices.forEach((link, device) -> {
                lines.add("  " + link + ", port " + device.listenPort());
                peers(device).forEach(peer -> lines.add("    " + line(node, link, peer)));
            });
        });
        return lines.isEmpty() ? "no mesh node is up on this machine" : String.join("\n", lines);
    }

    JsonObject json() {
        JsonObjectBuilder all = Json.createObjectBuilder();
        nodes.forEach((node, devices) -> {
            JsonObjectBuilder links = Json.createObjectBuilder();
            devices.forEach((link, device) -> {
                JsonArrayBuilder peers = Json.createArrayBuilder();
                peers(device).forEach(peer -> peers.add(json(node, link, peer)));
                links.add(
                        link,
                        Json.createObjectBuilder()
                                .add("listenPort", device.listenPort())
                                .add("peers", peers));
            });
            all.add(
                    node,
                    Json.createObjectBuilder()
                            .add("kept", managed.containsKey(node))
                            .add("interfaces", links));
        });
        return all.build();
    }

    private JsonObjectBuilder json(String node, String link, PeerState peer) {
        JsonObjectBuilder json = Json.createObjectBuilder()
                .add("publicKey", peer.publicKey().toString())
                .add("receivedBytes", peer.receivedBytes())
                .add("sentBytes", peer.sentBytes());
        name(node, peer).ifPresent(name -> json.add("name", name));
        peer.endpoint()
                .ifPresent(
                        endpoint -> json.add("endpoint", Endpoint.of(endpoint).toString()));
        peer.lastHandshake().ifPresent(time -> json.add("lastHandshake", time.toString()));
        status(node, link, peer).ifPresent(status -> json.add("migration", status));
        return json;
    }

    private String line(String node, String link, PeerState peer) {
        String name = name(node, peer).orElse(peer.publicKey().shortText());
        String endpoint = peer.endpoint().map(it -> Endpoint.of(it).toString()).orElse("(no endpoint)");
        String selection =
                status(node, link, peer).map(MeshNodeStatus::describe).orElse("");
        String handshake = peer.lastHandshake()
                .map(time -> "handshake "
                        + Math.max(0, now.getEpochSecond() - time.getEpochSecond()) + " s ago, "
                        + StatusReport.bytes(peer.receivedBytes()) + " in, " + StatusReport.bytes(peer.sentBytes())
                        + " out")
                .orElse("no handshake");
        return "%-16s %-24s %s%s".formatted(name, endpoint, selection, handshake);
    }

    private static String describe(JsonObject status) {
        String state = status.getString("state");
        int rank = status.getInt("place");
        String position = rank == 0 ? "not in the file" : "endpoint " + rank + " of " + status.getInt("places");
        return state + " (" + position + "), ";
    }

    private Optional<String> name(String node, PeerState peer) {
        return Optional.ofNullable(managed.get(node))
                .map(it -> it.getJsonObject("names").getString(peer.publicKey().toString(), ""))
                .filter(name -> !name.isEmpty());
    }

    private Optional<JsonObject> status(String node, String link, PeerState peer) {
        return name(node, peer)
                .flatMap(name -> Optional.ofNullable(managed.get(node))
                        .flatMap(it ->
                                Optional.ofNullable(it.getJsonObject("places").getJsonObject(link)))
                        .flatMap(it -> Optional.ofNullable(it.getJsonObject(name))));
    }

    private List<PeerState> peers(DeviceState device) {
        return device.peers().stream()
                .sorted(Comparator.comparing(
                                (PeerState peer) -> peer.lastHandshake().orElse(Instant.EPOCH))
                        .reversed())
                .toList();
    }
}
