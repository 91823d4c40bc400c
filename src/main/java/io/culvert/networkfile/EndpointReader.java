// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Host;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Parses endpoints, and the filters of endpoints and connections. */
final class EndpointReader {

    private static final List<String> ENDPOINT = List.of(
            "match",
            "ip",
            "port",
            "candidates",
            "persistentKeepalive",
            "dynamicEndpointRefreshSeconds",
            "dynamicEndpointRefreshRestartSeconds");
    private static final List<String> CANDIDATE = List.of("ip", "port");
    private static final List<String> SELECTOR = List.of("type", "rule", "value");

    private static final int MAX_INTERVAL = 86_400;

    private enum Rule {
        IS,
        NOT
    }

    private final NetworkFileProblems report;

    EndpointReader(NetworkFileProblems report) {
        this.report = report;
    }

    /** Parses the {@code endpoints} of a subnet, group or peer. */
    List<EndpointEntry> rows(Fields of, String kind, Optional<LocatedValue<String>> name) {
        String owner = kind
                + name.map(endpointName -> " '" + endpointName.value() + "'").orElse("");
        List<EndpointEntry> rows = new ArrayList<>();
        for (Tree tree : of.items("endpoints")) {
            Fields.of(tree, "an endpoint", ENDPOINT, report).ifPresent(fields -> rows.add(row(fields, owner)));
        }
        return rows;
    }

    private EndpointEntry row(Fields fields, String owner) {
        if (fields.get("ip").isPresent()) {
            fields.get("candidates")
                    .ifPresent(at -> report.error(
                            at,
                            "an endpoint cannot have both ip and candidates",
                            "add the ip to the candidates, in their order of preference"));
        }
        return new EndpointEntry(
                owner,
                fields.at().line(),
                selectors(fields, "match"),
                fields.text("ip").flatMap(this::host),
                fields.number("port", 1, 65535),
                fields.number("persistentKeepalive", 0, 65535),
                fields.number("dynamicEndpointRefreshSeconds", 0, MAX_INTERVAL),
                fields.number("dynamicEndpointRefreshRestartSeconds", 0, MAX_INTERVAL),
                candidates(fields));
    }

    private Optional<LocatedValue<List<HostPort>>> candidates(Fields fields) {
        return fields.get("candidates").map(at -> {
            List<HostPort> candidates = new ArrayList<>();
            for (Tree tree : fields.items("candidates")) {
                Fields.of(tree, "a candidate", CANDIDATE, report)
                        .flatMap(this::candidate)
                        .ifPresent(candidates::add);
            }
            if (at instanceof Tree.Items items && items.all().isEmpty()) {
                report.error(
                        at, "candidates is empty", "add the endpoint candidates of the peer, the preferred one first");
            }
            return new LocatedValue<>(List.copyOf(candidates), at.line(), at.column());
        });
    }

    private Optional<HostPort> candidate(Fields fields) {
        fields.require("this candidate", "add its address or host name", "ip");
        Optional<LocatedValue<Integer>> port = fields.number("port", 1, 65535);
        return fields.text("ip")
                .flatMap(this::host)
                .map(host -> new HostPort(
                        host.value(), port.map(it -> OptionalInt.of(it.value())).orElse(OptionalInt.empty())));
    }

    private Optional<LocatedValue<Host>> host(LocatedValue<String> text) {
        String host = text.value();
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        try {
            Host parsed = Host.parse(bracketed ? host.substring(1, host.length() - 1) : host);
            if (parsed instanceof Host.Literal(InetAddress address)
                    && (address.isAnyLocalAddress() || address.isMulticastAddress())) {
                report.error(text, "ip: " + parsed + " is not the address of a peer", "use the address of the peer");
                return Optional.empty();
            }
            return Optional.of(new LocatedValue<>(parsed, text.line(), text.column()));
        } catch (IllegalArgumentException _) {
            report.error(
                    text,
                    "ip: '" + Fields.forMessage(host) + "' is neither an IP address nor a host name",
                    portHint(host));
            return Optional.empty();
        }
    }

    private static String portHint(String host) {
        return host.matches(".*:[0-9]{1,5}")
                ? "set the port with the key 'port'"
                : "use an address such as 192.0.2.10 or 2001:db8::10, or a host name";
    }

    /** Parses the filters of a key; none where it is absent, which selects all peers. */
    List<Selector> selectors(Fields of, String key) {
        List<Selector> selectors = new ArrayList<>();
        for (Tree tree : of.items(key)) {
            Fields.of(tree, "a filter", SELECTOR, report)
                    .flatMap(this::selector)
                    .ifPresent(selectors::add);
        }
        return selectors;
    }

    private Optional<Selector> selector(Fields fields) {
        fields.require("this filter", "use the form {type: group, rule: is, value: servers}", "type", "rule", "value");
        Optional<Selector.Type> type = fields.keyword("type", Selector.Type.values());
        Optional<Rule> rule = fields.keyword("rule", Rule.values());
        Optional<LocatedValue<String>> value = fields.text("value");
        if (type.isEmpty() || rule.isEmpty() || value.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new Selector(type.get(), rule.get() == Rule.NOT, value.get()));
    }
}
