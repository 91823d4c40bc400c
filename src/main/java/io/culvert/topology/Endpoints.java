package io.culvert.topology;

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

    private record Row(EndpointRow entry, BitSet seenBy) {

        boolean tellsWhere() {
            return entry.tellsWhere();
        }
    }

    private final Network network;
    private final Links links;
    private final List<List<Row>> ofSubnets = new ArrayList<>();
    private final Map<String, List<Row>> ofGroups = new HashMap<>();
    private final List<List<Row>> ofMembers = new ArrayList<>();
    /** Subnets and peers whose entries do not apply to all peers. */
    private final BitSet selectiveSubnets = new BitSet();

    private final BitSet selective = new BitSet();
    private final Map<Long, MergedEndpoint> merged = new HashMap<>();

    Endpoints(Network network, Links links) {
        this.network = network;
        this.links = links;
        network.subnets().forEach(subnet -> ofSubnets.add(rows(subnet.endpoints())));
        network.groups().forEach(group -> ofGroups.put(group.name().value(), rows(group.endpoints())));
        network.members().forEach(member -> ofMembers.add(rows(member.endpoints())));
        for (int i = 0; i < ofSubnets.size(); i++) {
            selectiveSubnets.set(i, selects(network.subnets().get(i).endpoints()));
        }
        for (int i = 0; i < ofMembers.size(); i++) {
            Member member = network.members().get(i);
            boolean inGroup = member.groups().stream()
                    .anyMatch(group ->
                            !ofGroups.getOrDefault(group.value(), List.of()).isEmpty());
            selective.set(i, inGroup || selects(member.endpoints()));
        }
    }

    private static boolean selects(List<EndpointRow> entries) {
        return entries.stream().anyMatch(entry -> !entry.match().isEmpty());
    }

    private List<Row> rows(List<EndpointRow> entries) {
        return entries.stream()
                .map(entry -> new Row(entry, links.select(entry.match())))
                .toList();
    }

    /** Returns the merged entries; cached where they are the same for all connecting peers. */
    MergedEndpoint merged(int from, int of, int subnet) {
        if (!sameForAll(of, subnet)) {
            return MergedEndpoint.of(seen(from, of, subnet));
        }
        return merged.computeIfAbsent(((long) subnet << 32) | of, _ -> MergedEndpoint.of(seen(from, of, subnet)));
    }

    private boolean sameForAll(int of, int subnet) {
        return !selectiveSubnets.get(subnet) && !selective.get(of);
    }

    /** Returns the entries that apply, in the order of merging. */
    List<EndpointRow> seen(int from, int of, int subnet) {
        List<EndpointRow> seen = new ArrayList<>();
        add(seen, ofSubnets.get(subnet), from);
        for (Written<String> group : network.members().get(from).groups()) {
            List<Row> rows = ofGroups.get(group.value());
            if (rows != null && !rows.isEmpty() && links.bearers(group.value()).get(of)) {
                add(seen, rows, from);
            }
        }
        add(seen, ofMembers.get(of), from);
        return seen;
    }

    /** Returns the peers for which an entry with a host applies, even if it has no port. */
    BitSet seeingHost(int of, int subnet) {
        BitSet seeing = new BitSet();
        ofSubnets.get(subnet).stream().filter(Row::tellsWhere).forEach(row -> seeing.or(row.seenBy));
        ofMembers.get(of).stream().filter(Row::tellsWhere).forEach(row -> seeing.or(row.seenBy));
        for (Written<String> group : network.members().get(of).groups()) {
            for (Row row : ofGroups.getOrDefault(group.value(), List.of())) {
                if (row.tellsWhere()) {
                    BitSet alike = (BitSet) row.seenBy.clone();
                    alike.and(links.bearers(group.value()));
                    seeing.or(alike);
                }
            }
        }
        return seeing;
    }

    private static void add(List<EndpointRow> seen, List<Row> rows, int from) {
        for (Row row : rows) {
            if (row.seenBy.get(from)) {
                seen.add(row.entry);
            }
        }
    }
}
