// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.MaskedMark;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.rtnl.LookupRule.PortRange;
import io.culvert.rtnl.LookupRule.UidRange;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Mark;
import io.culvert.rtnl.PolicyRule.Selector;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A routing policy rule, as listed by the kernel.
 *
 * @param rule in the terms of a desired state; empty if these cannot express it
 * @param message the listing message; sent back with the type for deletion, it identifies exactly this rule
 */
record KernelRule(Family family, long preference, int protocol, Optional<PolicyRule> rule, NetlinkMessage message) {

    /**
     * {@code sizeof(struct fib_rule_hdr)}: family, lengths of destination and source, type of service, table, two
     * reserved, action, flags (4).
     */
    private static final int HEADER = 12;

    /** include/uapi/linux/fib_rules.h. */
    private static final int FIB_RULE_INVERT = 0x2;

    private static final int FIB_RULE_IIF_DETACHED = 0x8;
    private static final int FIB_RULE_OIF_DETACHED = 0x10;
    private static final int FIB_RULE_FIND_SADDR = 0x10000;

    private static final int FR_ACT_TO_TBL = 1;
    private static final int FR_ACT_GOTO = 2;
    private static final int FR_ACT_NOP = 3;
    private static final int FR_ACT_BLACKHOLE = 6;
    private static final int FR_ACT_UNREACHABLE = 7;
    private static final int FR_ACT_PROHIBIT = 8;

    private static final int FRA_DST = 1;
    private static final int FRA_SRC = 2;
    private static final int FRA_IIFNAME = 3;
    private static final int FRA_GOTO = 4;
    private static final int FRA_PRIORITY = 6;
    private static final int FRA_FWMARK = 10;
    private static final int FRA_FLOW = 11;
    private static final int FRA_TUN_ID = 12;
    private static final int FRA_SUPPRESS_IFGROUP = 13;
    private static final int FRA_SUPPRESS_PREFIXLEN = 14;
    private static final int FRA_TABLE = 15;
    private static final int FRA_FWMASK = 16;
    private static final int FRA_OIFNAME = 17;
    private static final int FRA_L3MDEV = 19;
    private static final int FRA_UID_RANGE = 20;
    private static final int FRA_PROTOCOL = 21;
    private static final int FRA_IP_PROTO = 22;
    private static final int FRA_SPORT_RANGE = 23;
    private static final int FRA_DPORT_RANGE = 24;
    private static final int FRA_DSCP = 25;
    private static final int FRA_FLOWLABEL = 26;
    private static final int FRA_SPORT_MASK = 28;
    private static final int FRA_DPORT_MASK = 29;
    private static final int FRA_DSCP_MASK = 30;

    private static final long UNSET = 0xffffffffL;
    private static final long FULL_PORT_MASK = 0xffff;

    /** {@code DEFAULT_OVERFLOWUID} (include/linux/highuid.h): a user that has no number in the reader's user namespace. */
    private static final long OVERFLOW_UID = 65534;

    /** Returns the request that lists all rules of both families: the kernel cannot filter them. */
    static NetlinkMessage list() {
        return new NetlinkMessage(RtNetlink.RTM_GETRULE, 0, new byte[HEADER]);
    }

    static Optional<KernelRule> decode(NetlinkMessage message) {
        byte[] payload = message.payload();
        if (message.type() != RtNetlink.RTM_NEWRULE || payload.length < HEADER) {
            return Optional.empty();
        }
        Attributes attributes = Attributes.parse(payload, HEADER);
        // The kernel omits the attribute for preference 0.
        long preference = u32(attributes, FRA_PRIORITY).orElse(0L);
        return RtNetlink.family(message, RtNetlink.RTM_NEWRULE, HEADER)
                .map(family -> new KernelRule(
                        family,
                        preference,
                        attributes.number(FRA_PROTOCOL).orElse(0L).intValue(),
                        rule(family, preference, payload, attributes),
                        message));
    }

    boolean isOurs() {
        return protocol == Ownership.PROTOCOL;
    }

    private static Optional<PolicyRule> rule(Family family, long preference, byte[] payload, Attributes attributes) {
        Optional<Selector> selector = selector(family, payload, attributes);
        Optional<Action> action = action(payload, attributes);
        return preference > Integer.MAX_VALUE || selector.isEmpty() || action.isEmpty()
                ? Optional.empty()
                : Optional.of(new PolicyRule(family, (int) preference, selector.get(), action.get()));
    }

