package io.culvert.topology;

import io.culvert.wireguard.PublicKey;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * A peer of the network file.
 *
 * @param external whether it is set up by its own means, such as a phone with a QR code
 * @param exit whether it passes packets on to the internet, for those who leave {@code via} it
 * @param via the peer through which all its packets leave
 * @param dns the name servers for the files of devices that set their own
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
