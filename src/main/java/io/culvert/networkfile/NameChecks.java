// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.diagnostics.DidYouMean;
import io.culvert.net.InterfaceName;
import io.culvert.net.NodeName;
import io.culvert.wireguard.config.PublicKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks names and references to them, and that each peer has its own key. */
final class NameChecks {

    private static final PublicKey NONE = new PublicKey(new byte[32]);

    private final NetworkDefinition network;
    private final NetworkFileProblems report;
    private final List<String> subnets;
    private final List<String> groups;
    private final List<String> peers;

    NameChecks(NetworkDefinition network, NetworkFileProblems report) {
        this.network = network;
        this.report = report;
        this.subnets = network.subnets().stream().map(it -> it.name().value()).toList();
        this.groups = network.groups().stream().map(it -> it.name().value()).toList();
        this.peers = network.members().stream().map(it -> it.name().value()).toList();
    }

    void run() {
        checkNames("subnet", network.subnets().stream().map(Subnet::name).toList());
        checkNames("group", network.groups().stream().map(Group::name).toList());
        checkNames("peer", network.members().stream().map(Member::name).toList());
        References references = new References();
        for (Member member : network.members()) {
            member.subnets().forEach(membership -> references.subnet(membership.subnet()));
            member.groups().forEach(references::group);
            member.via().ifPresent(references::peer);
            member.endpoints().forEach(references::in);
        }
        network.subnets().forEach(subnet -> subnet.endpoints().forEach(references::in));
        network.groups().forEach(group -> group.endpoints().forEach(references::in));
        for (Connection connection : network.connections()) {
            connection.subnets().ifPresent(names -> names.forEach(references::subnet));
            connection.a().forEach(references::in);
            connection.b().forEach(references::in);
        }
        checkDeviceNames();
        checkKeys();
    }

    /** Checks names, which are used in host names and file names. */
    private void checkNames(String kind, List<LocatedValue<String>> names) {
        Map<String, LocatedValue<String>> firstByName = new HashMap<>();
        for (LocatedValue<String> name : names) {
            if (!NodeName.isValid(name.value())) {
                report.error(
                        name,
                        "'" + Fields.forMessage(name.value()) + "' is not a valid name for a " + kind
                                + ", as it is used in host names",
                        "use letters, digits, hyphens and dots only");
            }
            LocatedValue<String> earlier = firstByName.putIfAbsent(name.value(), name);
            if (earlier != null) {
                int first = Math.min(earlier.line(), name.line());
                report.error(
                        earlier.line() > name.line() ? earlier : name,
                        "the " + kind + " '" + Fields.forMessage(name.value()) + "' is already defined in line "
                                + first,
                        "rename one of them");
            }
        }
    }

    /** Checks references to names. */
    private final class References {

        private final Set<String> knownSubnets = new HashSet<>(subnets);
        private final Set<String> knownGroups = new HashSet<>(groups);
        private final Set<String> knownPeers = new HashSet<>(peers);

        void subnet(LocatedValue<String> name) {
            check("subnet", name, knownSubnets, subnets);
        }

        void group(LocatedValue<String> name) {
            check("group", name, knownGroups, groups);
        }

        void peer(LocatedValue<String> name) {
            check("peer", name, knownPeers, peers);
        }

        void in(EndpointEntry row) {
            row.match().forEach(this::in);
        }

        void in(Selector selector) {
            switch (selector.type()) {
                case PEER -> peer(selector.value());
                case GROUP -> group(selector.value());
                case SUBNET -> subnet(selector.value());
            }
        }

        private void check(String kind, LocatedValue<String> name, Set<String> declared, Collection<String> all) {
            if (!declared.contains(name.value())) {
                report.error(
                        name,
                        "there is no " + kind + " '" + Fields.forMessage(name.value()) + "'",
                        report.isFull() ? "" : hint(kind, name, all));
            }
        }
    }

    private static String hint(String kind, LocatedValue<String> name, Collection<String> all) {
        return DidYouMean.nearest(name.value(), all)
                .map(suggestion -> "did you mean " + suggestion + "?")
                .orElse(
                        all.isEmpty() || all.size() > 12
                                ? "add it to '" + kind + "s'"
                                : "use one of " + String.join(", ", all));
    }

    private void checkDeviceNames() {
        if (network.deviceNames() == DeviceNames.HASH) {
            return;
        }
        for (Subnet subnet : network.subnets()) {
            String device = network.deviceNames().of("", subnet.name().value());
            if (device.length() > InterfaceName.MAX_LENGTH) {
                report.error(
                        subnet.name(),
                        "the interface name of this subnet would be '" + Fields.forMessage(device) + "', which has "
                                + device.length() + " characters; at most " + InterfaceName.MAX_LENGTH + " are allowed",
                        "set 'deviceNames: hash', or use a shorter name"
                                + (network.deviceNames() == DeviceNames.SHORT ? " up to its first dot" : ""));
            }
        }
        for (Member member : network.members()) {
            Map<String, LocatedValue<String>> taken = new HashMap<>();
            for (Membership membership : member.subnets()) {
                String device = network.deviceNames()
                        .of(member.name().value(), membership.subnet().value());
                LocatedValue<String> other = taken.putIfAbsent(device, membership.subnet());
                if (other != null) {
                    report.error(
                            membership.subnet(),
                            "the interfaces in '" + other.value() + "' and '"
                                    + membership.subnet().value() + "' would have the same name '" + device + "'",
                            "set 'deviceNames: long' or 'deviceNames: hash' at the top of the file");
                }
            }
        }
    }

    private void checkKeys() {
        Map<PublicKey, List<Member>> membersByKey = new HashMap<>();
        for (Member member : network.members()) {
            if (member.privateKeyFile().isEmpty() && !member.external()) {
                report.error(
                        member.name(),
                        "peer '" + member.name().value() + "' has no privateKeyFile",
                        "name the key file on that machine, or set 'external: true' for a device that Culvert does not"
                                + " configure");
            }
            PublicKey key = member.publicKey().value();
            if (key.equals(NONE)) {
                continue;
            }
            List<Member> before = membersByKey.computeIfAbsent(key, _ -> new ArrayList<>());
            before.stream()
                    .filter(other -> shareSubnet(other, member))
                    .findFirst()
                    .ifPresent(other -> report.error(
                            member.publicKey(),
                            "peer '" + other.name().value() + "' in line "
                                    + other.publicKey().line() + " has the same publicKey",
                            "use a separate key for each peer, generated by 'culvert mesh keygen'"));
            before.add(member);
        }
    }

    private static boolean shareSubnet(Member one, Member other) {
        return one.subnets().stream()
                .anyMatch(membership -> other.in(membership.subnet().value()).isPresent());
    }
}
