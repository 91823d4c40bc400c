// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.networkfile.MeshLink;
import io.culvert.networkfile.NodeInterface;
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
final class EndpointResolver {

    /** The interval of retries for a name that did not resolve. */
    private static final Duration RETRY_INTERVAL = Duration.ofSeconds(30);

    private final Map<Host.Name, List<InetAddress>> resolved = new ConcurrentHashMap<>();

    /** Returns the resolved candidates of a link, in order of preference, without names that do not resolve. */
    List<InetSocketAddress> candidates(MeshLink link) {
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
    List<String> resolve(List<NodeInterface> interfaces) {
        return names(interfaces)
                .filter(name -> !resolve(name))
                .map(Host.Name::name)
                .toList();
    }

    /** Returns when to resolve names again; empty without names, or where the file does not configure it. */
    Optional<Duration> refreshInterval(List<NodeInterface> interfaces) {
        return interfaces.stream()
                .flatMap(mesh -> mesh.links().stream())
                .filter(link -> names(link).findAny().isPresent())
                .flatMap(link -> names(link).allMatch(resolved::containsKey)
                        ? seconds(link.refreshSeconds())
                        : Stream.of(seconds(link.refreshRestartSeconds())
                                .findFirst()
                                .orElse(RETRY_INTERVAL)))
                .min(Duration::compareTo);
    }

    private static Stream<Duration> seconds(OptionalInt seconds) {
        return seconds.stream().mapToObj(Duration::ofSeconds);
    }

    private Stream<InetAddress> addresses(Endpoint candidate) {
        return switch (candidate.host()) {
            case Host.Literal(InetAddress address) -> Stream.of(address);
            case Host.Name name -> resolved.getOrDefault(name, List.of()).stream();
        };
    }

    private static Stream<Host.Name> names(List<NodeInterface> interfaces) {
        return interfaces.stream()
                .flatMap(mesh -> mesh.links().stream())
                .flatMap(EndpointResolver::names)
                .distinct();
    }

    private static Stream<Host.Name> names(MeshLink link) {
        return link.candidates().stream()
                .map(Endpoint::host)
                .flatMap(host -> host instanceof Host.Name name ? Stream.of(name) : Stream.empty());
    }

    /** Resolves a name. If it no longer resolves, the previous addresses are kept. */
    private boolean resolve(Host.Name name) {
        try {
            resolved.put(name, List.of(InetAddress.getAllByName(name.name())));
            return true;
        } catch (UnknownHostException _) {
            return false;
        }
    }
}
