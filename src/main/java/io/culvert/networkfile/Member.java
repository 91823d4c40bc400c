// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.wireguard.config.PublicKey;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * A peer of the network file.
 *
 * @param external whether it is not configured by Culvert, such as a phone with a QR code
 * @param exit whether it is an exit node for peers that name it in {@code via}
 * @param via the exit node that this peer uses
 * @param dns the DNS servers in the files of devices that configure their own
 */
record Member(
        LocatedValue<String> name,
        List<Membership> subnets,
        List<LocatedValue<String>> groups,
        List<EndpointEntry> endpoints,
        LocatedValue<PublicKey> publicKey,
        Optional<LocatedValue<String>> privateKeyFile,
        boolean external,
        boolean exit,
        Optional<LocatedValue<String>> via,
        List<SiteRoute> routes,
        List<InetAddress> dns) {

    Member {
        subnets = List.copyOf(subnets);
        groups = List.copyOf(groups);
        endpoints = List.copyOf(endpoints);
        routes = List.copyOf(routes);
        dns = List.copyOf(dns);
    }

    Optional<Membership> in(String subnet) {
        return subnets.stream()
                .filter(membership -> membership.subnet().value().equals(subnet))
                .findFirst();
    }
}
