// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Parses a network file except for its peers, which {@link MemberReader} parses. */
final class NetworkReader {

    private static final String VERSION = "v1";

    private static final List<String> KEYS =
            List.of("version", "deviceNames", "subnets", "groups", "peers", "connections", "extraArgs", "$schema");
    private static final List<String> SUBNET = List.of("name", "endpoints", "presharedKeyFile", "extraArgs");
    private static final List<String> GROUP = List.of("name", "endpoints", "extraArgs");
    private static final List<String> CONNECTION = List.of("a", "b", "subnets", "presharedKeyFile", "extraArgs");

    private final NetworkFileProblems report;
    private final EndpointReader endpoints;

    NetworkReader(NetworkFileProblems report) {
        this.report = report;
        this.endpoints = new EndpointReader(report);
    }

    /** Parses a network; empty where the root is not a mapping. */
    Optional<NetworkDefinition> read(Tree root) {
        return Fields.of(root, "a network file", KEYS, report).map(fields -> {
            version(fields);
            fields.require(
                    "this network",
                    "add the missing keys, at least as empty lists, such as 'connections: []'",
                    "subnets",
                    "peers",
                    "connections");
            DeviceNames names =
                    fields.keyword("deviceNames", DeviceNames.values()).orElse(DeviceNames.SHORT);
            List<Subnet> subnets = new ArrayList<>();
            fields.items("subnets").forEach(tree -> subnet(tree).ifPresent(subnets::add));
            List<Group> groups = new ArrayList<>();
            fields.items("groups").forEach(tree -> group(tree).ifPresent(groups::add));
            List<Member> members = new ArrayList<>();
            MemberReader reader = new MemberReader(report, endpoints);
            fields.items("peers").forEach(tree -> reader.read(tree).ifPresent(members::add));
            List<Connection> connections = new ArrayList<>();
            fields.items("connections").forEach(tree -> connection(tree).ifPresent(connections::add));
            return new NetworkDefinition(report.file(), names, subnets, groups, members, connections);
        });
    }

    private void version(Fields fields) {
        fields.require("this network", "add 'version: " + VERSION + "' as the first line", "version");
        fields.text("version")
                .filter(version -> !version.value().equals(VERSION))
                .ifPresent(version -> report.error(
                        version,
                        "version '" + Fields.forMessage(version.value()) + "' is not supported",
                        "use 'version: " + VERSION + "'"));
    }

    private Optional<Subnet> subnet(Tree tree) {
        return Fields.of(tree, "a subnet", SUBNET, report).flatMap(fields -> {
            fields.require("this subnet", "add a name", "name");
            Optional<LocatedValue<String>> name = fields.text("name");
            List<EndpointEntry> rows = endpoints.rows(fields, "subnet", name);
            Optional<LocatedValue<String>> key = presharedKeyFile(fields);
            return name.map(subnetName -> new Subnet(subnetName, rows, key));
        });
    }

    private Optional<Group> group(Tree tree) {
        return Fields.of(tree, "a group", GROUP, report).flatMap(fields -> {
            fields.require("this group", "add a name", "name");
            Optional<LocatedValue<String>> name = fields.text("name");
            List<EndpointEntry> rows = endpoints.rows(fields, "group", name);
            return name.map(subnetName -> new Group(subnetName, rows));
        });
    }

    private Optional<Connection> connection(Tree tree) {
        return Fields.of(tree, "a connection", CONNECTION, report).map(fields -> {
            fields.require("this connection", "add the filters of both sides; '[]' selects all peers", "a", "b");
            Optional<List<LocatedValue<String>>> subnets = fields.get("subnets").map(_ -> {
                List<LocatedValue<String>> names = new ArrayList<>();
                for (Tree item : fields.items("subnets")) {
                    Fields.text("subnets", item, report).ifPresent(names::add);
                }
                return names;
            });
            return new Connection(
                    tree.line(),
                    tree.column(),
                    endpoints.selectors(fields, "a"),
                    endpoints.selectors(fields, "b"),
                    subnets,
                    presharedKeyFile(fields));
        });
    }

    /** Parses the name of a file, one for each pair of peers if it contains placeholders for both. */
    private Optional<LocatedValue<String>> presharedKeyFile(Fields fields) {
        Optional<LocatedValue<String>> file = fields.path("presharedKeyFile");
        file.filter(text -> text.value().contains("{a}") != text.value().contains("{b}"))
                .ifPresent(text -> report.error(
                        text,
                        "presharedKeyFile contains only one of {a} and {b}, so several pairs would share a key",
                        "use both, such as /etc/culvert/psk/{a}-{b}, or neither for a common key"));
        return file;
    }
}
