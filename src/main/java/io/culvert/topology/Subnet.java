package io.culvert.topology;

import java.util.List;
import java.util.Optional;

/**
 * A network of its own: each of its members has an interface in it.
 *
 * @param presharedKeyFile may hold {@code {a}} and {@code {b}}: then each pair of peers has a file of its own
 */
record Subnet(Written<String> name, List<EndpointRow> endpoints, Optional<Written<String>> presharedKeyFile) {

    Subnet {
        endpoints = List.copyOf(endpoints);
    }
}
