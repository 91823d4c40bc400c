// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Explains the link between two peers: which line of the file each value comes from. */
final class Explanation {

    private final Topology topology;
    private final NetworkDefinition network;

    private record Row(String name, String value, String source) {}

    private final StringBuilder text = new StringBuilder();
    private final List<Row> rows = new ArrayList<>();

    Explanation(Topology topology) {
        this.topology = topology;
        this.network = topology.network();
    }

    /** Returns the explanation; both peers must exist. */
    String of(int from, int to) {
        String fromName = network.members().get(from).name().value();
        String toName = network.members().get(to).name().value();
        for (NodeInterface mesh : topology.node(fromName).orElseThrow().interfaces()) {
            mesh.links().stream()
                    .filter(link -> link.peer().equals(toName))
                    .forEach(link -> addLink(from, to, mesh, link));
        }
        return text.isEmpty() ? notLinked(from, to) : text.toString();
    }

    private void addLink(int from, int to, NodeInterface mesh, MeshLink link) {
        int subnet = topology.links().subnet(mesh.subnet()).orElseThrow();
        Member toName = network.members().get(to);
        Membership membership = toName.in(mesh.subnet()).orElseThrow();
        if (!text.isEmpty()) {
            text.append('\n');
        }
        text.append(network.members().get(from).name().value())
                .append(" -> ")
                .append(link.peer())
                .append(" in subnet ")
                .append(mesh.subnet())
                .append(", interface ")
                .append(mesh.device())
                .append('\n');
        addRow("linked", "", "connection, line " + connectionLines(from, to, subnet));
        addRow(
                "public key",
                link.publicKey().toString(),
                "peer '" + link.peer() + "', line " + toName.publicKey().line());
        link.presharedKeyFile()
                .ifPresent(file -> addRow("preshared key", "in " + file, presharedKeySource(from, to, subnet)));
        membership
                .addresses()
                .forEach(address -> addRow(
                        "allowed",
                        Prefix.host(address.value().address()).toString(),
                        "peer '" + link.peer() + "', line " + address.line()));
        toName.routes().stream()
                .filter(route -> link.allowedIps().contains(route.to().value()))
                .forEach(route -> addRow(
                        "allowed",
                        route.to().value().toString(),
                        "its routes, line " + route.to().line()));
        network.members()
                .get(from)
                .via()
                .filter(via -> via.value().equals(link.peer()))
                .ifPresent(via -> {
                    if (link.allowedIps().stream().anyMatch(Prefix::isDefault)) {
                        addRow("allowed", "0.0.0.0/0, ::/0", "via, line " + via.line());
                    }
                });
        addEndpointRows(from, to, subnet, membership, link);
        appendRows();
    }

    private void addEndpointRows(int from, int to, int subnet, Membership membership, MeshLink link) {
        List<EndpointEntry> entries = topology.endpoints().applicable(from, to, subnet);
        addKeyRow(link.candidates().size() > 1 ? "candidates" : "ip", entries, Explanation::hostOf);
        boolean port = addKeyRow("port", entries, EndpointEntry::port);
        if (!port && !link.candidates().isEmpty()) {
            membership
                    .listenPort()
                    .ifPresent(listenPort ->
                            addRow("port", listenPort.value().toString(), "its listenPort, line " + listenPort.line()));
        }
        if (!addKeyRow("persistentKeepalive", entries, EndpointEntry::persistentKeepalive)
                && link.keepaliveSeconds().isPresent()) {
            addRow(
                    "persistentKeepalive",
                    String.valueOf(link.keepaliveSeconds().getAsInt()),
                    "default, as '" + network.members().get(from).name().value() + "' has no endpoint");
        }
        addKeyRow("dynamicEndpointRefreshSeconds", entries, EndpointEntry::refreshSeconds);
        addKeyRow("dynamicEndpointRefreshRestartSeconds", entries, EndpointEntry::refreshRestartSeconds);
        addRow(
                "endpoint",
                link.endpoint().map(Object::toString).orElse("none"),
                link.endpoint().isPresent() ? "" : "the peer has to connect first");
    }

    private static Optional<LocatedValue<String>> hostOf(EndpointEntry row) {
        return row.candidates()
                .map(written -> new LocatedValue<>(candidates(written.value()), written.line(), written.column()))
                .or(() -> row.ip()
                        .map(written ->
                                new LocatedValue<>(written.value().toString(), written.line(), written.column())));
    }

    private static String candidates(List<HostPort> candidates) {
        return candidates.stream()
                .map(candidate -> candidate.host()
                        + (candidate.port().isPresent()
                                ? " port " + candidate.port().getAsInt()
                                : ""))
                .collect(Collectors.joining(", "));
    }

    /** Adds a row with the entry that sets a key and those that it overrides; returns whether any entry sets it. */
    private <T> boolean addKeyRow(
            String name, List<EndpointEntry> entries, Function<EndpointEntry, Optional<LocatedValue<T>>> key) {
        List<String> overridden = new ArrayList<>();
        Optional<String> value = Optional.empty();
        String source = "";
        for (EndpointEntry row : entries) {
            Optional<LocatedValue<T>> written = key.apply(row);
            if (written.isPresent()) {
                value.ifPresent(overridden::add);
                value = Optional.of(String.valueOf(written.get().value()));
                source = row.owner() + ", line " + written.get().line();
            }
        }
        String override = overridden.isEmpty() ? "" : ", overrides " + String.join(", ", overridden);
        String from = source + override;
        value.ifPresent(last -> addRow(name, last, from));
        return value.isPresent();
    }

    private String connectionLines(int from, int to, int subnet) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < network.connections().size(); i++) {
            if (topology.links().joins(i, from, to, subnet)) {
                lines.add(String.valueOf(network.connections().get(i).line()));
            }
        }
        return String.join(", ", lines);
    }

    private String presharedKeySource(int from, int to, int subnet) {
        String source = network.subnets()
                .get(subnet)
                .presharedKeyFile()
                .map(file -> "subnet, line " + file.line())
                .orElse("");
        for (int i = 0; i < network.connections().size(); i++) {
            Optional<LocatedValue<String>> keyFile =
                    network.connections().get(i).presharedKeyFile();
            if (keyFile.isPresent() && topology.links().joins(i, from, to, subnet)) {
                source = "connection, line " + keyFile.get().line();
            }
        }
        return source;
    }

    private String notLinked(int from, int to) {
        Member fromName = network.members().get(from);
        Member toName = network.members().get(to);
        List<String> common = fromName.subnets().stream()
                .map(membership -> membership.subnet().value())
                .filter(subnet -> toName.in(subnet).isPresent())
                .toList();
        return fromName.name().value() + " and " + toName.name().value() + " are not linked: "
                + (common.isEmpty()
                        ? "they have no subnet in common"
                        : "no connection joins them in " + String.join(", ", common))
                + "\n";
    }

    private void addRow(String name, String value, String source) {
        rows.add(new Row(name, value, source));
    }

    /** Writes the rows in columns. */
    private void appendRows() {
        int names = rows.stream().mapToInt(row -> row.name.length()).max().orElse(0) + 2;
        int values = rows.stream().mapToInt(row -> row.value.length()).max().orElse(0) + 2;
        for (Row row : rows) {
            String line = "  " + row.name + " ".repeat(names - row.name.length()) + row.value
                    + " ".repeat(values - row.value.length()) + row.source;
            text.append(line.stripTrailing()).append('\n');
        }
        rows.clear();
    }
}
