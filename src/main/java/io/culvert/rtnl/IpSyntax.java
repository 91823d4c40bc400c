// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Mark;
import io.culvert.rtnl.PolicyRule.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Formats a desired state in the syntax of iproute2: run line by line, the commands create the same state. */
public final class IpSyntax {

    private IpSyntax() {}

    /** Returns one command per line, in the order in which {@link NetworkConfigurator} applies them. */
    public static List<String> commands(NetworkState state) {
        List<String> lines = new ArrayList<>();
        state.rules().stream().filter(PolicyRule::isBlocking).map(IpSyntax::add).forEach(lines::add);
        state.links().stream().map(IpSyntax::set).forEach(lines::add);
        state.addresses().stream().map(IpSyntax::add).forEach(lines::add);
        state.routes().stream().map(IpSyntax::add).forEach(lines::add);
        state.rules().stream()
                .filter(rule -> !rule.isBlocking())
                .map(IpSyntax::add)
                .forEach(lines::add);
        return lines;
    }

    public static String set(LinkSpec link) {
        return "ip link set dev " + link.name() + " mtu " + link.mtu() + " alias "
                + (link.alias().indexOf(' ') < 0 ? link.alias() : "'" + link.alias() + "'") + " up";
    }

    public static String add(LinkAddress address) {
        boolean ipv6 = address.address().family() == Family.IPV6;
        String metric = address.address().isHost() ? "" : " metric " + Route.BEHIND_CONNECTED;
        return address(address, "add") + metric + (ipv6 ? " nodad" : "");
    }

    static String delete(LinkAddress address) {
        return address(address, "delete");
    }

    public static String add(Route route) {
        return route(route, "add");
    }

    static String replace(Route route) {
        return route(route, "replace");
    }

    static String delete(Route route) {
        return route(route, "delete");
    }

    public static String add(PolicyRule rule) {
        return ownRule(rule, "add ");
    }

    static String delete(PolicyRule rule) {
        return ownRule(rule, "delete ");
    }

    /** Formats a rule of another program, which is neither added nor deleted. */
    static String text(PolicyRule rule) {
        return rule(rule, "");
    }

    private static String ownRule(PolicyRule rule, String verb) {
        return rule(rule, verb) + " protocol " + Ownership.PROTOCOL;
    }

    private static String address(LinkAddress address, String verb) {
        Prefix prefix = address.address();
        return ip(prefix.family()) + " address " + verb + " " + prefix + " dev " + address.link();
    }

    private static String route(Route route, String verb) {
        StringBuilder text =
                new StringBuilder(ip(route.family())).append(" route ").append(verb);
        if (route.type() != Route.Type.UNICAST) {
            text.append(' ').append(route.type().name().toLowerCase(Locale.ROOT));
        }
        text.append(' ').append(destination(route.destination()));
        route.gateway().ifPresent(gateway -> text.append(" via ").append(Prefix.text(gateway)));
        route.link().ifPresent(link -> text.append(" dev ").append(link));
        route.gateway().ifPresent(_ -> text.append(" onlink"));
        text.append(" table ").append(table(route.table()));
        if (route.metric() != 0) {
            text.append(" metric ").append(route.metric());
        }
        route.mtu().ifPresent(mtu -> text.append(" mtu ").append(mtu));
        return text.append(" protocol ").append(Ownership.PROTOCOL).toString();
    }

    private static String rule(PolicyRule rule, String verb) {
        StringBuilder text = new StringBuilder(ip(rule.family()))
                .append(" rule ")
                .append(verb)
                .append("pref ")
                .append(rule.preference());
        Selector selector = rule.selector();
        if (selector.inverted()) {
            text.append(" not");
        }
        selector.from().ifPresent(from -> text.append(" from ").append(destination(from)));
        selector.to().ifPresent(to -> text.append(" to ").append(destination(to)));
        selector.inputLink().ifPresent(link -> text.append(" iif ").append(link));
        selector.outputLink().ifPresent(link -> text.append(" oif ").append(link));
        selector.mark().ifPresent(mark -> text.append(" fwmark ").append(mark(mark)));
        selector.transport().ifPresent(transport -> text.append(" ipproto ").append(transport));
        selector.sourcePort().ifPresent(port -> text.append(" sport ").append(port));
        selector.destinationPort().ifPresent(port -> text.append(" dport ").append(port));
        switch (rule.action()) {
            case Action.Lookup lookup -> {
                text.append(" lookup ").append(table(lookup.table()));
                lookup.suppressPrefixLength()
                        .ifPresent(
                                length -> text.append(" suppress_prefixlength ").append(length));
            }
            case Action.Goto(int target) -> text.append(" goto ").append(target);
            case Action.Unreachable _ -> text.append(" unreachable");
        }
        return text.toString();
    }

    static String ip(Family family) {
        return family == Family.IPV4 ? "ip -4" : "ip -6";
    }

    /** Returns a destination as {@code ip} prints it: a single address without its length. */
    static String destination(Prefix prefix) {
        if (prefix.isDefault()) {
            return "default";
        }
        return prefix.isHost() ? Prefix.text(prefix.address()) : prefix.toString();
    }

    static String table(long table) {
        return table == Route.MAIN ? "main" : Long.toString(table);
    }

    private static String mark(Mark mark) {
        String value = "0x" + Long.toHexString(mark.value());
        return mark.mask() == Mark.ALL_BITS && mark.value() != 0
                ? value
                : value + "/0x" + Long.toHexString(mark.mask());
    }
}
