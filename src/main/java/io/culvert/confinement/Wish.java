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
 * What a namespace is to be.
 *
 * @param config the WireGuard file, absolute
 * @param admitted ports of programs inside that may be asked through the tunnel
 * @param rules a file of rules in nft's language, absolute, that come on top of ours
 */
public record Wish(Path config, List<GuardInput.Port> admitted, Optional<Path> rules) {

    public Wish {
        admitted = admitted.stream()
                .distinct()
                .sorted((a, b) -> text(a).compareTo(text(b)))
                .toList();
    }

    /**
     * The WireGuard file that is meant.
     *
     * @param given by the user, a path or a bare name; where he gave none, it is the one of the settings, or the only one in
     *     /etc/wireguard
     * @return empty where none is given, and there are none or several
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

    /** The name of the namespace where nobody gave one: that of the file's interface. */
    public String name() {
        return new TunnelFile(config).interfaceName();
    }

    /** The same as arguments of the command line. */
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
