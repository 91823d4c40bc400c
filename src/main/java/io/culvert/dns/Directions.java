package io.culvert.dns;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/** Whom to ask for which names. */
final class Directions {

    /** A name of one label, and the root. */
    private static final int UNQUALIFIED = 2;

    private record Route(Predicate<Name> meant, int labels, Forwarder forwarder) {}

    private final Forwarder others;
    private final List<Route> routes;

    private Directions(Forwarder others, List<Route> routes) {
        this.others = others;
        this.routes = routes;
    }

    static Directions of(Upstreams others, List<DnsRoute> routes, Patience patience) {
        return new Directions(
                new Forwarder(others, patience),
                routes.stream()
                        .map(route -> route(route, new Forwarder(route.upstreams(), patience)))
                        .sorted(Comparator.comparingInt(Route::labels).reversed())
                        .toList());
    }

    private static Route route(DnsRoute route, Forwarder forwarder) {
        return switch (route) {
            case DnsRoute.Below below -> {
                Name suffix = name(below.suffix());
                yield new Route(asked -> asked.subdomain(suffix), suffix.labels(), forwarder);
            }
            case DnsRoute.Unqualified _ -> new Route(asked -> asked.labels() == UNQUALIFIED, 0, forwarder);
        };
    }

    /** Who knows this name: the one with the longest suffix of it. */
    Forwarder to(Name name) {
        return routes.stream()
                .filter(route -> route.meant().test(name))
                .map(Route::forwarder)
                .findFirst()
                .orElse(others);
    }

    private static Name name(String suffix) {
        try {
            return Name.fromString(suffix, Name.root);
        } catch (TextParseException e) {
            throw new ProblemException(Problem.input(
                    Place.machine("DNS"), "'" + suffix + "' is not a domain", "write it as in mesh.example.net"));
        }
    }
}
