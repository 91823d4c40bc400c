// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.List;
import java.util.stream.Stream;

/**
 * The addresses that are not globally reachable: the special-purpose registries of RFC 6890 (IANA
 * iana-ipv4-special-registry, iana-ipv6-special-registry), multicast, and all of IPv6 outside global unicast {@code
 * 2000::/3} (RFC 4291, section 2.4).
 */
final class SpecialPurpose {

    private static final List<Prefix> IPV4 = parse(
            "0.0.0.0/8", // this network
            "10.0.0.0/8", // private
            "100.64.0.0/10", // shared, behind a provider's address translation
            "127.0.0.0/8", // loopback
            "169.254.0.0/16", // link-local
            "172.16.0.0/12", // private
            "192.0.0.0/24", // protocol assignments
            "192.0.2.0/24", // documentation
            "192.88.99.0/24", // former 6to4 relays
            "192.168.0.0/16", // private
            "198.18.0.0/15", // benchmarks
            "198.51.100.0/24", // documentation
            "203.0.113.0/24", // documentation
            "224.0.0.0/4", // multicast
            "240.0.0.0/4"); // reserved, and the broadcast address

    private static final List<Prefix> IPV6 = parse(
            "::/3", // unspecified, loopback, mapped and translated addresses
            "2001::/23", // protocol assignments
            "2001:db8::/32", // documentation
            "2002::/16", // 6to4
            "3fff::/20", // documentation
            "4000::/2", // unassigned
            "8000::/1"); // unassigned, unique local, link-local, multicast

    private SpecialPurpose() {}

    static List<Prefix> prefixes(Family family) {
        return family == Family.IPV4 ? IPV4 : IPV6;
    }

    private static List<Prefix> parse(String... prefixes) {
        return Stream.of(prefixes).map(Prefix::parse).toList();
    }
}
