// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Encodes the statements of a rule as expressions of the kernel, which load values into registers and compare them. It
 * makes the same expressions as nft, so that nft can list them as statements.
 */
final class RuleEncoder {

    /** {@code IPPROTO_ICMPV6} (include/uapi/linux/in6.h); ICMP's is the only other one that is not a {@link Transport}. */
    private static final int ICMPV6 = 58;

    private static final int ICMP = 1;

    /** {@code SYN} and {@code RST} of TCP's flags (RFC 9293, section 3.1). */
    private static final int SYN = 2;

    private static final int RST = 4;

    /** Kind and position of the maximum segment size in a TCP header (RFC 9293, section 3.2). */
    private static final int MSS_OPTION = 2;

    private static final int MSS_OFFSET = 2;

    /**
     * Where a field is.
     *
     * @param load {@code meta} or {@code ct} with a key, or {@code payload}
     * @param family of the header; nft's rules of the family {@code inet} must check it before
     * @param protocol of the header, likewise
     */
    private record Field(KeyType type, Load load, Optional<Family> family, OptionalInt protocol) {}

    private sealed interface Load {
        record Key(String expression, int key) implements Load {}

        record Payload(int base, int offset) implements Load {}
    }

    private final Table.Family tableFamily;
    private final List<Expression> expressions = new ArrayList<>();
    private final List<EncodedSet> sets = new ArrayList<>();

    /** What the expressions so far have checked. */
    private Optional<Family> checkedFamily = Optional.empty();

    private OptionalInt checkedProtocol = OptionalInt.empty();

    private RuleEncoder(Table.Family tableFamily) {
        this.tableFamily = tableFamily;
    }

    static EncodedChain chain(Table.Family family, Chain chain) {
        return new EncodedChain(
                chain.name(),
                chain.base().map(base -> hook(family, base)),
                0,
                chain.rules().stream().map(rule -> rule(family, rule)).toList());
    }

    static EncodedRule rule(Table.Family family, NftRule rule) {
        RuleEncoder encoder = new RuleEncoder(family);
        rule.statements().forEach(encoder::add);
        return new EncodedRule(rule.comment(), encoder.expressions, encoder.sets);
    }

    private static EncodedChain.Hook hook(Table.Family family, Chain.Base base) {
        return new EncodedChain.Hook(
                base.type().toString(),
                family == Table.Family.ARP ? arpHook(base.hook()) : hook(base.hook()),
                base.priority(),
                base.policy() == Chain.Policy.ACCEPT ? NfTables.NF_ACCEPT : NfTables.NF_DROP);
    }

    /** Returns {@code NF_INET_*} (include/uapi/linux/netfilter.h). */
    private static int hook(Chain.Hook hook) {
        return switch (hook) {
            case PREROUTING -> 0;
            case INPUT -> 1;
            case FORWARD -> 2;
            case OUTPUT -> 3;
            case POSTROUTING -> 4;
        };
    }

    /** Returns {@code NF_ARP_*} (include/uapi/linux/netfilter_arp.h). */
    private static int arpHook(Chain.Hook hook) {
        return switch (hook) {
            case INPUT -> 0;
            case OUTPUT -> 1;
            case PREROUTING, FORWARD, POSTROUTING ->
                throw new IllegalArgumentException("ARP packets have no hook " + hook);
        };
    }

