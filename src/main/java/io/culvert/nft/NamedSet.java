// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.DisjointPrefixes;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A named set, whose elements may change while the rules that refer to it stay.
 *
 * @param key the type of an element; several parts are a concatenation
 * @param interval whether elements may be prefixes; they must not overlap
 * @param timeoutSeconds after which the elements expire; 0: never
 * @param elements in the form of {@code key}: a {@link NftValue.Tuple} if it has several parts
 */
public record NamedSet(String name, List<Part> key, boolean interval, int timeoutSeconds, List<NftValue> elements) {

    /** A part of a set's key, by nft's own name of its type. */
    public enum Part {
        IPV4("ipv4_addr"),
        IPV6("ipv6_addr"),
        TRANSPORT("inet_proto"),
        PORT("inet_service");

        private final String word;

        Part(String word) {
            this.word = word;
        }

        @Override
        public String toString() {
            return word;
        }
    }

    public NamedSet {
        Table.requireIdentifier(name);
        key = List.copyOf(key);
        elements = List.copyOf(elements);
        if (key.isEmpty()) {
            throw new IllegalArgumentException("the set " + name + " has no key");
        }
    }

    /** Creates a set whose elements do not expire. */
    public NamedSet(String name, List<Part> key, boolean interval, List<NftValue> elements) {
        this(name, key, interval, 0, elements);
    }

    /** Creates a set of the prefixes of one family, without those that another one contains. */
    public static NamedSet ofPrefixes(String name, Family family, Collection<Prefix> prefixes) {
        List<Prefix> ofFamily =
                prefixes.stream().filter(prefix -> prefix.family() == family).toList();
        return new NamedSet(
                name,
                List.of(family == Family.IPV4 ? Part.IPV4 : Part.IPV6),
                true,
                DisjointPrefixes.of(ofFamily).stream()
                        .<NftValue>map(NftValue.Address::new)
                        .toList());
    }

    public NamedSet withElements(List<NftValue> newElements) {
        return new NamedSet(name, key, interval, timeoutSeconds, newElements);
    }

    /** Returns the type as nft writes it, such as {@code ipv4_addr . inet_proto}. */
    String type() {
        return key.stream().map(Part::toString).collect(Collectors.joining(" . "));
    }
}
