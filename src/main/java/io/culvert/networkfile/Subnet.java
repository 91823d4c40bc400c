// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.List;
import java.util.Optional;

/**
 * A subnet of the mesh, in which each of its peers has an interface.
 *
 * @param presharedKeyFile may contain {@code {a}} and {@code {b}}, for one file per pair of peers
 */
record Subnet(
        LocatedValue<String> name, List<EndpointEntry> endpoints, Optional<LocatedValue<String>> presharedKeyFile) {

    Subnet {
        endpoints = List.copyOf(endpoints);
    }
}