    private void add(Statement statement) {
        switch (statement) {
            case Statement.Match match -> match(match);
            case Statement.Verdict verdict ->
                verdict(
                        switch (verdict) {
                            case ACCEPT -> NfTables.NF_ACCEPT;
                            case DROP -> NfTables.NF_DROP;
                            case RETURN -> NfTables.NFT_RETURN;
                        },
                        null);
            case Statement.Counter() -> add(Expression.of("counter"));
            case Statement.Jump(String chain) -> verdict(NfTables.NFT_JUMP, chain);
            case Statement.Reject() ->
                add(Expression.of("reject")
                        .with(NfTables.NFTA_REJECT_TYPE, NfTables.NFT_REJECT_ICMPX_UNREACH)
                        .with(NfTables.NFTA_REJECT_ICMP_CODE, new byte[] {Statement.Reject.ADMIN_PROHIBITED}));
            case Statement.MarkConnection(long bits) -> markConnection(bits);
            case Statement.Masquerade() ->
                add(Expression.of("masq").with(NfTables.NFTA_MASQ_FLAGS, NfTables.NF_NAT_RANGE_PROTO_RANDOM));
            case Statement.Redirect(int port) -> {
                immediate(KeyType.PORT.encode(port));
                add(Expression.of("redir")
                        .with(NfTables.NFTA_REDIR_REG_PROTO_MIN, NfTables.NFT_REG_1)
                        .with(NfTables.NFTA_REDIR_REG_PROTO_MAX, NfTables.NFT_REG_1)
                        .with(NfTables.NFTA_REDIR_FLAGS, NfTables.NF_NAT_RANGE_PROTO_SPECIFIED));
            }
            case Statement.SendTo(InetAddress address) -> {
                immediate(address.getAddress());
                add(Expression.of("nat")
                        .with(NfTables.NFTA_NAT_TYPE, NfTables.NFT_NAT_DNAT)
                        .with(NfTables.NFTA_NAT_FAMILY, Family.of(address).number())
                        .with(NfTables.NFTA_NAT_REG_ADDR_MIN, NfTables.NFT_REG_1)
                        .with(NfTables.NFTA_NAT_REG_ADDR_MAX, NfTables.NFT_REG_1));
            }
            case Statement.ClampMss() -> clampMss();
        }
    }

    private void add(Expression expression) {
        expressions.add(expression);
    }

    private void verdict(int code, @Nullable String chain) {
        Expression verdict = Expression.of("immediate")
                .with(NfTables.NFTA_IMMEDIATE_DREG, NfTables.NFT_REG_VERDICT)
                .withVerdict(NfTables.NFTA_IMMEDIATE_DATA, code, chain);
        add(verdict);
    }

    private void immediate(byte[] value) {
        add(Expression.of("immediate")
                .with(NfTables.NFTA_IMMEDIATE_DREG, NfTables.NFT_REG_1)
                .withData(NfTables.NFTA_IMMEDIATE_DATA, value));
    }

    private void markConnection(long bits) {
        Field mark = field(MatchField.Property.CONNECTION_MARK);
        load(mark, NfTables.NFT_REG_1);
        bitwise(mark.type().encode(~bits), mark.type().encode(bits));
        add(Expression.of("ct")
                .with(NfTables.NFTA_CT_KEY, NfTables.NFT_CT_MARK)
                .with(NfTables.NFTA_CT_SREG, NfTables.NFT_REG_1));
    }

    private void clampMss() {
        match(new Statement.Match(
                new MatchField.Masked(MatchField.Property.TCP_FLAGS, SYN | RST), true, new NftValue.Decimal(SYN)));
        add(Expression.of("rt")
                .with(NfTables.NFTA_RT_DREG, NfTables.NFT_REG_1)
                .with(NfTables.NFTA_RT_KEY, NfTables.NFT_RT_TCPMSS));
        add(Expression.of("byteorder")
                .with(NfTables.NFTA_BYTEORDER_SREG, NfTables.NFT_REG_1)
                .with(NfTables.NFTA_BYTEORDER_DREG, NfTables.NFT_REG_1)
                .with(NfTables.NFTA_BYTEORDER_OP, NfTables.NFT_BYTEORDER_HTON)
                .with(NfTables.NFTA_BYTEORDER_LEN, 2)
                .with(NfTables.NFTA_BYTEORDER_SIZE, 2));
        add(Expression.of("exthdr")
                .with(NfTables.NFTA_EXTHDR_TYPE, new byte[] {MSS_OPTION})
                .with(NfTables.NFTA_EXTHDR_OFFSET, MSS_OFFSET)
                .with(NfTables.NFTA_EXTHDR_LEN, 2)
                .with(NfTables.NFTA_EXTHDR_OP, NfTables.NFT_EXTHDR_OP_TCPOPT)
                .with(NfTables.NFTA_EXTHDR_SREG, NfTables.NFT_REG_1));
    }

