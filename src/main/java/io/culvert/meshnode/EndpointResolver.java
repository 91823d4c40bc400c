// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.dns.NameTracker;
import io.culvert.dns.ResolutionResult;
import io.culvert.dns.SystemResolver;
import io.culvert.dns.TrackingPolicy;
import io.culvert.linux.HostLookup;
import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.networkfile.MeshLink;
import io.culvert.networkfile.NodeInterface;
import io.culvert.plan.ResolvedNames;
import io.culvert.requirements.ResolverWait;
import io.culvert.timing.BackOff;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Tracks the host names in endpoint candidates of peers, by the machine's resolver, as often as the network file says.
 * Thread-safe.
 */
final class EndpointResolver implements TrackingPolicy, AutoCloseable {

    /** The delays between retries for a name that did not resolve: soon at first, as while a machine starts. */
    private static final BackOff RETRIES = new BackOff(Duration.ofSeconds(1), Duration.ofSeconds(30));

    private final NameTracker tracker;
    private volatile List<MeshLink> links = List.of();

    /** @param changed called on other threads when the addresses of a name have changed */
    EndpointResolver(Runnable changed) {
        this.tracker = new NameTracker(SystemResolver::resolve, this, changed);
    }

    /**
     * Resolves all names of these interfaces, which may take as long as the resolver's timeouts, and tracks them from
     * now on.
     *
     * @return the names that do not resolve
     */
    List<String> resolve(List<NodeInterface> interfaces) {
        return resolve(interfaces, names -> {
            Map<Host.Name, HostLookup.Result> lookups = new LinkedHashMap<>();
            names.forEach(name -> lookups.put(name, HostLookup.of(name.name())));
            return lookups;
        });
    }

    /** Resolves all names, and waits while the machine's resolver does not respond. */
    List<String> resolve(List<NodeInterface> interfaces, ResolverWait wait) {
        return resolve(interfaces, wait::lookUp);
    }

    private List<String> resolve(
            List<NodeInterface> interfaces, Function<Set<Host.Name>, Map<Host.Name, HostLookup.Result>> resolver) {
        links = interfaces.stream().flatMap(mesh -> mesh.links().stream()).toList();
        Map<Host.Name, ResolutionResult> results = new LinkedHashMap<>();
        resolver.apply(links.stream()
                        .flatMap(EndpointResolver::names)
                        .collect(Collectors.toCollection(LinkedHashSet::new)))
                .forEach((name, lookup) -> results.put(name, SystemResolver.result(lookup)));
        tracker.track(results);
        return results.entrySet().stream()
                .filter(result -> !result.getValue().fresh())
                .map(result -> result.getKey().name())
                .toList();
    }

    /** Returns the addresses of all names that have been resolved. */
    ResolvedNames names() {
        return new ResolvedNames(tracker.addressesByName());
    }

    @Override
    public Optional<Duration> afterSuccess(Host.Name name, Duration ttl) {
        return shortest(name, MeshLink::refreshSeconds);
    }

    @Override
    public Optional<Duration> afterFailure(Host.Name name, int failures) {
        return shortest(
                name,
                link -> OptionalInt.of(link.refreshRestartSeconds()
                        .orElse(Math.toIntExact(RETRIES.afterFailures(failures).toSeconds()))));
    }

    @Override
    public void close() {
        tracker.close();
    }

    /** Returns the shortest interval of the links with a candidate of this name. */
    private Optional<Duration> shortest(Host.Name name, Function<MeshLink, OptionalInt> seconds) {
        return links.stream()
                .filter(link -> names(link).anyMatch(name::equals))
                .flatMap(link -> seconds.apply(link).stream().mapToObj(Duration::ofSeconds))
                .min(Duration::compareTo);
    }

    private static Stream<Host.Name> names(MeshLink link) {
        return link.candidates().stream()
                .map(Endpoint::host)
                .flatMap(host -> host instanceof Host.Name name ? Stream.of(name) : Stream.empty());
    }
}
