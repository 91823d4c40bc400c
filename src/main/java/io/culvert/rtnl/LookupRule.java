// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.MaskedMark;
import io.culvert.net.Prefix;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A routing rule of any program, as the kernel evaluates it. An absent condition matches everything.
 *
 * @param isInverted {@code not}: it matches packets that do not fulfil the conditions
 * @param inputLink {@code iif}; {@code lo} stands for packets of local processes
 * @param outputLink {@code oif}: the link to which a socket is bound
 * @param protocol {@code ipproto}, an IANA protocol number
 * @param hasOtherCondition whether it has a condition that is not modelled, so that it may match or not
 * @param isOurs whether it has Culvert's protocol number
 */
public record LookupRule(
        Family family,
        long preference,
        boolean isInverted,
        Optional<Prefix> from,
        Optional<Prefix> to,
        Optional<String> inputLink,
        Optional<String> outputLink,
        Optional<MaskedMark> mark,
        OptionalInt protocol,
        Optional<PortRange> sourcePorts,
        Optional<PortRange> destinationPorts,
        Optional<UidRange> uids,
        boolean hasOtherCondition,
        Action action,
        boolean isOurs) {

    /** Ports from first to last. */
    public record PortRange(int first, int last) {}

    /** User ids from first to last, as unsigned numbers. */
    public record UidRange(long first, long last) {}

    /** What happens to a packet that the rule matches. */
    public sealed interface Action {

        /**
         * Looks a route up; if there is none, the next rule is evaluated.
         *
         * @param suppressPrefixLength a route is ignored if its prefix is not longer than this
         * @param suppressGroup a route is ignored if its link is in this group
         */
        record LookupTable(long table, OptionalInt suppressPrefixLength, OptionalLong suppressGroup)
                implements Action {}

        /**
         * Looks a route up in the table of the virtual router (VRF) that the packet's link belongs to; other packets do not match
         * (l3mdev_fib_rule_match). The kernel adds such a rule with the first virtual router, and keeps it.
         */
        record LookupVirtualRouter() implements Action {}

        /** Continues with the first rule that has this preference; without effect if there is none. */
        record GotoRule(long preference) implements Action {}

        /** Continues with the next rule. */
        record None() implements Action {}

        /** Blocks: {@code blackhole}, {@code unreachable} or {@code prohibit}. */
        record Block() implements Action {}

        /** An action that is not modelled. */
        record Unknown() implements Action {}
    }

    /** Formats the rule in the syntax of iproute2; conditions that are not modelled are only mentioned. */
    public String text() {
        StringBuilder text =
                new StringBuilder(IpSyntax.ip(family)).append(" rule pref ").append(preference);
        if (isInverted) {
            text.append(" not");
        }
        from.ifPresent(it -> text.append(" from ").append(it));
        to.ifPresent(it -> text.append(" to ").append(it));
        inputLink.ifPresent(it -> text.append(" iif ").append(it));
        outputLink.ifPresent(it -> text.append(" oif ").append(it));
        mark.ifPresent(it -> text.append(" fwmark 0x")
                .append(Long.toHexString(it.mark()))
                .append("/0x")
                .append(Long.toHexString(it.mask())));
        protocol.ifPresent(it -> text.append(" ipproto ").append(it));
        sourcePorts.ifPresent(it -> text.append(" sport ").append(text(it)));
        destinationPorts.ifPresent(it -> text.append(" dport ").append(text(it)));
        uids.ifPresent(
                it -> text.append(" uidrange ").append(it.first()).append('-').append(it.last()));
        if (hasOtherCondition) {
            text.append(" with other conditions");
        }
        return text.append(
                        switch (action) {
                            case Action.LookupTable lookup ->
                                " lookup " + IpSyntax.table(lookup.table())
                                        + (lookup.suppressPrefixLength().isPresent()
                                                ? " suppress_prefixlength "
                                                        + lookup.suppressPrefixLength()
                                                                .getAsInt()
                                                : "")
                                        + (lookup.suppressGroup().isPresent()
                                                ? " suppress_ifgroup "
                                                        + lookup.suppressGroup().getAsLong()
                                                : "");
                            case Action.LookupVirtualRouter _ -> " lookup [l3mdev-table]";
                            case Action.GotoRule goTo -> " goto " + goTo.preference();
                            case Action.None _ -> " nop";
                            case Action.Block _ -> " unreachable";
                            case Action.Unknown _ -> " with an unknown action";
                        })
                .toString();
    }

    private static String text(PortRange ports) {
        return ports.first() == ports.last() ? "" + ports.first() : ports.first() + "-" + ports.last();
    }
}
