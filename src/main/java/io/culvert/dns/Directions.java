package io.culvert.dns;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.util.List;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/** Whom to ask for which names. */
final class Directions {

    private record Route(Name suffix, Forwarder forwarder) {}

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
                        .map(route -> new Route(name(route.suffix()), new Forwarder(route.upstreams(), patience)))
                        .sorted((a, b) -> b.suffix.labels() - a.suffix.labels())
                        .toList());
    }

    /** Who knows this name: the one with the longest suffix of it. */
    Forwarder to(Name name) {
        return routes.stream()
                .filter(route -> name.subdomain(route.suffix))
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