    private void match(Statement.Match match) {
        switch (match.field()) {
            case MatchField.Property property -> match(field(property), match.equal(), match.value());
            case MatchField.Masked(MatchField.Property property, long mask) -> {
                Field field = field(property);
                checkHeader(field);
                load(field, NfTables.NFT_REG_1);
                bitwise(field.type().encode(mask), new byte[field.type().length()]);
                compare(field.type(), match.equal(), match.value());
            }
            case MatchField.Joined(List<MatchField.Property> properties) -> {
                if (!(match.value() instanceof NftValue.In(String set))) {
                    throw new IllegalArgumentException("a concatenation is compared with a named set only");
                }
                List<Field> fields = properties.stream().map(this::field).toList();
                fields.forEach(this::checkHeader);
                int used = 0;
                for (Field field : fields) {
                    load(field, register(used));
                    used += Math.ceilDiv(field.type().length(), NfTables.NFT_REG32_SIZE);
                }
                lookup(set, match.equal());
            }
        }
    }

    private void match(Field field, boolean equal, NftValue value) {
        checkHeader(field);
        if (value instanceof NftValue.Address(Prefix prefix) && !prefix.isHost()) {
            matchNetwork(field, equal, prefix);
            return;
        }
        if (equal && field.load() instanceof Load.Payload payload && isSingle(value)) {
            matchHeader(payload, field.type().encode(value));
        } else {
            load(field, NfTables.NFT_REG_1);
            compare(field.type(), equal, value);
        }
        remember(field, equal, value);
    }

    /** Compares a field of a header; a port together with the one before it if that was compared, too. */
    private void matchHeader(Load.Payload payload, byte[] value) {
        if (!followsComparedPort(payload)) {
            add(payload(payload, value.length, NfTables.NFT_REG_1));
            add(compare(true, value));
            return;
        }
        byte[] port = expressions.removeLast().data(NfTables.NFTA_CMP_DATA).orElseThrow();
        expressions.removeLast();
        byte[] both = Arrays.copyOf(port, port.length + value.length);
        System.arraycopy(value, 0, both, port.length, value.length);
        matchHeader(new Load.Payload(payload.base(), payload.offset() - port.length), both);
    }

    private boolean followsComparedPort(Load.Payload payload) {
        int size = expressions.size();
        if (payload.base() != NfTables.NFT_PAYLOAD_TRANSPORT_HEADER || payload.offset() == 0 || size < 2) {
            return false;
        }
        Expression load = expressions.get(size - 2);
        Expression compare = expressions.get(size - 1);
        return load.name().equals("payload")
                && load.is(NfTables.NFTA_PAYLOAD_BASE, NfTables.NFT_PAYLOAD_TRANSPORT_HEADER)
                && load.number(NfTables.NFTA_PAYLOAD_OFFSET).orElse(0)
                                + load.number(NfTables.NFTA_PAYLOAD_LEN).orElse(0)
                        == payload.offset()
                && compare.name().equals("cmp")
                && compare.is(NfTables.NFTA_CMP_OP, NfTables.NFT_CMP_EQ);
    }

    /** Compares only the bytes of the network, or masks its bits if it does not end with a byte. */
    private void matchNetwork(Field field, boolean equal, Prefix prefix) {
        Load.Payload payload = (Load.Payload) field.load();
        byte[] address = prefix.address().getAddress();
        if (prefix.length() % Byte.SIZE == 0) {
            int length = prefix.length() / Byte.SIZE;
            add(payload(payload, length, NfTables.NFT_REG_1));
            add(compare(equal, Arrays.copyOf(address, length)));
            return;
        }
        byte[] mask = new byte[address.length];
        for (int bit = 0; bit < prefix.length(); bit++) {
            mask[bit / Byte.SIZE] |= (byte) (0x80 >>> bit % Byte.SIZE);
        }
        load(field, NfTables.NFT_REG_1);
        bitwise(mask, new byte[mask.length]);
        add(compare(equal, address));
    }

