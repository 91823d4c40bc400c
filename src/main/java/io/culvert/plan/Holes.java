package io.culvert.plan;

import static io.culvert.nft.Statement.is;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.nft.Field.Joined;
import io.culvert.nft.Field.Property;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NamedSet.Part;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Value;
import io.culvert.plan.GuardInput.Hole;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Builds the sets and rules of the bypasses. They are elements of sets, so that there may be thousands. */
final class Holes {

    /**
     * The parts of a destination that a bypass specifies. Each kind has a set of its own: overlapping elements of one set are
     * nested, and the smaller ones are left out, because the kernel refuses overlapping elements.
     */
    private enum Kind {
        NETWORK("bypass"),
        TRANSPORT("bypass_transport"),
        PORT("bypass_port");

        private final String name;

        Kind(String name) {
            this.name = name;
        }

        static Kind of(Hole hole) {
            if (hole.port().isPresent()) {
                return PORT;
            }
            return hole.transport().isPresent() ? TRANSPORT : NETWORK;
        }
    }

    private final Map<Kind, List<Hole>> holes;

    Holes(Collection<Hole> holes) {
        this.holes = holes.stream().collect(Collectors.groupingBy(Kind::of));
    }

    /** Returns the sets of both families for each kind in use: a name may resolve to the other family later. */
    List<NamedSet> sets() {
        List<NamedSet> sets = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            if (holes.containsKey(kind)) {
                for (Family family : Family.values()) {
                    sets.add(new NamedSet(name(kind, family), key(kind, family), true, elements(kind, family)));
                }
            }
        }
        return sets;
    }

    /** Returns the rules for bypasses with a port. They precede the rule against DNS: a bypass to port 53 is intended. */
    List<Rule> rulesWithPort(String comment) {
        return rules(Kind.PORT, comment);
    }

    List<Rule> rulesWithoutPort(String comment) {
        List<Rule> rules = new ArrayList<>(rules(Kind.TRANSPORT, comment + " by protocol"));
        rules.addAll(rules(Kind.NETWORK, comment));
        return rules;
    }

    private List<Rule> rules(Kind kind, String comment) {
        if (!holes.containsKey(kind)) {
            return List.of();
        }
        return Arrays.stream(Family.values())
                .map(family -> {
                    Property to = Match.destination(family);
                    var field = switch (kind) {
                        case NETWORK -> to;
                        case TRANSPORT -> Joined.of(to, Property.TRANSPORT);
                        case PORT -> Joined.of(to, Property.TRANSPORT, Property.DESTINATION_PORT);
                    };
                    return Rule.of(
                            comment + ", " + GuardRuleset.name(family),
                            is(field, new Value.In(name(kind, family))),
                            Verdict.ACCEPT);
                })
                .toList();
    }

    private List<Value> elements(Kind kind, Family family) {
        List<Value> elements = new ArrayList<>();
        Map<List<Value>, List<Prefix>> byRest = new LinkedHashMap<>();
        for (Hole hole : holes.getOrDefault(kind, List.of())) {
            if (hole.to().family() == family) {
                for (List<Value> rest : rests(hole)) {
                    byRest.computeIfAbsent(rest, _ -> new ArrayList<>()).add(hole.to());
                }
            }
        }
        byRest.forEach((rest, prefixes) -> {
            for (Prefix prefix : Disjoint.of(prefixes)) {
                List<Value> parts = new ArrayList<>();
                parts.add(new Value.Address(prefix));
                parts.addAll(rest);
                elements.add(parts.size() == 1 ? parts.getFirst() : new Value.Tuple(parts));
            }
        });
        return elements;
    }

    /** Returns the parts of the elements after the address, one for each transport protocol. */
    private static List<List<Value>> rests(Hole hole) {
        List<Value> port =
                hole.port().isPresent() ? List.of(new Value.Decimal(hole.port().getAsInt())) : List.of();
        if (hole.transport().isEmpty() && port.isEmpty()) {
            return List.of(List.of());
        }
        List<Transport> transports = hole.transport().map(List::of).orElse(List.of(Transport.TCP, Transport.UDP));
        List<List<Value>> rests = new ArrayList<>();
        for (Transport transport : transports) {
            List<Value> rest = new ArrayList<>();
            rest.add(Value.Word.of(transport));
            rest.addAll(port);
            rests.add(rest);
        }
        return rests;
    }

    private static List<Part> key(Kind kind, Family family) {
        Part address = family == Family.IPV4 ? Part.IPV4 : Part.IPV6;
        return switch (kind) {
            case NETWORK -> List.of(address);
            case TRANSPORT -> List.of(address, Part.TRANSPORT);
            case PORT -> List.of(address, Part.TRANSPORT, Part.PORT);
        };
    }

    private static String name(Kind kind, Family family) {
        return kind.name + (family == Family.IPV4 ? "4" : "6");
    }
}
