package io.culvert.node;

import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.ip.Endpoint;
import io.culvert.migration.Migration;
import io.culvert.migration.Standing;
import io.culvert.run.Surroundings;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
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
 * @param kept the answer of the managing process; absent for a node without one
 */
record NodeStatus(Map<String, Map<String, DeviceState>> nodes, Map<String, JsonObject> kept, Instant now) {

    /** Queries the status of nodes that are up, each with its interfaces. */
    static NodeStatus of(Surroundings around, Map<String, List<String>> links, Function<String, Devices> devices) {
        Map<String, Map<String, DeviceState>> nodes = new TreeMap<>();
        Map<String, JsonObject> kept = new TreeMap<>();
        links.forEach((node, names) -> {
            Map<String, DeviceState> states = new TreeMap<>();
            names.forEach(name -> devices.apply(node).read(name).ifPresent(state -> states.put(name, state)));
            nodes.put(node, states);
            StatusSocket.askJson(socket(around, node)).ifPresent(answer -> kept.put(node, answer));
        });
        return new NodeStatus(nodes, kept, around.clock().instant());
    }

    static Path socket(Surroundings around, String node) {
        return around.runDirectory().resolve("mesh").resolve(node.replaceAll("[^A-Za-z0-9_.-]", "_") + ".sock");
    }

    /** Returns the answer of a managing process: the names of peers and their endpoint selection. */
    static JsonObject answer(PeerNames names, Map<String, Migration> migrations) {
        JsonObjectBuilder called = Json.createObjectBuilder();
        names.names().forEach((key, name) -> called.add(key.toString(), name));
        JsonObjectBuilder links = Json.createObjectBuilder();
        migrations.forEach((link, migration) -> {
            JsonObjectBuilder peers = Json.createObjectBuilder();
            migration.standings().forEach((name, standing) -> peers.add(name, json(standing)));
            links.add(link, peers);
        });
        return Json.createObjectBuilder()
                .add("names", called)
                .add("places", links)
                .build();
    }

    private static JsonObjectBuilder json(Standing standing) {
        JsonObjectBuilder json = Json.createObjectBuilder()
                .add("state", standing.state().toString())
                .add("place", standing.rank())
                .add("places", standing.of())
                .add("moves", standing.moves())
                .add("refused", standing.refused());
        standing.since().ifPresent(since -> json.add("since", since.toString()));
        return json;
    }

    String text() {
        List<String> lines = new ArrayList<>();
        nodes.forEach((node, devices) -> {
            lines.add(node
                    + (kept.containsKey(node)
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
                            .add("kept", kept.containsKey(node))
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
        standing(node, link, peer).ifPresent(standing -> json.add("migration", standing));
        return json;
    }

    private String line(String node, String link, PeerState peer) {
        String name = name(node, peer).orElse(peer.publicKey().shortText());
        String endpoint = peer.endpoint().map(it -> Endpoint.of(it).toString()).orElse("(no endpoint)");
        String place = standing(node, link, peer).map(NodeStatus::words).orElse("");
        String handshake = peer.lastHandshake()
                .map(time -> "handshake "
                        + Math.max(0, now.getEpochSecond() - time.getEpochSecond()) + " s ago, "
                        + StatusReport.bytes(peer.receivedBytes()) + " in, " + StatusReport.bytes(peer.sentBytes())
                        + " out")
                .orElse("no handshake");
        return "%-16s %-24s %s%s".formatted(name, endpoint, place, handshake);
    }

    private static String words(JsonObject standing) {
        String state = standing.getString("state");
        int place = standing.getInt("place");
        String where = place == 0 ? "not in the file" : "endpoint " + place + " of " + standing.getInt("places");
        return state + " (" + where + "), ";
    }

    private Optional<String> name(String node, PeerState peer) {
        return Optional.ofNullable(kept.get(node))
                .map(it -> it.getJsonObject("names").getString(peer.publicKey().toString(), ""))
                .filter(name -> !name.isEmpty());
    }

    private Optional<JsonObject> standing(String node, String link, PeerState peer) {
        return name(node, peer)
                .flatMap(name -> Optional.ofNullable(kept.get(node))
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
