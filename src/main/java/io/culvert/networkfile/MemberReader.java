// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Coverage;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.PublicKey;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Parses peers. */
final class MemberReader {

    private static final List<String> PEER = List.of(
            "name",
            "subnets",
            "endpoints",
            "groups",
            "publicKey",
            "privateKeyFile",
            "privateKey",
            "external",
            "exit",
            "via",
            "routes",
            "dns",
            "isPublic",
            "extraArgs");
    private static final List<String> MEMBERSHIP = List.of("listenPort", "ipAddresses", "extraArgs");
    private static final List<String> ROUTE = List.of("to", "masquerade");

    private static final String AUTO = "auto";

    /** The prefix lengths that Wirenix uses for addresses without one (its configurers). */
    private static final int LENGTH_OF_IPV4 = 24;

    private static final int LENGTH_OF_IPV6 = 64;

    private final NetworkFileProblems report;
    private final EndpointReader endpoints;

    MemberReader(NetworkFileProblems report, EndpointReader endpoints) {
        this.report = report;
        this.endpoints = endpoints;
    }

    /** Parses a peer; empty without a name. Any other error is reported and makes the file invalid. */
    Optional<Member> read(Tree tree) {
        return Fields.of(tree, "a peer", PEER, report).flatMap(fields -> {
            fields.require("this peer", "add the missing keys", "name", "subnets", "publicKey");
            Optional<LocatedValue<String>> name = fields.text("name");
            List<EndpointEntry> rows = endpoints.rows(fields, "peer", name);
            LocatedValue<PublicKey> key = publicKey(fields);
            Optional<LocatedValue<String>> privateKeyFile = fields.path("privateKeyFile");
            boolean external = fields.flag("external");
            fields.flag("isPublic");
            warnOfPrivateKey(fields);
            Optional<LocatedValue<String>> via = fields.text("via");
            List<SiteRoute> routes = routes(fields);
            List<InetAddress> dns = dns(fields);
            boolean exit = fields.flag("exit");
            List<LocatedValue<String>> groups = groups(fields);
            return name.map(memberName -> new Member(
                    memberName,
                    memberships(fields, memberName.value()),
                    groups,
                    rows,
                    key,
                    privateKeyFile,
                    external,
                    exit,
                    via,
                    routes,
                    dns));
        });
    }

    private void warnOfPrivateKey(Fields fields) {
        fields.get("privateKey")
                .ifPresent(at -> report.warning(
                        at,
                        "privateKey is ignored, as the network file is shared and must not contain secrets",
                        "generate a new key in a separate file, and name that file in privateKeyFile"));
    }

    private LocatedValue<PublicKey> publicKey(Fields fields) {
        LocatedValue<PublicKey> none = new LocatedValue<>(
                new PublicKey(new byte[32]), fields.at().line(), fields.at().column());
        return fields.text("publicKey")
                .map(text -> {
                    try {
                        return new LocatedValue<>(PublicKey.parse(text.value()), text.line(), text.column());
                    } catch (IllegalArgumentException e) {
                        report.error(
                                text,
                                "publicKey: " + e.getMessage(),
                                "copy the complete key as printed by 'wg pubkey'");
                        return none;
                    }
                })
                .orElse(none);
    }

    private List<LocatedValue<String>> groups(Fields fields) {
        List<LocatedValue<String>> groups = new ArrayList<>();
        for (Tree item : fields.items("groups")) {
            Fields.text("groups", item, report).ifPresent(groups::add);
        }
        return groups;
    }

    private List<Membership> memberships(Fields fields, String peer) {
        List<Membership> memberships = new ArrayList<>();
        fields.get("subnets").ifPresent(tree -> {
            for (Tree.Entry entry : Fields.namedEntries(tree, "subnets of a peer", report)) {
                memberships.add(membership(entry, peer));
            }
        });
        return memberships;
    }

    private Membership membership(Tree.Entry entry, String peer) {
        LocatedValue<String> subnet = entry.key().located();
        LocatedValue<Prefix> auto =
                new LocatedValue<>(AutoAddress.of(subnet.value(), peer), subnet.line(), subnet.column());
        if (entry.value() instanceof Tree.Scalar scalar && scalar.isNull()) {
            return new Membership(subnet, Optional.empty(), List.of(auto));
        }
        return Fields.of(entry.value(), "a peer's subnet", MEMBERSHIP, report)
                .map(fields -> new Membership(subnet, fields.number("listenPort", 1, 65535), addresses(fields, auto)))
                .orElseGet(() -> new Membership(subnet, Optional.empty(), List.of()));
    }

