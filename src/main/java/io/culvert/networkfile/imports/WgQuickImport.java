// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.imports;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Coverage;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.networkfile.imports.NetworkFileBuilder.Call;
import io.culvert.networkfile.imports.NetworkFileBuilder.Node;
import io.culvert.wireguard.config.FileUse;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.Peer;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.config.WireGuardFile;
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
    private static final Predicate<String> GENERIC_NAME =
            Pattern.compile("wg[0-9]*").asMatchPredicate();

    private final NetworkFileBuilder builder;
    private final Map<PublicKey, String> comments = new HashMap<>();
    private final List<Problem> problems = new ArrayList<>();

    private WgQuickImport(String subnet, Path keyDirectory) {
        this.builder = new NetworkFileBuilder(subnet, keyDirectory);
    }

    /**
     * Imports files.
     *
     * @param texts by file
     * @param keyDirectory the directory of the secret key files
     */
    public static ImportResult of(Map<Path, String> texts, Path keyDirectory) {
        String subnet = texts.size() == 1
                ? WireGuardFile.interfaceName(texts.keySet().iterator().next()).orElse("mesh")
                : "mesh";
        WgQuickImport importer = new WgQuickImport(subnet, keyDirectory);
        Map<Node, WireGuardConfig> hosts = importer.addHosts(texts);
        boolean hasErrors =
                importer.problems.stream().anyMatch(problem -> problem.kind().isError());
        hosts.forEach((node, config) -> config.peers().forEach(peer -> importer.addPeer(node, peer)));
        return new ImportResult(
                hasErrors ? "" : importer.builder.yaml(),
                hasErrors ? Map.of() : importer.builder.keys(),
                importer.problems);
    }

    private Map<Node, WireGuardConfig> addHosts(Map<Path, String> texts) {
        Map<Node, WireGuardConfig> hosts = new LinkedHashMap<>();
        texts.forEach((file, text) -> {
            WireGuardFile.Parsed parsed = WireGuardFile.parse(file, text);
            problems.addAll(parsed.problems(FileUse.EXIT_NODE));
            collectNames(text);
            parsed.config().ifPresent(config -> {
                Node node = builder.node(KeyGenerator.publicOf(config.privateKey()), hostName(file));
                builder.ownKey(node, config.privateKey());
                node.listenPort = config.listenPort();
                node.addresses.addAll(config.addresses());
                hosts.put(node, config);
                if (!config.hooks().isEmpty() || config.mtu().isPresent()) {
                    problems.add(Problem.warning(
                            Location.file(file),
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
        if (!GENERIC_NAME.test(name)) {
            return name;
        }
        Path directory = file.toAbsolutePath().getParent();
        String parentName = directory == null || directory.getFileName() == null
                ? ""
                : directory.getFileName().toString();
        return parentName.isEmpty() || parentName.equals("wireguard") ? "me" : parentName;
    }

    /** Collects peer names, which users write as comments above or below [Peer]. */
    private void collectNames(String text) {
        Optional<String> comment = Optional.empty();
        for (String line : (Iterable<String>) text.lines()::iterator) {
            Matcher commented = COMMENT.matcher(line);
            Matcher key = PUBLIC_KEY.matcher(line);
            if (line.isBlank()) {
                comment = Optional.empty();
            } else if (commented.matches()) {
                comment = Optional.of(commented.group(1).strip());
            } else if (key.matches() && comment.isPresent()) {
                addName(key.group(1), comment.get());
            }
        }
    }

    private void addName(String key, String comment) {
        try {
            comments.putIfAbsent(PublicKey.parse(key), comment);
        } catch (IllegalArgumentException _) {
            // Reported by the parser of the file.
        }
    }

    private void addPeer(Node host, Peer peer) {
        Node other = builder.node(peer.publicKey(), comments.getOrDefault(peer.publicKey(), "peer"));
        builder.link(host, other, peer.presharedKey());
        other.endpointsByPeer.put(host.name, new Call(peer.endpoint(), peer.keepaliveSeconds()));
        boolean all = Arrays.stream(Family.values())
                .anyMatch(family -> Coverage.of(family, peer.allowedIps()).isFullTunnel());
        if (all) {
            other.exit = true;
            host.via = host.via.or(() -> Optional.of(other.name));
        }
        for (Prefix prefix : peer.allowedIps()) {
            boolean isOwnAddress = other.addresses.stream()
                    .anyMatch(address -> Prefix.host(address.address()).equals(prefix));
            if (prefix.isHost() && other.privateKeyFile.isEmpty()) {
                other.addresses.add(prefix);
            } else if (!isOwnAddress && !all) {
                other.routes.add(prefix);
            }
        }
    }
}
