// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.net.Port;
import io.culvert.requirements.TunnelFile;
import io.culvert.runtime.Environment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The options of a requested namespace.
 *
 * @param config the absolute path of the WireGuard file
 * @param inboundPorts ports of programs inside that are reachable through the tunnel
 * @param firewallRules the absolute path of a file of additional nftables rules
 */
public record NamespaceRequest(Path config, List<Port> inboundPorts, Optional<Path> firewallRules) {

    public NamespaceRequest {
        inboundPorts = inboundPorts.stream()
                .distinct()
                .sorted(Comparator.comparing(Port::toString))
                .toList();
    }

    /**
     * Returns the WireGuard file.
     *
     * @param fileOrName by the user, a path or a bare name; by default the file of the settings, or the only one in
     *     /etc/wireguard
     * @return empty if none is given, and there are none or several
     */
    public static Optional<Path> findConfig(Environment environment, Optional<String> fileOrName) {
        return fileOrName
                .or(() -> Optional.ofNullable(environment.variables().get("CULVERT_WIREGUARD_CONFIG")))
                .map(text -> TunnelFile.of(text, environment.root()).path())
                .or(() -> onlyFile(environment.root().resolve("etc/wireguard")));
    }

    private static Optional<Path> onlyFile(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> candidates =
                    files.filter(file -> file.toString().endsWith(".conf")).toList();
            return candidates.size() == 1 ? Optional.of(candidates.getFirst()) : Optional.empty();
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    /** Returns the default name of the namespace, that of the file's interface. */
    public String defaultName() {
        return new TunnelFile(config).interfaceName();
    }

    /** Returns the options as arguments of the command line. */
    List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of("--config", config.toString()));
        if (!inboundPorts.isEmpty()) {
            arguments.add("--allow-inbound");
            arguments.add(inboundPorts.stream().map(Port::toString).collect(Collectors.joining(",")));
        }
        firewallRules.ifPresent(file -> arguments.addAll(List.of("--firewall", file.toString())));
        return arguments;
    }
}
