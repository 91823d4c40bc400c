package io.culvert.topology;

import java.util.List;
import java.util.Optional;

/**
 * A subnet of the mesh, in which each of its peers has an interface.
 *
 * @param presharedKeyFile may contain {@code {a}} and {@code {b}}, for one file per pair of peers
 */
record Subnet(Written<String> name, List<EndpointRow> endpoints, Optional<Written<String>> presharedKeyFile) {

    Subnet {
        endpoints = List.copyOf(endpoints);
    }
}
