// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The address ranges that are not globally reachable: the special-purpose registries of RFC 6890 (IANA
 * iana-ipv4-special-registry, iana-ipv6-special-registry), multicast, and all of IPv6 outside global unicast {@code
 * 2000::/3}. Each part of the program selects the ranges that it means.
 */
public enum SpecialRange {
    /** RFC 791, section 3.2: this network; 0.0.0.0 is the unspecified address. */
    THIS_NETWORK("0.0.0.0/8", "unspecified"),
    /** RFC 1918. */
    PRIVATE_10("10.0.0.0/8", "private"),
    /** RFC 6598: behind a provider's address translation; Tailscale takes the addresses of tailnets from it. */
    SHARED("100.64.0.0/10", "shared"),
    /** RFC 1122, section 3.2.1.3. */
    LOOPBACK_IPV4("127.0.0.0/8", "loopback"),
    /** RFC 3927. */
    LINK_LOCAL_IPV4("169.254.0.0/16", "link-local"),
    /** RFC 1918. */
    PRIVATE_172("172.16.0.0/12", "private"),
    /** RFC 6890, section 2.1. */
    PROTOCOLS_IPV4("192.0.0.0/24", "protocol assignments"),
    /** RFC 5737. */
    TEST_NET_1("192.0.2.0/24", "documentation"),
    /** RFC 7526. */
    FORMER_6TO4_RELAYS("192.88.99.0/24", "former 6to4 relays"),
    /** RFC 1918. */
    PRIVATE_192("192.168.0.0/16", "private"),
    /** RFC 2544. */
    BENCHMARKS("198.18.0.0/15", "benchmarks"),
    /** RFC 5737. */
    TEST_NET_2("198.51.100.0/24", "documentation"),
    /** RFC 5737. */
    TEST_NET_3("203.0.113.0/24", "documentation"),
    /** RFC 5771. */
    MULTICAST_IPV4("224.0.0.0/4", "multicast"),
    /** RFC 1112, section 4; it contains {@link #BROADCAST}. */
    RESERVED("240.0.0.0/4", "reserved"),
    /** RFC 919, section 7. */
    BROADCAST("255.255.255.255/32", "broadcast"),

    /** RFC 4291, section 2.4: unspecified, loopback, mapped and translated addresses. */
    BELOW_GLOBAL_UNICAST("::/3", "unassigned"),
    /** RFC 4291, section 2.5.2. */
    UNSPECIFIED_IPV6("::/128", "unspecified"),
    /** RFC 4291, section 2.5.3. */
    LOOPBACK_IPV6("::1/128", "loopback"),
    /** RFC 2928. */
    PROTOCOLS_IPV6("2001::/23", "protocol assignments"),
    /** RFC 3849. */
    DOCUMENTATION_2001("2001:db8::/32", "documentation"),
    /** RFC 3056. */
    FROM_6TO4("2002::/16", "6to4"),
    /** RFC 9637. */
    DOCUMENTATION_3FFF("3fff::/20", "documentation"),
    /** RFC 4291, section 2.4. */
    ABOVE_GLOBAL_UNICAST("4000::/2", "unassigned"),
    /** RFC 4291, section 2.4: the upper half, with unique local, link-local and multicast addresses. */
    UPPER_HALF_IPV6("8000::/1", "unassigned"),
    /** RFC 4193. */
    UNIQUE_LOCAL("fc00::/7", "unique local"),
    /** RFC 4291, section 2.5.6. */
    LINK_LOCAL_IPV6("fe80::/10", "link-local"),
    /** RFC 4291, section 2.7. */
    MULTICAST_IPV6("ff00::/8", "multicast");

    /** Ranges that are reachable from inside a private network only. */
    public static final List<Prefix> PRIVATE_NETWORKS =
            prefixes(PRIVATE_10, SHARED, LINK_LOCAL_IPV4, PRIVATE_172, PRIVATE_192, UNIQUE_LOCAL, LINK_LOCAL_IPV6);

    private static final List<Prefix> IPV4 = ofFamily(Family.IPV4);
    private static final List<Prefix> IPV6 = ofFamily(Family.IPV6);

    private final String text;
    private final String description;

    SpecialRange(String text, String description) {
        this.text = text;
        this.description = description;
    }

    /** Returns the prefixes of some ranges, in this order. */
    public static List<Prefix> prefixes(SpecialRange... ranges) {
        return Stream.of(ranges).map(SpecialRange::prefix).toList();
    }

    /** Returns some ranges as a list for the user, separated by commas. */
    public static String text(SpecialRange... ranges) {
        return Stream.of(ranges).map(range -> range.text).collect(Collectors.joining(", "));
    }

    /** Returns all prefixes of a family; some contain others. */
    static List<Prefix> all(Family family) {
        return family == Family.IPV4 ? IPV4 : IPV6;
    }

    private static List<Prefix> ofFamily(Family family) {
        return Stream.of(values())
                .map(SpecialRange::prefix)
                .filter(prefix -> prefix.family() == family)
                .toList();
    }

    /** Returns the loopback addresses of a family. */
    public static Prefix loopback(Family family) {
        return (family == Family.IPV4 ? LOOPBACK_IPV4 : LOOPBACK_IPV6).prefix();
    }

    public Prefix prefix() {
        return Prefix.parse(text);
    }

    /** Returns what the addresses are, in a word or two. */
    public String description() {
        return description;
    }
}
