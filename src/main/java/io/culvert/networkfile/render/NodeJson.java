// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

import io.culvert.net.Prefix;
import io.culvert.networkfile.Forward;
import io.culvert.networkfile.MeshLink;
import io.culvert.networkfile.NodeInterface;
import io.culvert.networkfile.NodeView;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.util.Collection;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** Renders the configuration of a node as JSON, with public keys, and the paths of the files of other keys. */
public final class NodeJson {

    private NodeJson() {}

    public static JsonObject of(NodeView node) {
        JsonArrayBuilder interfaces = Json.createArrayBuilder();
        node.interfaces().forEach(mesh -> interfaces.add(of(mesh)));
        JsonArrayBuilder forwards = Json.createArrayBuilder();
        node.forwards().forEach(forward -> forwards.add(of(forward)));
        JsonObjectBuilder json = Json.createObjectBuilder()
                .add("name", node.name())
                .add("publicKey", node.publicKey().toString())
                .add("external", node.external())
                .add("interfaces", interfaces);
        node.exitNode()
                .ifPresent(exitNode -> json.add(
                        "leaving",
                        Json.createObjectBuilder()
                                .add("device", exitNode.device())
                                .add("peer", exitNode.peer())));
        json.add("forwards", forwards);
        json.add("dns", texts(node.dns().stream().map(Prefix::text).toList()));
        return json.build();
    }

    private static JsonObjectBuilder of(NodeInterface mesh) {
        JsonArrayBuilder links = Json.createArrayBuilder();
        mesh.links().forEach(link -> links.add(of(link)));
        JsonObjectBuilder json = Json.createObjectBuilder()
                .add("subnet", mesh.subnet())
                .add("device", mesh.device())
                .add("addresses", texts(mesh.addresses()));
        add(json, "listenPort", mesh.listenPort());
        add(json, "privateKeyFile", mesh.privateKeyFile());
        return json.add("links", links);
    }

    private static JsonObjectBuilder of(MeshLink link) {
        JsonObjectBuilder json = Json.createObjectBuilder()
                .add("peer", link.peer())
                .add("publicKey", link.publicKey().toString());
        add(json, "presharedKeyFile", link.presharedKeyFile());
        json.add("allowedIps", texts(link.allowedIps()));
        add(json, "endpoint", link.endpoint());
        json.add("candidates", texts(link.candidates()));
        add(json, "persistentKeepalive", link.keepaliveSeconds());
        add(json, "dynamicEndpointRefreshSeconds", link.refreshSeconds());
        add(json, "dynamicEndpointRefreshRestartSeconds", link.refreshRestartSeconds());
        return json.add("hosts", texts(link.hosts()));
    }

    private static JsonObjectBuilder of(Forward forward) {
        return Json.createObjectBuilder()
                .add("direction", forward.direction().name().toLowerCase(Locale.ROOT))
                .add("device", forward.device())
                .add("sources", texts(forward.sources()))
                .add("destinations", texts(forward.destinations()))
                .add("masquerade", forward.masquerade());
    }

    private static void add(JsonObjectBuilder json, String key, OptionalInt number) {
        number.ifPresent(value -> json.add(key, value));
    }

    private static void add(JsonObjectBuilder json, String key, Optional<?> text) {
        text.ifPresent(value -> json.add(key, value.toString()));
    }

    private static JsonArrayBuilder texts(Collection<?> values) {
        JsonArrayBuilder array = Json.createArrayBuilder();
        values.forEach(value -> array.add(value.toString()));
        return array;
    }
}
