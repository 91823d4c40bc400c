// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

import io.culvert.net.Prefix;
import io.culvert.networkfile.MeshLink;
import io.culvert.networkfile.NodeInterface;
import io.culvert.networkfile.NodeView;
import io.culvert.wireguard.config.SecretKey;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Renders the files of a node for wg-quick, and for all apps that read such files. */
public final class WgQuick {

    private final Function<Path, Optional<SecretKey>> keys;

    /** The texts of addresses and keys: all nodes of a mesh have the same peers. */
    private final Map<Object, String> texts = new HashMap<>();

    /**
     * Creates a renderer.
     *
     * @param keys returns the key in a file; where it is empty, a comment names the file instead
     */
    public WgQuick(Function<Path, Optional<SecretKey>> keys) {
        this.keys = keys;
    }

    /** Returns one file for each interface, named after it. */
    public List<RenderedFile> files(NodeView node) {
        List<RenderedFile> files = new ArrayList<>();
        for (NodeInterface mesh : node.interfaces()) {
            files.add(new RenderedFile(mesh.device() + ".conf", text(node, mesh)));
        }
        return files;
    }

    /** Returns the file of one interface. */
    public String text(NodeView node, NodeInterface mesh) {
        StringBuilder text = new StringBuilder(256 + 256 * mesh.links().size());
        comment(text, node.name() + " in subnet " + mesh.subnet());
        if (node.forwards().stream().anyMatch(forward -> forward.device().equals(mesh.device()))) {
            comment(text, "This node forwards packets, which this file does not configure; 'culvert mesh up' does.");
        }
        text.append("[Interface]\n");
        secret(text, "PrivateKey", mesh.privateKeyFile());
        list(text, "Address", mesh.addresses());
        mesh.listenPort().ifPresent(port -> line(text, "ListenPort", port));
        if (!node.dns().isEmpty()) {
            line(
                    text,
                    "DNS",
                    String.join(", ", node.dns().stream().map(Prefix::text).toList()));
        }
        mesh.links().forEach(link -> peer(text, link));
        return text.toString();
    }

    private void peer(StringBuilder text, MeshLink link) {
        text.append('\n');
        comment(text, link.peer());
        text.append("[Peer]\n");
        line(text, "PublicKey", shared(link.publicKey()));
        if (link.presharedKeyFile().isPresent()) {
            secret(text, "PresharedKey", link.presharedKeyFile());
        }
        list(text, "AllowedIPs", link.allowedIps());
        link.endpoint().ifPresent(endpoint -> line(text, "Endpoint", shared(endpoint)));
        link.keepaliveSeconds().ifPresent(seconds -> line(text, "PersistentKeepalive", seconds));
    }

    private void secret(StringBuilder text, String key, Optional<Path> file) {
        Optional<SecretKey> secret = file.flatMap(keys);
        if (secret.isPresent()) {
            line(text, key, secret.get().base64());
        } else {
            text.append("# ");
            line(text, key, file.map(path -> "(contents of " + path + ")").orElse("(private key of the device)"));
        }
    }

    private void list(StringBuilder text, String key, Collection<Prefix> values) {
        if (!values.isEmpty()) {
            text.append(key).append(" = ");
            String comma = "";
            for (Prefix value : values) {
                text.append(comma).append(shared(value));
                comma = ", ";
            }
            text.append('\n');
        }
    }

    private String shared(Object value) {
        return texts.computeIfAbsent(value, String::valueOf);
    }

    private static void line(StringBuilder text, String key, Object value) {
        text.append(key).append(" = ").append(value).append('\n');
    }

    private static void comment(StringBuilder text, String comment) {
        text.append("# ").append(comment).append('\n');
    }
}