    /** Parses addresses; none for an empty list. The generated one comes last, wherever {@code auto} is in the list. */
    private List<LocatedValue<Prefix>> addresses(Fields fields, LocatedValue<Prefix> auto) {
        if (fields.get("ipAddresses").isEmpty()) {
            return List.of(auto);
        }
        List<LocatedValue<Prefix>> addresses = new ArrayList<>();
        boolean generated = false;
        for (Tree item : fields.items("ipAddresses")) {
            Optional<LocatedValue<String>> text = Fields.text("ipAddresses", item, report);
            if (text.isPresent() && text.get().value().equals(AUTO)) {
                generated = true;
            } else {
                text.flatMap(this::ownAddress).ifPresent(addresses::add);
            }
        }
        if (generated) {
            addresses.add(auto);
        }
        return addresses;
    }

    private Optional<LocatedValue<Prefix>> ownAddress(LocatedValue<String> text) {
        return prefix("ipAddresses", text, "use an address, such as 10.0.0.1, 10.0.0.1/16 or auto")
                .filter(prefix -> {
                    InetAddress address = prefix.address();
                    boolean isHostAddress = !address.isAnyLocalAddress()
                            && !address.isMulticastAddress()
                            && !address.isLoopbackAddress();
                    if (!isHostAddress) {
                        report.error(
                                text,
                                "ipAddresses: " + prefix + " cannot be the address of a peer",
                                "use another address");
                    }
                    return isHostAddress;
                })
                .map(prefix -> new LocatedValue<>(
                        text.value().indexOf('/') >= 0 ? prefix : withLengthOfSubnet(prefix),
                        text.line(),
                        text.column()));
    }

    private static Prefix withLengthOfSubnet(Prefix bare) {
        return new Prefix(bare.address(), bare.family() == Family.IPV4 ? LENGTH_OF_IPV4 : LENGTH_OF_IPV6);
    }

    private List<SiteRoute> routes(Fields fields) {
        List<SiteRoute> routes = new ArrayList<>();
        for (Tree item : fields.items("routes")) {
            if (item instanceof Tree.Entries) {
                Fields.of(item, "a route", ROUTE, report).ifPresent(route -> {
                    route.require("this route", "add the destination network", "to");
                    boolean masquerade = route.flag("masquerade");
                    route.text("to").flatMap(text -> route(text, masquerade)).ifPresent(routes::add);
                });
            } else {
                Fields.text("routes", item, report)
                        .flatMap(text -> route(text, false))
                        .ifPresent(routes::add);
            }
        }
        return routes;
    }

    private Optional<SiteRoute> route(LocatedValue<String> text, boolean masquerade) {
        return prefix("routes", text, "use a network, such as 192.168.7.0/24")
                .filter(prefix -> {
                    boolean everything =
                            Coverage.mostlyCoveredFamily(List.of(prefix)).isPresent();
                    if (everything) {
                        report.error(
                                text,
                                "routes: " + prefix + " is a default route",
                                "add 'exit: true' to this peer, and 'via:' to the peers that use it");
                    }
                    return !everything;
                })
                .map(prefix -> {
                    if (prefix.hasHostBits()) {
                        report.warning(
                                text,
                                "routes: " + prefix + " has host bits set, treated as " + prefix.network(),
                                "use " + prefix.network());
                    }
                    return new SiteRoute(new LocatedValue<>(prefix.network(), text.line(), text.column()), masquerade);
                });
    }

    private List<InetAddress> dns(Fields fields) {
        List<InetAddress> servers = new ArrayList<>();
        for (Tree item : fields.items("dns")) {
            Fields.text("dns", item, report)
                    .flatMap(text -> prefix("dns", text, "use an address, such as 10.0.0.1"))
                    .ifPresent(prefix -> servers.add(prefix.address()));
        }
        return servers;
    }

    private Optional<Prefix> prefix(String key, LocatedValue<String> text, String hint) {
        try {
            return Optional.of(Prefix.parse(text.value()));
        } catch (IllegalArgumentException e) {
            String message = Fields.forMessage(text.value()).equals(text.value())
                    ? String.valueOf(e.getMessage())
                    : "not an IP address";
            report.error(text, key + ": " + message, hint);
            return Optional.empty();
        }
    }
}
