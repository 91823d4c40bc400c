// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;

/** The left side of a match: what is compared. */
public sealed interface MatchField {

    /** One property of a packet. */
    enum Property implements MatchField {
        MARK("meta", "mark", "meta mark"),
        /** The packet's priority, by default that of the socket that sent it (SO_PRIORITY, socket(7)). */
        PRIORITY("meta", "priority", "meta priority"),
        /** The name of the input interface, which need not exist yet. */
        INPUT_LINK("meta", "iifname", "iifname"),
        /** The name of the output interface, which need not exist yet. */
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
        /** Of any transport protocol; requires a match on {@link #TRANSPORT} before. */
        SOURCE_PORT("th", "sport", "th sport"),
        /** Of any transport protocol; requires a match on {@link #TRANSPORT} before. */
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

        /** Returns {@code meta}, {@code ct}, or the protocol of the header. */
        String group() {
            return group;
        }

        String keyword() {
            return word;
        }

        /** Returns the field in the syntax of nft. */
        String text() {
            return text;
        }
    }

    /** Some bits of a property. */
    record Masked(Property key, long mask) implements MatchField {}

    /** A concatenation of properties, for a lookup in a set whose key has as many parts. */
    record Joined(List<Property> keys) implements MatchField {

        public Joined {
            keys = List.copyOf(keys);
        }

        public static Joined of(Property... keys) {
            return new Joined(List.of(keys));
        }
    }
}
