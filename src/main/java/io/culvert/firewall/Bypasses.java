// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.nft.Statement.is;

import io.culvert.net.Bypass;
import io.culvert.net.DisjointPrefixes;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.nft.MatchField.Joined;
import io.culvert.nft.MatchField.Property;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NamedSet.Part;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Builds the sets and rules of the bypasses. They are elements of sets, so that there may be thousands. */
final class Bypasses {

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

        static Kind of(Bypass bypass) {
            if (bypass.port().isPresent()) {
                return PORT;
            }
            return bypass.transport().isPresent() ? TRANSPORT : NETWORK;
        }
    }

    private final Map<Kind, List<Bypass>> bypasses;

    Bypasses(Collection<Bypass> bypasses) {
        this.bypasses = bypasses.stream().collect(Collectors.groupingBy(Kind::of));
    }

    /** Returns the sets of both families for each kind in use: a name may resolve to the other family later. */
    List<NamedSet> sets() {
        List<NamedSet> sets = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            if (bypasses.containsKey(kind)) {
                for (Family family : Family.values()) {
                    sets.add(new NamedSet(name(kind, family), key(kind, family), true, elements(kind, family)));
                }
            }
        }
        return sets;
    }

    /** Returns the rules for bypasses with a port. They precede the rule against DNS: a bypass to port 53 is intended. */
    List<NftRule> rulesWithPort(String comment) {
        return rules(Kind.PORT, comment);
    }

    List<NftRule> rulesWithoutPort(String comment) {
        List<NftRule> rules = new ArrayList<>(rules(Kind.TRANSPORT, comment + " by protocol"));
        rules.addAll(rules(Kind.NETWORK, comment));
        return rules;
    }

    private List<NftRule> rules(Kind kind, String comment) {
        if (!bypasses.containsKey(kind)) {
            return List.of();
        }
        return Arrays.stream(Family.values())
                .map(family -> {
                    Property to = Matches.destination(family);
                    var field = switch (kind) {
                        case NETWORK -> to;
                        case TRANSPORT -> Joined.of(to, Property.TRANSPORT);
                        case PORT -> Joined.of(to, Property.TRANSPORT, Property.DESTINATION_PORT);
                    };
                    return NftRule.of(
                            comment + ", " + family.text(),
                            is(field, new NftValue.In(name(kind, family))),
                            Verdict.ACCEPT);
                })
                .toList();
    }

    private List<NftValue> elements(Kind kind, Family family) {
        List<NftValue> elements = new ArrayList<>();
        Map<List<NftValue>, List<Prefix>> prefixesByTransport = new LinkedHashMap<>();
        for (Bypass bypass : bypasses.getOrDefault(kind, List.of())) {
            if (bypass.destination().family() == family) {
                for (List<NftValue> transportPart : transportParts(bypass)) {
                    prefixesByTransport
                            .computeIfAbsent(transportPart, _ -> new ArrayList<>())
                            .add(bypass.destination());
                }
            }
        }
        prefixesByTransport.forEach((transportPart, prefixes) -> {
            for (Prefix prefix : DisjointPrefixes.of(prefixes)) {
                List<NftValue> parts = new ArrayList<>();
                parts.add(new NftValue.Address(prefix));
                parts.addAll(transportPart);
                elements.add(parts.size() == 1 ? parts.getFirst() : new NftValue.Tuple(parts));
            }
        });
        return elements;
    }

    /** Returns the parts of the elements after the address, one for each transport protocol. */
    private static List<List<NftValue>> transportParts(Bypass bypass) {
        List<NftValue> port = bypass.port().isPresent()
                ? List.of(new NftValue.Decimal(bypass.port().getAsInt()))
                : List.of();
        if (bypass.transport().isEmpty() && port.isEmpty()) {
            return List.of(List.of());
        }
        List<Transport> transports = bypass.transport().map(List::of).orElse(List.of(Transport.TCP, Transport.UDP));
        List<List<NftValue>> transportParts = new ArrayList<>();
        for (Transport transport : transports) {
            List<NftValue> transportPart = new ArrayList<>();
            transportPart.add(NftValue.Word.of(transport));
            transportPart.addAll(port);
            transportParts.add(transportPart);
        }
        return transportParts;
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
