package io.culvert.topology;

import io.culvert.ip.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Explains the link between two peers: which line of the file each value comes from. */
final class Explanation {

    private final Topology topology;
    private final Network network;

    private record Row(String name, String value, String source) {}

    private final StringBuilder text = new StringBuilder();
    private final List<Row> rows = new ArrayList<>();

    Explanation(Topology topology) {
        this.topology = topology;
        this.network = topology.network();
    }

    /** Returns the explanation; both peers must exist. */
    String of(int from, int to) {
        String me = network.members().get(from).name().value();
        String you = network.members().get(to).name().value();
        for (MeshInterface mesh : topology.node(me).orElseThrow().interfaces()) {
            mesh.links().stream().filter(link -> link.peer().equals(you)).forEach(link -> link(from, to, mesh, link));
        }
        return text.isEmpty() ? apart(from, to) : text.toString();
    }

    private void link(int from, int to, MeshInterface mesh, MeshLink link) {
        int subnet = topology.links().subnet(mesh.subnet()).orElseThrow();
        Member you = network.members().get(to);
        Membership membership = you.in(mesh.subnet()).orElseThrow();
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
        row("linked", "", "connection, line " + joining(from, to, subnet));
        row(
                "public key",
                link.publicKey().toString(),
                "peer '" + link.peer() + "', line " + you.publicKey().line());
        link.presharedKeyFile().ifPresent(file -> row("preshared key", "in " + file, presharedKey(from, to, subnet)));
        membership
                .addresses()
                .forEach(address -> row(
                        "allowed",
                        Prefix.host(address.value().address()).toString(),
                        "peer '" + link.peer() + "', line " + address.line()));
        you.routes().stream()
                .filter(route -> link.allowedIps().contains(route.to().value()))
                .forEach(route -> row(
                        "allowed",
                        route.to().value().toString(),
                        "its routes, line " + route.to().line()));
        network.members()
                .get(from)
                .via()
                .filter(via -> via.value().equals(link.peer()))
                .ifPresent(via -> {
                    if (link.allowedIps().stream().anyMatch(Prefix::isDefault)) {
                        row("allowed", "0.0.0.0/0, ::/0", "via, line " + via.line());
                    }
                });
        endpoint(from, to, subnet, membership, link);
        write();
    }

    private void endpoint(int from, int to, int subnet, Membership membership, MeshLink link) {
        List<EndpointRow> entries = topology.endpoints().seen(from, to, subnet);
        key(link.candidates().size() > 1 ? "candidates" : "ip", entries, Explanation::where);
        boolean port = key("port", entries, EndpointRow::port);
        if (!port && !link.candidates().isEmpty()) {
            membership
                    .listenPort()
                    .ifPresent(own -> row("port", own.value().toString(), "its listenPort, line " + own.line()));
        }
        if (!key("persistentKeepalive", entries, EndpointRow::persistentKeepalive)
                && link.keepaliveSeconds().isPresent()) {
            row(
                    "persistentKeepalive",
                    String.valueOf(link.keepaliveSeconds().getAsInt()),
                    "default, as '" + network.members().get(from).name().value() + "' has no endpoint");
        }
        key("dynamicEndpointRefreshSeconds", entries, EndpointRow::refreshSeconds);
        key("dynamicEndpointRefreshRestartSeconds", entries, EndpointRow::refreshRestartSeconds);
        row(
                "endpoint",
                link.endpoint().map(Object::toString).orElse("none"),
                link.endpoint().isPresent() ? "" : "the peer has to connect first");
    }

    private static Optional<Written<String>> where(EndpointRow row) {
        return row.candidates()
                .map(written -> new Written<>(candidates(written.value()), written.line(), written.column()))
                .or(() -> row.ip()
                        .map(written -> new Written<>(written.value().toString(), written.line(), written.column())));
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
    private <T> boolean key(String name, List<EndpointRow> entries, Function<EndpointRow, Optional<Written<T>>> key) {
        List<String> hidden = new ArrayList<>();
        Optional<String> value = Optional.empty();
        String source = "";
        for (EndpointRow row : entries) {
            Optional<Written<T>> written = key.apply(row);
            if (written.isPresent()) {
                value.ifPresent(hidden::add);
                value = Optional.of(String.valueOf(written.get().value()));
                source = row.owner() + ", line " + written.get().line();
            }
        }
        String instead = hidden.isEmpty() ? "" : ", overrides " + String.join(", ", hidden);
        String from = source + instead;
        value.ifPresent(last -> row(name, last, from));
        return value.isPresent();
    }

    private String joining(int from, int to, int subnet) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < network.connections().size(); i++) {
            if (topology.links().joins(i, from, to, subnet)) {
                lines.add(String.valueOf(network.connections().get(i).line()));
            }
        }
        return String.join(", ", lines);
    }

    private String presharedKey(int from, int to, int subnet) {
        String source = network.subnets()
                .get(subnet)
                .presharedKeyFile()
                .map(file -> "subnet, line " + file.line())
                .orElse("");
        for (int i = 0; i < network.connections().size(); i++) {
            Optional<Written<String>> own = network.connections().get(i).presharedKeyFile();
            if (own.isPresent() && topology.links().joins(i, from, to, subnet)) {
                source = "connection, line " + own.get().line();
            }
        }
        return source;
    }

    private String apart(int from, int to) {
        Member me = network.members().get(from);
        Member you = network.members().get(to);
        List<String> common = me.subnets().stream()
                .map(membership -> membership.subnet().value())
                .filter(subnet -> you.in(subnet).isPresent())
                .toList();
        return me.name().value() + " and " + you.name().value() + " are not linked: "
                + (common.isEmpty()
                        ? "they have no subnet in common"
                        : "no connection joins them in " + String.join(", ", common))
                + "\n";
    }

    private void row(String name, String value, String source) {
        rows.add(new Row(name, value, source));
    }

    /** Writes the rows in columns. */
    private void write() {
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