    /** Adds the checks of family and protocol without which the header may be another one. */
    private void checkHeader(Field field) {
        if (tableFamily == Table.Family.INET
                && field.family().isPresent()
                && !field.family().equals(checkedFamily)) {
            NftValue family = NftValue.Word.of(field.family().get());
            match(field(MatchField.Property.FAMILY), true, family);
        }
        if (field.protocol().isPresent() && !field.protocol().equals(checkedProtocol)) {
            NftValue protocol = new NftValue.Decimal(field.protocol().getAsInt());
            match(field(MatchField.Property.TRANSPORT), true, protocol);
        }
    }

    private void remember(Field field, boolean equal, NftValue value) {
        if (equal && isSingle(value)) {
            int number = field.type().encode(value)[0];
            switch (field.type()) {
                case FAMILY ->
                    checkedFamily = Arrays.stream(Family.values())
                            .filter(family -> family.number() == number)
                            .findFirst();
                case TRANSPORT -> checkedProtocol = OptionalInt.of(number);
                default -> {}
            }
        }
    }

    private static boolean isSingle(NftValue value) {
        return !(value instanceof NftValue.AnyOf) && !(value instanceof NftValue.In);
    }

    private void compare(KeyType type, boolean equal, NftValue value) {
        switch (value) {
            case NftValue.In(String set) -> lookup(set, equal);
            case NftValue.AnyOf(List<NftValue> values) -> {
                sets.add(SetEncoder.anonymous(type, values));
                lookup(EncodedSet.ANONYMOUS_NAME, equal);
            }
            default -> add(compare(equal, type.encode(value)));
        }
    }

    private static Expression compare(boolean equal, byte[] value) {
        return Expression.of("cmp")
                .with(NfTables.NFTA_CMP_SREG, NfTables.NFT_REG_1)
                .with(NfTables.NFTA_CMP_OP, equal ? NfTables.NFT_CMP_EQ : NfTables.NFT_CMP_NEQ)
                .withData(NfTables.NFTA_CMP_DATA, value);
    }

    private void lookup(String set, boolean equal) {
        add(Expression.of("lookup")
                .with(NfTables.NFTA_LOOKUP_SET, set)
                .with(NfTables.NFTA_LOOKUP_SREG, NfTables.NFT_REG_1)
                .with(NfTables.NFTA_LOOKUP_FLAGS, equal ? 0 : NfTables.NFT_LOOKUP_F_INV));
    }

    private void bitwise(byte[] mask, byte[] xor) {
        add(Expression.of("bitwise")
                .with(NfTables.NFTA_BITWISE_SREG, NfTables.NFT_REG_1)
                .with(NfTables.NFTA_BITWISE_DREG, NfTables.NFT_REG_1)
                .with(NfTables.NFTA_BITWISE_LEN, mask.length)
                .withData(NfTables.NFTA_BITWISE_MASK, mask)
                .withData(NfTables.NFTA_BITWISE_XOR, xor));
    }

    private void load(Field field, int register) {
        switch (field.load()) {
            case Load.Key(String expression, int key) ->
                // NFTA_META_DREG and NFTA_CT_DREG, NFTA_META_KEY and NFTA_CT_KEY are the same numbers.
                add(Expression.of(expression)
                        .with(NfTables.NFTA_META_DREG, register)
                        .with(NfTables.NFTA_META_KEY, key));
            case Load.Payload payload -> add(payload(payload, field.type().length(), register));
        }
    }

    private static Expression payload(Load.Payload payload, int length, int register) {
        return Expression.of("payload")
                .with(NfTables.NFTA_PAYLOAD_DREG, register)
                .with(NfTables.NFTA_PAYLOAD_BASE, payload.base())
                .with(NfTables.NFTA_PAYLOAD_OFFSET, payload.offset())
                .with(NfTables.NFTA_PAYLOAD_LEN, length);
    }

