package io.culvert.node;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Host;
import io.culvert.topology.MeshInterface;
import io.culvert.topology.MeshLink;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The endpoint candidates of peers, with host names resolved by the machine's resolver. Thread-safe. */
final class Places {

    /** The interval of retries for a name that did not resolve. */
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(30);

    private final Map<Host.Name, List<InetAddress>> known = new ConcurrentHashMap<>();

    /** Returns the resolved candidates of a link, in order of preference, without names that do not resolve. */
    List<InetSocketAddress> of(MeshLink link) {
        return link.candidates().stream()
                .flatMap(candidate ->
                        addresses(candidate).map(address -> new InetSocketAddress(address, candidate.port())))
                .distinct()
                .toList();
    }

    /**
     * Resolves all names of these interfaces; may take as long as the resolver's timeouts.
     *
     * @return the names that do not resolve
     */
    List<String> lookUp(List<MeshInterface> interfaces) {
        return names(interfaces)
                .filter(name -> !lookUp(name))
                .map(Host.Name::name)
                .toList();
    }

    /** Returns when to resolve names again; empty without names, or where the file does not configure it. */
    Optional<Duration> next(List<MeshInterface> interfaces) {
        return interfaces.stream()
                .flatMap(mesh -> mesh.links().stream())
                .filter(link -> names(link).findAny().isPresent())
                .flatMap(link -> names(link).allMatch(known::containsKey)
                        ? seconds(link.refreshSeconds())
                        : Stream.of(seconds(link.refreshRestartSeconds())
                                .findFirst()
                                .orElse(AFTER_FAILURE)))
                .min(Duration::compareTo);
    }

    private static Stream<Duration> seconds(OptionalInt seconds) {
        return seconds.stream().mapToObj(Duration::ofSeconds);
    }

    private Stream<InetAddress> addresses(Endpoint candidate) {
        return switch (candidate.host()) {
            case Host.Literal(InetAddress address) -> Stream.of(address);
            case Host.Name name -> known.getOrDefault(name, List.of()).stream();
        };
    }

    private static Stream<Host.Name> names(List<MeshInterface> interfaces) {
        return interfaces.stream()
                .flatMap(mesh -> mesh.links().stream())
                .flatMap(Places::names)
                .distinct();
    }

    private static Stream<Host.Name> names(MeshLink link) {
        return link.candidates().stream()
                .map(Endpoint::host)
                .flatMap(host -> host instanceof Host.Name name ? Stream.of(name) : Stream.empty());
    }

    /** Resolves a name. If it no longer resolves, the previous addresses are kept. */
    private boolean lookUp(Host.Name name) {
        try {
            known.put(name, List.of(InetAddress.getAllByName(name.name())));
            return true;
        } catch (UnknownHostException _) {
            return false;
        }
    }
}
