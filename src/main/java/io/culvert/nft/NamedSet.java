package io.culvert.nft;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A set that rules refer to and whose elements may change while the rules stay.
 *
 * @param key what one element is made of; several parts make a concatenation
 * @param interval whether elements may be prefixes; they must not overlap
 * @param timeoutSeconds after which the elements are gone; 0: never
 * @param elements of the shape of {@code key}: a {@link Value.Tuple} where it has several parts
 */
public record NamedSet(String name, List<Part> key, boolean interval, int timeoutSeconds, List<Value> elements) {

    /** A part of a set's key, in nft's own word for its type. */
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

    /** A set whose elements stay. */
    public NamedSet(String name, List<Part> key, boolean interval, List<Value> elements) {
        this(name, key, interval, 0, elements);
    }

    public NamedSet withElements(List<Value> others) {
        return new NamedSet(name, key, interval, timeoutSeconds, others);
    }

    /** The type as nft writes it, such as {@code ipv4_addr . inet_proto}. */
    String type() {
        return key.stream().map(Part::toString).collect(Collectors.joining(" . "));
    }
}
