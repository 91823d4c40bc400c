// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.imports;

import io.culvert.net.Endpoint;
import io.culvert.net.Prefix;
import io.culvert.networkfile.YamlWord;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.SecretKey;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/** A builder of a network file with one subnet. */
final class NetworkFileBuilder {

    /** The endpoint settings of one peer for another. */
    record Call(Optional<Endpoint> endpoint, OptionalInt keepalive) {}

    static final class Node {
        final String name;
        final PublicKey key;
        Optional<Path> privateKeyFile = Optional.empty();
        OptionalInt listenPort = OptionalInt.empty();
        boolean exit;
        Optional<String> via = Optional.empty();
        final Set<Prefix> addresses = new LinkedHashSet<>();
        final Set<Prefix> routes = new LinkedHashSet<>();
        /** By the name of the connecting peer; an empty name for all. */
        final Map<String, Call> endpointsByPeer = new LinkedHashMap<>();

        Node(String name, PublicKey key) {
            this.name = name;
            this.key = key;
        }
    }

    private record Pair(String a, String b) {

        static Pair of(String one, String other) {
            return one.compareTo(other) < 0 ? new Pair(one, other) : new Pair(other, one);
        }
    }

    private final String subnet;
    private final Path keyDirectory;
    private final Map<PublicKey, Node> nodes = new LinkedHashMap<>();
    private final Map<Pair, Optional<Path>> links = new LinkedHashMap<>();
    private final Map<Path, SecretKey> keys = new LinkedHashMap<>();
    private boolean fullMesh;

    NetworkFileBuilder(String subnet, Path keyDirectory) {
        this.subnet = subnet;
        this.keyDirectory = keyDirectory;
    }

    /** Returns the node with a key. A new one gets the preferred name, or a similar one that is not in use. */
    Node node(PublicKey key, String preferredName) {
        return nodes.computeIfAbsent(key, _ -> new Node(freeName(preferredName), key));
    }

    private String freeName(String preferredName) {
        String base = preferredName
                .replaceAll("[^A-Za-z0-9_.-]+", "-")
                .replaceAll("\\.+", ".")
                .replaceAll("^[-.]+|[-.]+$", "");
        String name = base.isEmpty() || base.length() > 60 ? "peer" : base;
        Set<String> taken = nodes.values().stream().map(node -> node.name).collect(Collectors.toSet());
        String free = name;
        for (int i = 2; taken.contains(free); i++) {
            free = name + "-" + i;
        }
        return free;
    }

    void ownKey(Node node, SecretKey key) {
        Path file = keyDirectory.resolve(node.name + ".key");
        node.privateKeyFile = Optional.of(file);
        keys.put(file, key);
    }

    void link(Node one, Node other, Optional<SecretKey> presharedKey) {
        Pair pair = Pair.of(one.name, other.name);
        Optional<Path> file = presharedKey.map(_ -> keyDirectory.resolve(pair.a + "-" + pair.b + ".psk"));
        presharedKey.ifPresent(key -> keys.put(file.orElseThrow(), key));
        links.merge(pair, file, (before, now) -> before.isPresent() ? before : now);
    }

    void linkAll() {
        fullMesh = true;
    }

    Map<Path, SecretKey> keys() {
        return keys;
    }

    String yaml() {
        StringBuilder text = new StringBuilder("version: v1\nsubnets:\n");
        line(text, "  - name", subnet);
        text.append("groups: []\npeers:\n");
        nodes.values().forEach(node -> node(text, node));
        text.append("connections:");
        if (fullMesh) {
            text.append("\n  - {a: [], b: []}\n");
        } else if (links.isEmpty()) {
            text.append(" []\n");
        } else {
            text.append('\n');
            links.forEach((pair, file) -> {
                text.append("  - a: [").append(peerFilter(pair.a)).append("]\n");
                text.append("    b: [").append(peerFilter(pair.b)).append("]\n");
                file.ifPresent(path -> line(text, "    presharedKeyFile", path));
            });
        }
        return text.toString();
    }

    private void node(StringBuilder text, Node node) {
        line(text, "  - name", node.name);
        line(text, "    publicKey", node.key);
        node.privateKeyFile.ifPresentOrElse(
                file -> line(text, "    privateKeyFile", file), () -> text.append("    external: true\n"));
        text.append("    subnets:\n      ").append(YamlWord.of(subnet)).append(":\n");
        node.listenPort.ifPresent(
                port -> text.append("        listenPort: ").append(port).append('\n'));
        list(text, "        ipAddresses", node.addresses);
        if (node.exit) {
            text.append("    exit: true\n");
        }
        node.via.ifPresent(via -> line(text, "    via", via));
        if (!node.routes.isEmpty()) {
            list(text, "    routes", node.routes);
        }
        endpoints(text, node);
    }

    /** Writes the endpoints, as one entry if they are the same for all. */
    private static void endpoints(StringBuilder text, Node node) {
        Map<Call, List<String>> peersByEndpoint = new LinkedHashMap<>();
        node.endpointsByPeer.forEach((peer, call) ->
                peersByEndpoint.computeIfAbsent(call, _ -> new ArrayList<>()).add(peer));
        peersByEndpoint.keySet().removeIf(call -> call.endpoint.isEmpty() && call.keepalive.isEmpty());
        if (peersByEndpoint.isEmpty()) {
            return;
        }
        text.append("    endpoints:\n");
        peersByEndpoint.forEach((call, names) -> {
            for (String name : peersByEndpoint.size() == 1 ? List.of("") : names) {
                List<String> keys = new ArrayList<>();
                if (!name.isEmpty()) {
                    keys.add("match: [" + peerFilter(name) + "]");
                }
                call.endpoint.ifPresent(endpoint -> {
                    keys.add("ip: " + YamlWord.of(endpoint.host().toString()));
                    keys.add("port: " + endpoint.port());
                });
                call.keepalive.ifPresent(seconds -> keys.add("persistentKeepalive: " + seconds));
                text.append("      - {").append(String.join(", ", keys)).append("}\n");
            }
        });
    }

    private static String peerFilter(String peer) {
        return "{type: peer, rule: is, value: " + YamlWord.of(peer) + "}";
    }

    private static void list(StringBuilder text, String key, Collection<Prefix> prefixes) {
        text.append(key).append(": [");
        text.append(prefixes.stream().map(it -> YamlWord.of(it.toString())).collect(Collectors.joining(", ")));
        text.append("]\n");
    }

    private static void line(StringBuilder text, String key, Object value) {
        text.append(key).append(": ").append(YamlWord.of(value.toString())).append('\n');
    }
}
