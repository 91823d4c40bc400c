package io.culvert.dns;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
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
final class Directions implements Answering {

    private static final int CACHED = 2000;

    private static final Pattern CONTAINER = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_-]*");

    /** The number of labels of a single-label name, including the root. */
    private static final int UNQUALIFIED = 2;

    /** Takes precedence over routes for more than one name. */
    private static final int EXACT = Integer.MAX_VALUE;

    private record Route(Predicate<Question> meant, int rank, Answering answering) {}

    private final Patience patience;
    private final LongSupplier nanoTime;
    private final AnswerCache cache;
    private final Resolving others;
    private final List<Route> routes;

    /** @param nanoTime a monotonic clock in nanoseconds, like {@link System#nanoTime} */
    Directions(Upstreams others, List<DnsRoute> routes, Patience patience, LongSupplier nanoTime) {
        this.patience = patience;
        this.nanoTime = nanoTime;
        this.cache = new AnswerCache(CACHED, nanoTime);
        this.others = cached(others);
        this.routes = routes.stream()
                .map(this::route)
                .sorted(Comparator.comparingInt(Route::rank).reversed())
                .toList();
    }

    /** Answers by the route with the longest matching suffix. */
    @Override
    public Message answer(Question question, int id) throws NoAnswerException {
        for (Route route : routes) {
            if (route.meant.test(question)) {
                return route.answering.answer(question, id);
            }
        }
        return others.answer(question);
    }

    private Route route(DnsRoute route) {
        return switch (route) {
            case DnsRoute.Below below -> {
                Resolving resolving = cached(below.upstreams());
                yield under(below.suffix(), resolving);
            }
            case DnsRoute.Exactly exactly -> {
                Name name = name(exactly.name());
                Resolving resolving = cached(exactly.upstreams());
                yield new Route(asked -> asked.name().equals(name), EXACT, (asked, _) -> resolving.answer(asked));
            }
            case DnsRoute.Containers containers -> {
                int labels = name(containers.domain()).labels() + 1;
                Resolving resolving = direct(containers.upstreams());
                yield under(
                        containers.domain(),
                        asked -> asked.name().labels() == labels && isContainer(asked.name())
                                ? resolving.answer(asked)
                                : Resolving.empty(asked.name().labels() < labels ? Rcode.NOERROR : Rcode.NXDOMAIN));
            }
            case DnsRoute.Cluster cluster -> cluster(cluster);
            case DnsRoute.Unqualified unqualified ->
                new Route(
                        asked -> asked.name().labels() == UNQUALIFIED
                                && isContainer(asked.name())
                                && isAddress(asked.type()),
                        0,
                        new EngineNames(new Forwarder(unqualified.upstreams(), patience), others));
        };
    }

    private Route cluster(DnsRoute.Cluster cluster) {
        Resolving resolving = direct(cluster.upstreams());
        ClusterNames names = new ClusterNames(
                name(cluster.domain()),
                cluster.search().stream().map(Directions::name).toList(),
                TopLevelDomains.read(),
                nanoTime);
        return under(cluster.domain(), asked -> switch (names.of(asked.name())) {
            case ClusterNames.Decision.Absent _ -> Resolving.empty(Rcode.NXDOMAIN);
            case ClusterNames.Decision.Empty _ -> Resolving.empty(Rcode.NOERROR);
            case ClusterNames.Decision.Ask(List<Name> unless) ->
                anyExists(unless, asked.type()) ? Resolving.empty(Rcode.NXDOMAIN) : resolving.answer(asked);
        });
    }

    /**
     * Returns whether one of these names exists on the internet; the client queries it next, so the response is cached.
     */
    private boolean anyExists(List<Name> names, int type) throws NoAnswerException {
        for (Name name : names) {
            int code = others.answer(Question.plain(name, type)).getRcode();
            if (code == Rcode.NOERROR) {
                return true;
            }
            if (code != Rcode.NXDOMAIN) {
                throw new NoAnswerException(
                        ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY,
                        "the DNS servers of the tunnel do not resolve " + name + ": " + Rcode.string(code));
            }
        }
        return false;
    }

    private static Route under(String suffix, Resolving resolving) {
        Name domain = name(suffix);
        return new Route(
                asked -> asked.name().subdomain(domain), domain.labels(), (asked, _) -> resolving.answer(asked));
    }

    /** A label may contain any bytes, even dots: {@code secret\\.example.} has a single label before the root. */
    private static boolean isContainer(Name name) {
        return CONTAINER.matcher(name.getLabelString(0)).matches();
    }

    private static boolean isAddress(int type) {
        return type == Type.A || type == Type.AAAA;
    }

    private Resolving direct(Upstreams upstreams) {
        return new InFlight(new Forwarder(upstreams, patience)::ask, patience.all());
    }

    private Resolving cached(Upstreams upstreams) {
        Resolving direct = direct(upstreams);
        return question -> {
            Optional<Message> known = cache.get(question);
            if (known.isPresent()) {
                return known.get();
            }
            Message answer = direct.answer(question);
            cache.put(question, answer);
            return answer;
        };
    }

    private static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new ProblemException(Problem.input(
                    Place.machine("DNS"), "'" + text + "' is not a domain", "use a domain such as mesh.example.net"));
        }
    }
}
