package io.culvert.topology.imports;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Prefix;
import io.culvert.topology.YamlWord;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.SecretKey;
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
final class Draft {

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
        final Map<String, Call> calls = new LinkedHashMap<>();

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
    private boolean everybody;

    Draft(String subnet, Path keyDirectory) {
        this.subnet = subnet;
        this.keyDirectory = keyDirectory;
    }

    /** Returns the node with a key. A new one gets the wished name, or a similar one that is free. */
    Node node(PublicKey key, String wish) {
        return nodes.computeIfAbsent(key, _ -> new Node(free(wish), key));
    }

    private String free(String wish) {
        String base =
                wish.replaceAll("[^A-Za-z0-9_.-]+", "-").replaceAll("\\.+", ".").replaceAll("^[-.]+|[-.]+$", "");
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
        everybody = true;
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
        if (everybody) {
            text.append("\n  - {a: [], b: []}\n");
        } else if (links.isEmpty()) {
            text.append(" []\n");
        } else {
            text.append('\n');
            links.forEach((pair, file) -> {
                text.append("  - a: [").append(is(pair.a)).append("]\n");
                text.append("    b: [").append(is(pair.b)).append("]\n");
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
        Map<Call, List<String>> callers = new LinkedHashMap<>();
        node.calls.forEach((caller, call) ->
                callers.computeIfAbsent(call, _ -> new ArrayList<>()).add(caller));
        callers.keySet().removeIf(call -> call.endpoint.isEmpty() && call.keepalive.isEmpty());
        if (callers.isEmpty()) {
            return;
        }
        text.append("    endpoints:\n");
        callers.forEach((call, names) -> {
            for (String name : callers.size() == 1 ? List.of("") : names) {
                List<String> keys = new ArrayList<>();
                if (!name.isEmpty()) {
                    keys.add("match: [" + is(name) + "]");
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

    private static String is(String peer) {
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
