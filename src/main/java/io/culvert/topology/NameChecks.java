package io.culvert.topology;

import io.culvert.ip.Host;
import io.culvert.problem.DidYouMean;
import io.culvert.wireguard.PublicKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks names and references to them, and that each peer has its own key. */
final class NameChecks {

    /** {@code IFNAMSIZ} without the terminating zero (include/uapi/linux/if.h). */
    private static final int LONGEST_DEVICE = 15;

    private static final PublicKey NONE = new PublicKey(new byte[32]);

    private final Network network;
    private final Report report;
    private final List<String> subnets;
    private final List<String> groups;
    private final List<String> peers;

    NameChecks(Network network, Report report) {
        this.network = network;
        this.report = report;
        this.subnets = network.subnets().stream().map(it -> it.name().value()).toList();
        this.groups = network.groups().stream().map(it -> it.name().value()).toList();
        this.peers = network.members().stream().map(it -> it.name().value()).toList();
    }

    void run() {
        own("subnet", network.subnets().stream().map(Subnet::name).toList());
        own("group", network.groups().stream().map(Group::name).toList());
        own("peer", network.members().stream().map(Member::name).toList());
        References known = new References();
        for (Member member : network.members()) {
            member.subnets().forEach(membership -> known.subnet(membership.subnet()));
            member.groups().forEach(known::group);
            member.via().ifPresent(known::peer);
            member.endpoints().forEach(known::in);
        }
        network.subnets().forEach(subnet -> subnet.endpoints().forEach(known::in));
        network.groups().forEach(group -> group.endpoints().forEach(known::in));
        for (Connection connection : network.connections()) {
            connection.subnets().ifPresent(names -> names.forEach(known::subnet));
            connection.a().forEach(known::in);
            connection.b().forEach(known::in);
        }
        devices();
        keys();
    }

    /** Checks names, which are used in host names and file names. */
    private void own(String kind, List<Written<String>> names) {
        Map<String, Written<String>> seen = new HashMap<>();
        for (Written<String> name : names) {
            if (name.value().length() > 200
                    || !List.of(name.value().split("\\.", -1)).stream().allMatch(NameChecks::isLabel)) {
                report.error(
                        name,
                        "'" + Fields.shown(name.value()) + "' is not a valid name for a " + kind
                                + ", as it is used in host names",
                        "use letters, digits, hyphens and dots only");
            }
            Written<String> earlier = seen.putIfAbsent(name.value(), name);
            if (earlier != null) {
                int first = Math.min(earlier.line(), name.line());
                report.error(
                        earlier.line() > name.line() ? earlier : name,
                        "the " + kind + " '" + Fields.shown(name.value()) + "' is already defined in line " + first,
                        "rename one of them");
            }
        }
    }

    private static boolean isLabel(String text) {
        return text.length() <= 63 && Host.LABEL.matcher(text).matches();
    }

    /** Checks references to names. */
    private final class References {

        private final Set<String> knownSubnets = new HashSet<>(subnets);
        private final Set<String> knownGroups = new HashSet<>(groups);
        private final Set<String> knownPeers = new HashSet<>(peers);

        void subnet(Written<String> name) {
            check("subnet", name, knownSubnets, subnets);
        }

        void group(Written<String> name) {
            check("group", name, knownGroups, groups);
        }

        void peer(Written<String> name) {
            check("peer", name, knownPeers, peers);
        }

        void in(EndpointRow row) {
            row.match().forEach(this::in);
        }

        void in(Selector selector) {
            switch (selector.type()) {
                case PEER -> peer(selector.value());
                case GROUP -> group(selector.value());
                case SUBNET -> subnet(selector.value());
            }
        }

        private void check(String kind, Written<String> name, Set<String> known, Collection<String> all) {
            if (!known.contains(name.value())) {
                report.error(
                        name,
                        "there is no " + kind + " '" + Fields.shown(name.value()) + "'",
                        report.isFull() ? "" : cure(kind, name, all));
            }
        }
    }

    private static String cure(String kind, Written<String> name, Collection<String> all) {
        return DidYouMean.nearest(name.value(), all)
                .map(meant -> "did you mean " + meant + "?")
                .orElse(
                        all.isEmpty() || all.size() > 12
                                ? "add it to '" + kind + "s'"
                                : "use one of " + String.join(", ", all));
    }

    private void devices() {
        if (network.deviceNames() == DeviceNames.HASH) {
            return;
        }
        for (Subnet subnet : network.subnets()) {
            String device = network.deviceNames().of("", subnet.name().value());
            if (device.length() > LONGEST_DEVICE) {
                report.error(
                        subnet.name(),
                        "the interface name of this subnet would be '" + Fields.shown(device) + "', which has "
                                + device.length() + " characters; at most " + LONGEST_DEVICE + " are allowed",
                        "set 'deviceNames: hash', or use a shorter name"
                                + (network.deviceNames() == DeviceNames.SHORT ? " up to its first dot" : ""));
            }
        }
        for (Member member : network.members()) {
            Map<String, Written<String>> taken = new HashMap<>();
            for (Membership membership : member.subnets()) {
                String device = network.deviceNames()
                        .of(member.name().value(), membership.subnet().value());
                Written<String> other = taken.putIfAbsent(device, membership.subnet());
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

    private void keys() {
        Map<PublicKey, List<Member>> bearers = new HashMap<>();
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
            List<Member> before = bearers.computeIfAbsent(key, _ -> new ArrayList<>());
            before.stream()
                    .filter(other -> meet(other, member))
                    .findFirst()
                    .ifPresent(other -> report.error(
                            member.publicKey(),
                            "peer '" + other.name().value() + "' in line "
                                    + other.publicKey().line() + " has the same publicKey",
                            "use a separate key for each peer, generated by 'culvert mesh keygen'"));
            before.add(member);
        }
    }

    private static boolean meet(Member one, Member other) {
        return one.subnets().stream()
                .anyMatch(membership -> other.in(membership.subnet().value()).isPresent());
    }
}