    private static Optional<Selector> selector(Family family, byte[] payload, Attributes attributes) {
        boolean isUnsupported = payload[3] != 0
                || attributes.hasAny(FRA_FLOW, FRA_TUN_ID, FRA_L3MDEV, FRA_UID_RANGE, FRA_DSCP, FRA_FLOWLABEL)
                || attributes.number(FRA_SPORT_MASK).orElse(FULL_PORT_MASK) != FULL_PORT_MASK
                || attributes.number(FRA_DPORT_MASK).orElse(FULL_PORT_MASK) != FULL_PORT_MASK;
        Optional<Prefix> from = prefix(family, payload[2], attributes, FRA_SRC);
        Optional<Prefix> to = prefix(family, payload[1], attributes, FRA_DST);
        OptionalInt sourcePort = port(attributes, FRA_SPORT_RANGE);
        OptionalInt destinationPort = port(attributes, FRA_DPORT_RANGE);
        Optional<Long> protocol = attributes.number(FRA_IP_PROTO).filter(number -> number != 0);
        Optional<Transport> transport = protocol.flatMap(number -> Arrays.stream(Transport.values())
                .filter(candidate -> candidate.number() == number)
                .findFirst());
        if (isUnsupported
                || from.isPresent() != (payload[2] != 0)
                || to.isPresent() != (payload[1] != 0)
                || sourcePort.isPresent() != attributes.has(FRA_SPORT_RANGE)
                || destinationPort.isPresent() != attributes.has(FRA_DPORT_RANGE)
                || transport.isPresent() != protocol.isPresent()) {
            return Optional.empty();
        }
        return Optional.of(Selector.ANY.with(it -> {
            it.inverted = (RtNetlink.read(payload).getInt(8) & FIB_RULE_INVERT) != 0;
            it.from = from;
            it.to = to;
            it.inputLink = attributes.string(FRA_IIFNAME);
            it.outputLink = attributes.string(FRA_OIFNAME);
            it.mark = mark(attributes);
            it.transport = transport;
            it.sourcePort = sourcePort;
            it.destinationPort = destinationPort;
        }));
    }

    private static Optional<Prefix> prefix(Family family, byte length, Attributes attributes, int type) {
        int bits = Byte.toUnsignedInt(length);
        return attributes
                .bytes(type)
                .filter(_ -> bits != 0 && bits <= family.bits())
                .flatMap(bytes -> RtNetlink.address(family.number(), bytes))
                .map(address -> new Prefix(address, bits));
    }

    private static Optional<Mark> mark(Attributes attributes) {
        // The kernel omits a mark of 0, but not its mask.
        return attributes.has(FRA_FWMARK) || attributes.has(FRA_FWMASK)
                ? Optional.of(new Mark(
                        u32(attributes, FRA_FWMARK).orElse(0L),
                        u32(attributes, FRA_FWMASK).orElse(Mark.ALL_BITS)))
                : Optional.empty();
    }

    /** Returns a port; empty also for a range of several ports. */
    private static OptionalInt port(Attributes attributes, int type) {
        return attributes.bytes(type).filter(range -> range.length == 4).map(RtNetlink::read).stream()
                .filter(range -> range.getShort(0) == range.getShort(2))
                .mapToInt(range -> Short.toUnsignedInt(range.getShort(0)))
                .filter(port -> port >= 1 && port <= PolicyRule.MAX_PORT)
                .findFirst();
    }

    private static Optional<Long> u32(Attributes attributes, int type) {
        return attributes.number(type).map(number -> number & UNSET);
    }

    private static Optional<Action> action(byte[] payload, Attributes attributes) {
        if (attributes.number(FRA_SUPPRESS_IFGROUP).orElse(UNSET) != UNSET) {
            return Optional.empty();
        }
        long suppress = u32(attributes, FRA_SUPPRESS_PREFIXLEN).orElse(UNSET);
        return switch (payload[7]) {
            case FR_ACT_TO_TBL ->
                Optional.of(new Action.Lookup(
                        table(payload, attributes),
                        suppress == UNSET ? OptionalInt.empty() : OptionalInt.of((int) suppress)));
            case FR_ACT_GOTO ->
                u32(attributes, FRA_GOTO)
                        .filter(target -> target <= Integer.MAX_VALUE)
                        .map(target -> new Action.Goto(target.intValue()));
            case FR_ACT_UNREACHABLE -> Optional.of(new Action.Unreachable());
            default -> Optional.empty();
        };
    }

    /**
     * Returns the rule as the kernel evaluates it. The kernel compares links, not names; a condition on a link that does not
     * exist is never fulfilled.
     *
     * @param linkName returns the name by which a rule's link is known to others, or nothing if the kernel does not just
     *     compare that link
     */
    LookupRule lookup(Function<String, Optional<String>> linkName) {
        Attributes attributes = Attributes.parse(message.payload(), HEADER);
        return new Conditions(this, attributes, linkName).lookupRule();
    }