    /** Returns the register behind so many small ones, by the number that the kernel prefers for it. */
    private static int register(int used) {
        int small = NfTables.NFT_REG_SIZE / NfTables.NFT_REG32_SIZE;
        return used % small == 0 ? NfTables.NFT_REG_1 + used / small : NfTables.NFT_REG32_00 + used;
    }

    private Field field(MatchField.Property property) {
        return switch (property) {
            case MARK -> meta(KeyType.MARK, NfTables.NFT_META_MARK);
            case PRIORITY -> meta(KeyType.PRIORITY, NfTables.NFT_META_PRIORITY);
            case INPUT_LINK -> meta(KeyType.LINK, NfTables.NFT_META_IIFNAME);
            case OUTPUT_LINK -> meta(KeyType.LINK, NfTables.NFT_META_OIFNAME);
            case TRANSPORT -> meta(KeyType.TRANSPORT, NfTables.NFT_META_L4PROTO);
            case FAMILY -> meta(KeyType.FAMILY, NfTables.NFT_META_NFPROTO);
            case DIRECTION -> connection(KeyType.DIRECTION, NfTables.NFT_CT_DIRECTION);
            case CONNECTION_MARK -> connection(KeyType.MARK, NfTables.NFT_CT_MARK);
            // Offsets: RFC 791, section 3.1; RFC 8200, section 3.
            case IPV4_SOURCE -> network(KeyType.IPV4, 12, Optional.of(Family.IPV4));
            case IPV4_DESTINATION -> network(KeyType.IPV4, 16, Optional.of(Family.IPV4));
            case IPV6_SOURCE -> network(KeyType.IPV6, 8, Optional.of(Family.IPV6));
            case IPV6_DESTINATION -> network(KeyType.IPV6, 24, Optional.of(Family.IPV6));
            // RFC 826, for Ethernet and IPv4.
            case ARP_SENDER -> network(KeyType.IPV4, 14, Optional.empty());
            case ARP_TARGET -> network(KeyType.IPV4, 24, Optional.empty());
            // RFC 792; RFC 4443, section 2.1.
            case ICMP_TYPE -> icmp(KeyType.ICMP_TYPE, Family.IPV4, ICMP);
            case ICMPV6_TYPE -> icmp(KeyType.ICMPV6_TYPE, Family.IPV6, ICMPV6);
            // RFC 9293, section 3.1; RFC 768.
            case SOURCE_PORT -> transport(KeyType.PORT, 0, OptionalInt.empty());
            case DESTINATION_PORT -> transport(KeyType.PORT, 2, OptionalInt.empty());
            case TCP_FLAGS -> transport(KeyType.TCP_FLAGS, 13, OptionalInt.of(Transport.TCP.number()));
            case TCP_DESTINATION_PORT -> transport(KeyType.PORT, 2, OptionalInt.of(Transport.TCP.number()));
            case UDP_SOURCE_PORT -> transport(KeyType.PORT, 0, OptionalInt.of(Transport.UDP.number()));
            case UDP_DESTINATION_PORT -> transport(KeyType.PORT, 2, OptionalInt.of(Transport.UDP.number()));
        };
    }

    private static Field meta(KeyType type, int key) {
        return new Field(type, new Load.Key("meta", key), Optional.empty(), OptionalInt.empty());
    }

    private static Field connection(KeyType type, int key) {
        return new Field(type, new Load.Key("ct", key), Optional.empty(), OptionalInt.empty());
    }

    private static Field network(KeyType type, int offset, Optional<Family> family) {
        return new Field(
                type, new Load.Payload(NfTables.NFT_PAYLOAD_NETWORK_HEADER, offset), family, OptionalInt.empty());
    }

    private static Field icmp(KeyType type, Family family, int protocol) {
        return new Field(
                type,
                new Load.Payload(NfTables.NFT_PAYLOAD_TRANSPORT_HEADER, 0),
                Optional.of(family),
                OptionalInt.of(protocol));
    }

    private static Field transport(KeyType type, int offset, OptionalInt protocol) {
        return new Field(
                type, new Load.Payload(NfTables.NFT_PAYLOAD_TRANSPORT_HEADER, offset), Optional.empty(), protocol);
    }
}
