package io.culvert.topology;

import io.culvert.wireguard.PublicKey;
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
        Written<String> name,
        List<Membership> subnets,
        List<Written<String>> groups,
        List<EndpointRow> endpoints,
        Written<PublicKey> publicKey,
        Optional<Written<String>> privateKeyFile,
        boolean external,
        boolean exit,
        Optional<Written<String>> via,
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
