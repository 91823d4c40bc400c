package io.culvert.topology.imports;

import io.culvert.ip.Coverage;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.topology.imports.Draft.Call;
import io.culvert.topology.imports.Draft.Node;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.Peer;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.WireGuardConfig;
import io.culvert.wireguard.WireGuardFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Imports wg-quick files, one for each host. A peer with its own file is identified by its key. Other peers are known
 * only from the files of these hosts, and become external.
 */
public final class WgQuickImport {

    private static final Pattern COMMENT =
            Pattern.compile("^\\s*#+\\s*(?:(?i:name|friendly_name)\\s*[=:]\\s*)?(\\S.{0,60})$");
    private static final Pattern PUBLIC_KEY = Pattern.compile("^\\s*(?i:publickey)\\s*=\\s*(\\S+).*$");
    private static final Predicate<String> USUAL = Pattern.compile("wg[0-9]*").asMatchPredicate();

    private final Draft draft;
    private final Map<PublicKey, String> comments = new HashMap<>();
    private final List<Problem> problems = new ArrayList<>();

    private WgQuickImport(String subnet, Path keyDirectory) {
        this.draft = new Draft(subnet, keyDirectory);
    }

    /**
     * Imports files.
     *
     * @param texts by file
     * @param keyDirectory the directory of the secret key files
     */
    public static Imported of(Map<Path, String> texts, Path keyDirectory) {
        String subnet = texts.size() == 1
                ? WireGuardFile.interfaceName(texts.keySet().iterator().next()).orElse("mesh")
                : "mesh";
        WgQuickImport made = new WgQuickImport(subnet, keyDirectory);
        Map<Node, WireGuardConfig> hosts = made.hosts(texts);
        boolean broken =
                made.problems.stream().anyMatch(problem -> problem.kind().isError());
        hosts.forEach((node, config) -> config.peers().forEach(peer -> made.peer(node, peer)));
        return new Imported(broken ? "" : made.draft.yaml(), broken ? Map.of() : made.draft.keys(), made.problems);
    }

    private Map<Node, WireGuardConfig> hosts(Map<Path, String> texts) {
        Map<Node, WireGuardConfig> hosts = new LinkedHashMap<>();
        texts.forEach((file, text) -> {
            WireGuardFile.Parsed parsed = WireGuardFile.parse(file, text);
            problems.addAll(parsed.problems());
            names(text);
            parsed.config().ifPresent(config -> {
                Node node = draft.node(Keys.publicOf(config.privateKey()), hostName(file));
                draft.ownKey(node, config.privateKey());
                node.listenPort = config.listenPort();
                node.addresses.addAll(config.addresses());
                hosts.put(node, config);
                if (!config.hooks().isEmpty() || config.mtu().isPresent()) {
                    problems.add(Problem.warning(
                            Place.file(file),
                            "MTU and hooks are not supported in a network file",
                            "check whether you need them"));
                }
            });
        });
        return hosts;
    }

    /** Returns the name of the file, or of its directory where the file has a generic name. */
    private static String hostName(Path file) {
        String name = WireGuardFile.interfaceName(file).orElse("me");
        if (!USUAL.test(name)) {
            return name;
        }
        Path directory = file.toAbsolutePath().getParent();
        String above = directory == null || directory.getFileName() == null
                ? ""
                : directory.getFileName().toString();
        return above.isEmpty() || above.equals("wireguard") ? "me" : above;
    }

    /** Collects peer names, which users write as comments above or below [Peer]. */
    private void names(String text) {
        Optional<String> comment = Optional.empty();
        for (String line : (Iterable<String>) text.lines()::iterator) {
            Matcher commented = COMMENT.matcher(line);
            Matcher key = PUBLIC_KEY.matcher(line);
            if (line.isBlank()) {
                comment = Optional.empty();
            } else if (commented.matches()) {
                comment = Optional.of(commented.group(1).strip());
            } else if (key.matches() && comment.isPresent()) {
                name(key.group(1), comment.get());
            }
        }
    }

    private void name(String key, String comment) {
        try {
            comments.putIfAbsent(PublicKey.parse(key), comment);
        } catch (IllegalArgumentException _) {
            // Reported by the parser of the file.
        }
    }

    private void peer(Node host, Peer peer) {
        Node other = draft.node(peer.publicKey(), comments.getOrDefault(peer.publicKey(), "peer"));
        draft.link(host, other, peer.presharedKey());
        other.calls.put(host.name, new Call(peer.endpoint(), peer.keepaliveSeconds()));
        boolean all = Arrays.stream(Family.values())
                .anyMatch(family -> Coverage.of(family, peer.allowedIps()).isFullTunnel());
        if (all) {
            other.exit = true;
            host.via = host.via.or(() -> Optional.of(other.name));
        }
        for (Prefix prefix : peer.allowedIps()) {
            boolean own = other.addresses.stream()
                    .anyMatch(address -> Prefix.host(address.address()).equals(prefix));
            if (prefix.isHost() && other.privateKeyFile.isEmpty()) {
                other.addresses.add(prefix);
            } else if (!own && !all) {
                other.routes.add(prefix);
            }
        }
    }
}
