// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Determines the endpoint entries that apply to a connecting peer: those of the subnet, those of the groups that both
 * peers belong to, in the order of the connecting peer's groups, and those of the other peer. For each key the last one
 * applies.
 */
final class Endpoints {

    private record Row(EndpointEntry entry, BitSet matchingPeers) {

        boolean hasHost() {
            return entry.hasHost();
        }
    }

    private final NetworkDefinition network;
    private final PeerLinks links;
    private final List<List<Row>> subnetEntries = new ArrayList<>();
    private final Map<String, List<Row>> groupEntries = new HashMap<>();
    private final List<List<Row>> memberEntries = new ArrayList<>();
    /** Subnets and peers whose entries do not apply to all peers. */
    private final BitSet selectiveSubnets = new BitSet();

    private final BitSet selectiveMembers = new BitSet();
    private final Map<Long, MergedEndpoint> merged = new HashMap<>();

    Endpoints(NetworkDefinition network, PeerLinks links) {
        this.network = network;
        this.links = links;
        network.subnets().forEach(subnet -> subnetEntries.add(rows(subnet.endpoints())));
        network.groups().forEach(group -> groupEntries.put(group.name().value(), rows(group.endpoints())));
        network.members().forEach(member -> memberEntries.add(rows(member.endpoints())));
        for (int i = 0; i < subnetEntries.size(); i++) {
            selectiveSubnets.set(i, selects(network.subnets().get(i).endpoints()));
        }
        for (int i = 0; i < memberEntries.size(); i++) {
            Member member = network.members().get(i);
            boolean inGroup = member.groups().stream()
                    .anyMatch(group ->
                            !groupEntries.getOrDefault(group.value(), List.of()).isEmpty());
            selectiveMembers.set(i, inGroup || selects(member.endpoints()));
        }
    }

    private static boolean selects(List<EndpointEntry> entries) {
        return entries.stream().anyMatch(entry -> !entry.match().isEmpty());
    }

    private List<Row> rows(List<EndpointEntry> entries) {
        return entries.stream()
                .map(entry -> new Row(entry, links.select(entry.match())))
                .toList();
    }

    /** Returns the merged entries; cached where they are the same for all connecting peers. */
    MergedEndpoint merged(int from, int of, int subnet) {
        if (!isSameForAll(of, subnet)) {
            return MergedEndpoint.of(applicable(from, of, subnet));
        }
        return merged.computeIfAbsent(((long) subnet << 32) | of, _ -> MergedEndpoint.of(applicable(from, of, subnet)));
    }

    private boolean isSameForAll(int of, int subnet) {
        return !selectiveSubnets.get(subnet) && !selectiveMembers.get(of);
    }

    /** Returns the entries that apply, in the order of merging. */
    List<EndpointEntry> applicable(int from, int of, int subnet) {
        List<EndpointEntry> applicable = new ArrayList<>();
        add(applicable, subnetEntries.get(subnet), from);
        for (LocatedValue<String> group : network.members().get(from).groups()) {
            List<Row> rows = groupEntries.get(group.value());
            if (rows != null
                    && !rows.isEmpty()
                    && links.groupMembers(group.value()).get(of)) {
                add(applicable, rows, from);
            }
        }
        add(applicable, memberEntries.get(of), from);
        return applicable;
    }

    /** Returns the peers for which an entry with a host applies, even if it has no port. */
    BitSet peersWithHost(int of, int subnet) {
        BitSet peers = new BitSet();
        subnetEntries.get(subnet).stream().filter(Row::hasHost).forEach(row -> peers.or(row.matchingPeers));
        memberEntries.get(of).stream().filter(Row::hasHost).forEach(row -> peers.or(row.matchingPeers));
        for (LocatedValue<String> group : network.members().get(of).groups()) {
            for (Row row : groupEntries.getOrDefault(group.value(), List.of())) {
                if (row.hasHost()) {
                    BitSet inGroup = (BitSet) row.matchingPeers.clone();
                    inGroup.and(links.groupMembers(group.value()));
                    peers.or(inGroup);
                }
            }
        }
        return peers;
    }

    private static void add(List<EndpointEntry> applicable, List<Row> rows, int from) {
        for (Row row : rows) {
            if (row.matchingPeers.get(from)) {
                applicable.add(row.entry);
            }
        }
    }
}
