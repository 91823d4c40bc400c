// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * The parsed contents of a network file, not yet checked for consistency.
 *
 * @param members sorted by name
 */
record NetworkDefinition(
        Path file,
        DeviceNames deviceNames,
        List<Subnet> subnets,
        List<Group> groups,
        List<Member> members,
        List<Connection> connections) {

    NetworkDefinition {
        subnets = List.copyOf(subnets);
        groups = List.copyOf(groups);
        members = members.stream()
                .sorted(Comparator.comparing(member -> member.name().value()))
                .toList();
        connections = List.copyOf(connections);
    }
}
