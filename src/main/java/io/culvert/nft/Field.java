package io.culvert.nft;

import java.util.List;

/** What a rule looks at. */
public sealed interface Field {

    /** One property of a packet. */
    enum Property implements Field {
        MARK("meta", "mark", "meta mark"),
        /** The link a packet came in by, by name: it need not exist yet. */
        INPUT_LINK("meta", "iifname", "iifname"),
        /** The link a packet leaves by, by name: it need not exist yet. */
        OUTPUT_LINK("meta", "oifname", "oifname"),
        TRANSPORT("meta", "l4proto", "meta l4proto"),
        FAMILY("meta", "nfproto", "meta nfproto"),
        DIRECTION("ct", "direction", "ct direction"),
        CONNECTION_MARK("ct", "mark", "ct mark"),
        IPV4_SOURCE("ip", "saddr", "ip saddr"),
        IPV4_DESTINATION("ip", "daddr", "ip daddr"),
        IPV6_SOURCE("ip6", "saddr", "ip6 saddr"),
        IPV6_DESTINATION("ip6", "daddr", "ip6 daddr"),
        ICMP_TYPE("icmp", "type", "icmp type"),
        ICMPV6_TYPE("icmpv6", "type", "icmpv6 type"),
        /** Of whatever transport: only behind a match on {@link #TRANSPORT}. */
        SOURCE_PORT("th", "sport", "th sport"),
        /** Of whatever transport: only behind a match on {@link #TRANSPORT}. */
        DESTINATION_PORT("th", "dport", "th dport"),
        TCP_FLAGS("tcp", "flags", "tcp flags"),
        TCP_DESTINATION_PORT("tcp", "dport", "tcp dport"),
        UDP_SOURCE_PORT("udp", "sport", "udp sport"),
        UDP_DESTINATION_PORT("udp", "dport", "udp dport"),
        ARP_SENDER("arp", "saddr ip", "arp saddr ip"),
        ARP_TARGET("arp", "daddr ip", "arp daddr ip");

        private final String group;
        private final String word;
        private final String text;

        Property(String group, String word, String text) {
            this.group = group;
            this.word = word;
            this.text = text;
        }

        /** {@code meta}, {@code ct}, or the protocol whose header it stands in. */
        String group() {
            return group;
        }

        String word() {
            return word;
        }

        /** As nft's syntax has it. */
        String text() {
            return text;
        }
    }

    /** Some bits of a property. */
    record Masked(Property key, long mask) implements Field {}

    /** Several properties at once, to be looked up in a set whose key has as many parts. */
    record Joined(List<Property> keys) implements Field {

        public Joined {
            keys = List.copyOf(keys);
        }

        public static Joined of(Property... keys) {
            return new Joined(List.of(keys));
        }
    }
}
