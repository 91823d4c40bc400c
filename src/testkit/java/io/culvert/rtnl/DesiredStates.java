// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Mark;
import io.culvert.rtnl.PolicyRule.Selector;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Desired states for tests: the rules of an exit node in both families, with everything that a rule or a route can
 * have.
 */
final class DesiredStates {

    static final long TABLE = 51820;
    static final String TUNNEL = "wg0";

    private DesiredStates() {}

    static NetworkState exitNode() {
        List<PolicyRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            rules.add(lookup(family, 5180, Selector.ANY.inputLink(TUNNEL), 52));
            rules.add(lookup(family, 5195, Selector.ANY.mark(new Mark(0x80000, 0xff0000)), TABLE));
            rules.add(lookup(family, 5196, Selector.ANY.mark(new Mark(0, 0xff0000)), 52));
            rules.add(lookup(family, 5310, Selector.ANY.inputLink("tailscale0"), TABLE));
            rules.add(unreachable(family, 5311, Selector.ANY.inputLink("tailscale0")));
            rules.add(new PolicyRule(family, 5321, Selector.ANY, new Action.Lookup(Route.MAIN, OptionalInt.of(0))));
            rules.add(lookup(
                    family, 5330, Selector.ANY.mark(Mark.exactly(0x51000000)).not(), TABLE));
            rules.add(unreachable(
                    family, 5340, Selector.ANY.mark(Mark.exactly(0x51000000)).not()));
        }
        rules.add(lookup(
                Family.IPV4,
                5100,
                Selector.ANY
                        .inputLink("lo")
                        .to(Prefix.parse("198.51.100.7"))
                        .transport(Transport.TCP)
                        .destinationPort(443),
                Route.MAIN));
        rules.add(lookup(
                Family.IPV6,
                5100,
                Selector.ANY
                        .inputLink("lo")
                        .to(Prefix.parse("2001:db8:1::7"))
                        .transport(Transport.UDP)
                        .destinationPort(65534),
                Route.MAIN));
        rules.add(lookup(
                Family.IPV4,
                5191,
                Selector.ANY
                        .from(Prefix.parse("192.0.2.2"))
                        .transport(Transport.TCP)
                        .sourcePort(1080),
                Route.MAIN));
        rules.add(lookup(Family.IPV4, 5320, Selector.ANY.to(Prefix.parse("192.0.2.0/26")), Route.MAIN));
        rules.add(lookup(Family.IPV6, 5320, Selector.ANY.to(Prefix.parse("fe80::/10")), Route.MAIN));
        return new NetworkState(
                List.of(new LinkSpec(TUNNEL, 1420, Ownership.ALIAS)),
                List.of(address("10.64.0.2/32"), address("10.65.0.2/24"), address("fd00:64::2/128")),
                List.of(
                        route("0.0.0.0/0"),
                        route("::/0"),
                        via("198.51.100.0/24", "10.65.0.1"),
                        new Route(
                                Route.Type.UNICAST,
                                Prefix.parse("2001:db8:9::/48"),
                                TABLE,
                                Optional.of(TUNNEL),
                                Optional.empty(),
                                OptionalInt.of(1380)),
                        new Route(
                                Route.Type.UNICAST,
                                Prefix.parse("203.0.113.0/25"),
                                100,
                                Optional.of(TUNNEL),
                                Optional.empty(),
                                OptionalInt.of(1280)),
                        Route.unreachable(Prefix.parse("203.0.113.128/25"), TABLE),
                        Route.unreachable(Prefix.parse("2001:db8:dead::/48"), TABLE)),
                rules);
    }

    static NetworkState rules(List<PolicyRule> rules) {
        return new NetworkState(List.of(), List.of(), List.of(), rules);
    }

    static PolicyRule lookup(Family family, int preference, Selector selector, long table) {
        return new PolicyRule(family, preference, selector, Action.Lookup.of(table));
    }

    static PolicyRule unreachable(Family family, int preference, Selector selector) {
        return new PolicyRule(family, preference, selector, new Action.Unreachable());
    }

    static LinkAddress address(String prefix) {
        return new LinkAddress(TUNNEL, Prefix.parse(prefix));
    }

    static Route route(String destination) {
        return Route.through(TUNNEL, Prefix.parse(destination), TABLE);
    }

    static Route via(String destination, String gateway) {
        InetAddress address = Prefix.parseAddress(gateway);
        return new Route(
                Route.Type.UNICAST,
                Prefix.parse(destination),
                TABLE,
                Optional.of(TUNNEL),
                Optional.of(address),
                OptionalInt.empty());
    }
}