    /** Decodes the conditions of a rule of any program, and notes whether there is one that is not modelled. */
    private static final class Conditions {

        private final KernelRule rule;
        private final byte[] payload;
        private final int flags;
        private final Attributes attributes;
        private final Function<String, Optional<String>> linkName;
        private boolean hasOther;

        Conditions(KernelRule rule, Attributes attributes, Function<String, Optional<String>> linkName) {
            this.rule = rule;
            this.payload = rule.message.payload();
            this.flags = RtNetlink.read(payload).getInt(8);
            this.attributes = attributes;
            this.linkName = linkName;
            this.hasOther = payload[3] != 0
                    || attributes.hasAny(FRA_TUN_ID, FRA_DSCP, FRA_FLOWLABEL)
                    || attributes.all().stream().anyMatch(attribute -> attribute.type() > FRA_DSCP_MASK);
        }

        LookupRule lookupRule() {
            boolean findsSource = (flags & FIB_RULE_FIND_SADDR) != 0;
            hasOther |= findsSource;
            Optional<Prefix> from = prefix(findsSource ? 0 : payload[2], FRA_SRC);
            Optional<Prefix> to = prefix(payload[1], FRA_DST);
            Optional<String> inputLink = link(FRA_IIFNAME, FIB_RULE_IIF_DETACHED);
            Optional<String> outputLink = link(FRA_OIFNAME, FIB_RULE_OIF_DETACHED);
            Optional<MaskedMark> mark = KernelRule.mark(attributes)
                    .filter(it -> it.mask() != 0)
                    .map(it -> new MaskedMark(it.value() & it.mask(), it.mask()));
            OptionalInt protocol = attributes.number(FRA_IP_PROTO).stream()
                    .mapToInt(Long::intValue)
                    .filter(number -> number != 0)
                    .findFirst();
            Optional<PortRange> sourcePorts = ports(FRA_SPORT_RANGE, FRA_SPORT_MASK);
            Optional<PortRange> destinationPorts = ports(FRA_DPORT_RANGE, FRA_DPORT_MASK);
            Optional<UidRange> uids = uids();
            return new LookupRule(
                    rule.family,
                    rule.preference,
                    (flags & FIB_RULE_INVERT) != 0,
                    from,
                    to,
                    inputLink,
                    outputLink,
                    mark,
                    protocol,
                    sourcePorts,
                    destinationPorts,
                    uids,
                    hasOther,
                    action(),
                    rule.isOurs());
        }

        /** Returns a condition that is present; if it cannot be decoded, it is one that is not modelled. */
        private <T> Optional<T> decoded(boolean isPresent, Supplier<Optional<T>> decoder) {
            Optional<T> condition = isPresent ? decoder.get() : Optional.empty();
            hasOther |= isPresent && condition.isEmpty();
            return condition;
        }

        private Optional<Prefix> prefix(byte length, int type) {
            return decoded(
                    length != 0,
                    () -> RtNetlink.prefix(rule.family, Byte.toUnsignedInt(length), attributes.bytes(type)));
        }

        private Optional<String> link(int type, int detached) {
            return decoded(
                    attributes.has(type),
                    () -> (flags & detached) != 0
                            ? attributes.string(type)
                            : attributes.string(type).flatMap(linkName));
        }

        private Optional<PortRange> ports(int type, int mask) {
            return decoded(
                    attributes.has(type),
                    () -> attributes
                            .bytes(type)
                            .filter(range ->
                                    range.length == 4 && attributes.number(mask, FULL_PORT_MASK) == FULL_PORT_MASK)
                            .map(RtNetlink::read)
                            .map(range -> new PortRange(
                                    Short.toUnsignedInt(range.getShort(0)), Short.toUnsignedInt(range.getShort(2)))));
        }

        private Optional<UidRange> uids() {
            return decoded(
                    attributes.has(FRA_UID_RANGE),
                    () -> attributes
                            .bytes(FRA_UID_RANGE)
                            .filter(range -> range.length == 8)
                            .map(RtNetlink::read)
                            .map(range -> new UidRange(
                                    Integer.toUnsignedLong(range.getInt(0)), Integer.toUnsignedLong(range.getInt(4))))
                            .filter(range -> range.first() != OVERFLOW_UID && range.last() != OVERFLOW_UID));
        }

