// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/**
 * Routes queries to upstream servers by name. Responses of the tunnel's and the mesh's servers are cached; those of the
 * container's own resolver are not, as it is near and containers come and go.
 */
final class DnsRouting implements QueryHandler {

    private static final int CACHE_CAPACITY = 2000;

    private static final Pattern CONTAINER_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_-]*");

    /** The number of labels of a single-label name, including the root. */
    private static final int SINGLE_LABEL_COUNT = 2;

    /** Takes precedence over routes for more than one name. */
    private static final int EXACT_PRECEDENCE = Integer.MAX_VALUE;

    private record Route(Predicate<DnsQuery> condition, int precedence, QueryHandler handler) {}

    private final Timeouts timeouts;
    private final LongSupplier nanoTime;
    private final ResponseCache cache;
    private final Resolver defaultResolver;
    private final List<Route> routes;

    /** @param nanoTime a monotonic clock in nanoseconds, like {@link System#nanoTime} */
    DnsRouting(Upstreams defaultResolver, List<DnsRoute> routes, Timeouts timeouts, LongSupplier nanoTime) {
        this.timeouts = timeouts;
        this.nanoTime = nanoTime;
        this.cache = new ResponseCache(CACHE_CAPACITY, nanoTime);
        this.defaultResolver = cached(defaultResolver);
        this.routes = routes.stream()
                .map(this::route)
                .sorted(Comparator.comparingInt(Route::precedence).reversed())
                .toList();
    }

    /** Responds by the route with the longest matching suffix. */
    @Override
    public Message resolve(DnsQuery query, int id) throws NoResponseException {
        for (Route route : routes) {
            if (route.condition.test(query)) {
                return route.handler.resolve(query, id);
            }
        }
        return defaultResolver.resolve(query);
    }

    private Route route(DnsRoute route) {
        return switch (route) {
            case DnsRoute.Suffix suffix -> {
                Resolver resolver = cached(suffix.upstreams());
                yield suffixRoute(suffix.suffix(), resolver);
            }
            case DnsRoute.ExactName exact -> {
                Name name = name(exact.name());
                Resolver resolver = cached(exact.upstreams());
                yield new Route(
                        query -> query.name().equals(name), EXACT_PRECEDENCE, (query, _) -> resolver.resolve(query));
            }
            case DnsRoute.Containers containers -> {
                int labels = name(containers.domain()).labels() + 1;
                Resolver resolver = uncached(containers.upstreams());
                yield suffixRoute(
                        containers.domain(),
                        query -> query.name().labels() == labels && isContainerName(query.name())
                                ? resolver.resolve(query)
                                : Resolver.empty(query.name().labels() < labels ? Rcode.NOERROR : Rcode.NXDOMAIN));
            }
            case DnsRoute.Cluster cluster -> cluster(cluster);
            case DnsRoute.Unqualified unqualified ->
                new Route(
                        query -> query.name().labels() == SINGLE_LABEL_COUNT
                                && isContainerName(query.name())
                                && isAddressType(query.type()),
                        0,
                        new ContainerEngineNames(new Forwarder(unqualified.upstreams(), timeouts), defaultResolver));
        };
    }

    private Route cluster(DnsRoute.Cluster cluster) {
        Resolver resolver = uncached(cluster.upstreams());
        ClusterNames names = new ClusterNames(
                name(cluster.domain()),
                cluster.search().stream().map(DnsRouting::name).toList(),
                TopLevelDomains.read(),
                nanoTime);
        return suffixRoute(cluster.domain(), query -> switch (names.decide(query.name())) {
            case ClusterNames.Decision.Absent _ -> Resolver.empty(Rcode.NXDOMAIN);
            case ClusterNames.Decision.Empty _ -> Resolver.empty(Rcode.NOERROR);
            case ClusterNames.Decision.Forward(List<Name> unlessExist) ->
                anyExists(unlessExist, query.type()) ? Resolver.empty(Rcode.NXDOMAIN) : resolver.resolve(query);
        });
    }

    /**
     * Returns whether one of these names exists on the internet; the client queries it next, so the response is cached.
     */
    private boolean anyExists(List<Name> names, int type) throws NoResponseException {
        for (Name name : names) {
            int code = defaultResolver.resolve(DnsQuery.plain(name, type)).getRcode();
            if (code == Rcode.NOERROR) {
                return true;
            }
            if (code != Rcode.NXDOMAIN) {
                throw new NoResponseException(
                        ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY,
                        "the DNS servers of the tunnel do not resolve " + name + ": " + Rcode.string(code));
            }
        }
        return false;
    }

    private static Route suffixRoute(String suffix, Resolver resolver) {
        Name domain = name(suffix);
        return new Route(
                query -> query.name().subdomain(domain), domain.labels(), (query, _) -> resolver.resolve(query));
    }

    /** A label may contain any bytes, even dots: {@code secret\\.example.} has a single label before the root. */
    private static boolean isContainerName(Name name) {
        return CONTAINER_NAME.matcher(name.getLabelString(0)).matches();
    }

    private static boolean isAddressType(int type) {
        return type == Type.A || type == Type.AAAA;
    }

    private Resolver uncached(Upstreams upstreams) {
        return new CoalescingResolver(new Forwarder(upstreams, timeouts)::query, timeouts.total());
    }

    private Resolver cached(Upstreams upstreams) {
        Resolver uncached = uncached(upstreams);
        return query -> {
            Optional<Message> cachedAnswer = cache.get(query);
            if (cachedAnswer.isPresent()) {
                return cachedAnswer.get();
            }
            Message response = uncached.resolve(query);
            cache.put(query, response);
            return response;
        };
    }

    private static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new ProblemException(Problem.input(
                    Location.machine("DNS"),
                    "'" + text + "' is not a domain",
                    "use a domain such as mesh.example.net"));
        }
    }
}
