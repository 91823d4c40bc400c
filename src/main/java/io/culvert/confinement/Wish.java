package io.culvert.confinement;

import io.culvert.needs.TunnelFile;
import io.culvert.plan.GuardInput;
import io.culvert.run.Surroundings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The options of a requested namespace.
 *
 * @param config the absolute path of the WireGuard file
 * @param admitted ports of programs inside that are reachable through the tunnel
 * @param rules the absolute path of a file of additional nftables rules
 */
public record Wish(Path config, List<GuardInput.Port> admitted, Optional<Path> rules) {

    public Wish {
        admitted = admitted.stream()
                .distinct()
                .sorted((a, b) -> text(a).compareTo(text(b)))
                .toList();
    }

    /**
     * Returns the WireGuard file.
     *
     * @param given by the user, a path or a bare name; by default the file of the settings, or the only one in
     *     /etc/wireguard
     * @return empty if none is given, and there are none or several
     */
    public static Optional<Path> file(Surroundings around, Optional<String> given) {
        return given.or(() -> Optional.ofNullable(around.environment().get("CULVERT_WIREGUARD_CONFIG")))
                .map(one -> TunnelFile.of(one, around.root()).path())
                .or(() -> only(around.root().resolve("etc/wireguard")));
    }

    private static Optional<Path> only(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> all =
                    files.filter(file -> file.toString().endsWith(".conf")).toList();
            return all.size() == 1 ? Optional.of(all.getFirst()) : Optional.empty();
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    /** Returns the default name of the namespace, that of the file's interface. */
    public String name() {
        return new TunnelFile(config).interfaceName();
    }

    /** Returns the options as arguments of the command line. */
    List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of("--config", config.toString()));
        if (!admitted.isEmpty()) {
            arguments.add("--allow-inbound");
            arguments.add(admitted.stream().map(Wish::text).collect(Collectors.joining(",")));
        }
        rules.ifPresent(file -> arguments.addAll(List.of("--firewall", file.toString())));
        return arguments;
    }

    private static String text(GuardInput.Port port) {
        return port.number() + "/" + port.transport();
    }
}