        private LookupRule.Action action() {
            return switch (payload[7]) {
                case FR_ACT_TO_TBL ->
                    attributes.has(FRA_L3MDEV) ? new LookupRule.Action.LookupVirtualRouter() : lookupTable();
                case FR_ACT_GOTO ->
                    u32(attributes, FRA_GOTO)
                            .<LookupRule.Action>map(LookupRule.Action.GotoRule::new)
                            .orElseGet(LookupRule.Action.Unknown::new);
                case FR_ACT_NOP -> new LookupRule.Action.None();
                case FR_ACT_BLACKHOLE, FR_ACT_UNREACHABLE, FR_ACT_PROHIBIT -> new LookupRule.Action.Block();
                default -> new LookupRule.Action.Unknown();
            };
        }

        private LookupRule.Action lookupTable() {
            return new LookupRule.Action.LookupTable(
                    table(payload, attributes),
                    u32(attributes, FRA_SUPPRESS_PREFIXLEN).stream()
                            .mapToInt(Long::intValue)
                            .filter(length -> length >= 0)
                            .findFirst(),
                    u32(attributes, FRA_SUPPRESS_IFGROUP).stream()
                            .mapToLong(Long::longValue)
                            .filter(group -> group != UNSET)
                            .findFirst());
        }
    }

    private static long table(byte[] payload, Attributes attributes) {
        return u32(attributes, FRA_TABLE).orElse((long) Byte.toUnsignedInt(payload[4]));
    }

    /** Returns whether it only blocks packets, or does nothing. */
    boolean isBlocking() {
        return switch (message.payload()[7]) {
            case FR_ACT_NOP, FR_ACT_BLACKHOLE, FR_ACT_UNREACHABLE, FR_ACT_PROHIBIT -> true;
            default -> false;
        };
    }

    /** Formats the rule in the syntax of iproute2, as far as the terms of a desired state can express it. */
    String text() {
        return rule.map(IpSyntax::text)
                .orElseGet(() -> IpSyntax.ip(family) + " rule pref " + preference + " with other conditions");
    }

    /** Returns the command that deletes it, in the syntax of iproute2. */
    String deletion() {
        return rule.map(IpSyntax::delete)
                .orElseGet(() -> IpSyntax.ip(family) + " rule delete pref " + preference + " protocol " + protocol);
    }

    /** Returns the message of a rule of Culvert. */
    static NetlinkMessage message(PolicyRule rule) {
        Selector selector = rule.selector();
        long table = rule.action() instanceof Action.Lookup lookup ? lookup.table() : 0;
        AttributeWriter writer = AttributeWriter.after(RtNetlink.struct(HEADER)
                        .put(0, (byte) rule.family().number())
                        .put(1, length(selector.to()))
                        .put(2, length(selector.from()))
                        .put(4, (byte) (table < 256 ? table : 0))
                        .put(7, (byte) action(rule.action()))
                        .putInt(8, selector.inverted() ? FIB_RULE_INVERT : 0)
                        .array())
                .u32(FRA_PRIORITY, rule.preference())
                .u8(FRA_PROTOCOL, Ownership.PROTOCOL);
        selector.to().ifPresent(to -> writer.bytes(FRA_DST, to.address().getAddress()));
        selector.from().ifPresent(from -> writer.bytes(FRA_SRC, from.address().getAddress()));
        selector.inputLink().ifPresent(name -> writer.string(FRA_IIFNAME, name));
        selector.outputLink().ifPresent(name -> writer.string(FRA_OIFNAME, name));
        selector.mark().ifPresent(mark -> writer.u32(FRA_FWMARK, mark.value()).u32(FRA_FWMASK, mark.mask()));
        selector.transport().ifPresent(transport -> writer.u8(FRA_IP_PROTO, transport.number()));
        selector.sourcePort().ifPresent(port -> writer.bytes(FRA_SPORT_RANGE, range(port)));
        selector.destinationPort().ifPresent(port -> writer.bytes(FRA_DPORT_RANGE, range(port)));
        if (rule.action() instanceof Action.Lookup(long _, OptionalInt suppress)) {
            writer.u32(FRA_TABLE, table);
            suppress.ifPresent(length -> writer.u32(FRA_SUPPRESS_PREFIXLEN, length));
        }
        if (rule.action() instanceof Action.Goto(int target)) {
            writer.u32(FRA_GOTO, target);
        }
        return new NetlinkMessage(RtNetlink.RTM_NEWRULE, 0, writer.toByteArray());
    }

    private static int action(Action action) {
        return switch (action) {
            case Action.Lookup _ -> FR_ACT_TO_TBL;
            case Action.Goto _ -> FR_ACT_GOTO;
            case Action.Unreachable _ -> FR_ACT_UNREACHABLE;
        };
    }

    private static byte length(Optional<Prefix> prefix) {
        return prefix.map(it -> (byte) it.length()).orElse((byte) 0);
    }

    private static byte[] range(int port) {
        return RtNetlink.struct(4).putShort((short) port).putShort((short) port).array();
    }
}
