// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Endpoint;
import io.culvert.net.Prefix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/** Lists all peers, with {@code ●} for those that have an endpoint and {@code ○} for those that do not. */
final class Overview {

    private record Row(String branch, String name, String addresses, String where, String more) {}

    private final NetworkDefinition network;

    Overview(Topology topology) {

        this.network = topology.network();
    }

    /** Returns a tree of subnets, groups and peers. */
    String tree() {
        StringBuilder text = new StringBuilder();
        for (Subnet subnet : network.subnets()) {
            String name = subnet.name().value();
            List<Member> members = members(name);
            text.append(name).append("  ").append(networks(name, members)).append('\n');
            List<Row> rows = new ArrayList<>();
            addBranches(name, members, rows);
            write(rows, text);
        }
        return text.toString();
    }

    /** Returns a list of peers. */
    String list() {
        StringBuilder text = new StringBuilder();
        List<Row> rows = new ArrayList<>();
        for (Member member : network.members()) {
            for (Membership membership : member.subnets()) {
                rows.add(row("", membership.subnet().value(), member));
            }
        }
        write(rows, text);
        return text.toString();
    }

    private List<Member> members(String subnet) {
        return network.members().stream()
                .filter(member -> member.in(subnet).isPresent())
                .toList();
    }

    private static String networks(String subnet, List<Member> members) {
        return members.stream()
                .flatMap(member -> member.in(subnet).orElseThrow().addresses().stream())
                .map(address -> address.value().network())
                .distinct()
                .sorted(Comparator.comparing(Prefix::family).thenComparing(Prefix::toString))
                .limit(4)
                .map(Prefix::toString)
                .collect(Collectors.joining(", "));
    }

    /** Adds the peers of a subnet, each under its first group. */
    private void addBranches(String subnet, List<Member> members, List<Row> rows) {
        Map<String, List<Member>> grouped = new LinkedHashMap<>();
        network.groups().forEach(group -> grouped.put(group.name().value(), new ArrayList<>()));
        List<Member> others = new ArrayList<>();
        for (Member member : members) {
            List<Member> list = member.groups().isEmpty()
                    ? others
                    : grouped.getOrDefault(member.groups().getFirst().value(), others);
            list.add(member);
        }
        grouped.values().removeIf(List::isEmpty);
        int remaining = grouped.size() + others.size();
        for (Map.Entry<String, List<Member>> group : grouped.entrySet()) {
            remaining--;
            rows.add(new Row((remaining == 0 ? "└─ " : "├─ ") + group.getKey(), "", "", "", ""));
            addLeaves(remaining == 0 ? "   " : "│  ", subnet, group.getValue(), rows);
        }
        addLeaves("", subnet, others, rows);
    }

    private void addLeaves(String indent, String subnet, List<Member> members, List<Row> rows) {
        for (int i = 0; i < members.size(); i++) {
            rows.add(row(indent + (i == members.size() - 1 ? "└─ " : "├─ "), subnet, members.get(i)));
        }
    }

    private Row row(String branch, String subnet, Member member) {
        Optional<String> where = where(subnet, member);
        return new Row(
                branch + (where.isPresent() ? "● " : "○ "),
                member.name().value(),
                member.in(subnet).orElseThrow().addresses().stream()
                        .map(address -> Prefix.text(address.value().address()))
                        .collect(Collectors.joining(", ")),
                where.orElse(""),
                more(member));
    }

    /** Returns the endpoint that applies to most peers: from entries without filters, if any. */
    private Optional<String> where(String subnet, Member member) {
        List<EndpointEntry> rows = new ArrayList<>();
        network.subnets().stream()
                .filter(it -> it.name().value().equals(subnet))
                .forEach(it -> rows.addAll(it.endpoints()));
        rows.addAll(member.endpoints());
        List<EndpointEntry> forAll =
                rows.stream().filter(row -> row.match().isEmpty()).toList();
        Optional<LocatedValue<Integer>> port = member.in(subnet).flatMap(Membership::listenPort);
        List<Endpoint> endpoints = MergedEndpoint.of(forAll).endpoints(port);
        if (endpoints.isEmpty()) {
            endpoints = MergedEndpoint.of(rows).endpoints(port);
        }
        return endpoints.isEmpty()
                ? Optional.empty()
                : Optional.of(endpoints.stream().map(Endpoint::toString).collect(Collectors.joining(", ")));
    }

    private static String more(Member member) {
        List<String> more = new ArrayList<>();
        if (member.exit()) {
            more.add("exit");
        }
        member.via().ifPresent(via -> more.add("via " + via.value()));
        if (!member.routes().isEmpty()) {
            more.add("routes "
                    + member.routes().stream()
                            .map(route -> route.to().value().toString())
                            .collect(Collectors.joining(", ")));
        }
        if (member.external()) {
            more.add("external");
        }
        return String.join("; ", more);
    }

    private static void write(List<Row> rows, StringBuilder text) {
        int names = width(rows, row -> row.branch().length() + row.name().length());
        int addresses = width(rows, row -> row.addresses().length());
        int endpoints = width(rows, row -> row.where().length());
        for (Row row : rows) {
            String line = padded(row.branch() + row.name(), names)
                    + padded(row.addresses(), addresses)
                    + padded(row.where(), endpoints)
                    + row.more();
            text.append(line.stripTrailing()).append('\n');
        }
    }

    private static int width(List<Row> rows, ToIntFunction<Row> of) {
        return rows.stream().mapToInt(of).max().orElse(0) + 2;
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }
}
