// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.Expression;
import io.culvert.nft.KernelSet;
import io.culvert.nft.KernelTable;
import io.culvert.nft.KernelVerdict;
import io.culvert.nft.NfTables;
import io.culvert.nft.TableRule;
import io.culvert.rtnl.RoutingState.StateLink;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BinaryOperator;

/**
 * Evaluates one rule of nftables, in the terms of the kernel's virtual machine: which packets it matches, how it changes
 * them, and which verdicts it gives. What is not modelled may match or not, and is noted where it may let packets leave.
 */
final class RuleEvaluator<B> {

    /** The verdicts of one rule: those of a map's elements are several. */
    record Decision<B>(KernelVerdict verdict, B packets) {}

    /**
     * Packets that get another destination.
     *
     * @param isElsewhere where the address differs from the one before
     * @param port empty if it stays as it is
     */
    record Translation<B>(B packets, B isElsewhere, List<B> address, Optional<List<B>> port) {}

    /** Where redirected packets of local processes go. */
    private static byte[] loopback(Family family) {
        return Prefix.parseAddress(family == Family.IPV4 ? "127.0.0.1" : "::1").getAddress();
    }

    /** A packet with this verdict may go on or not. */
    static final int NF_QUEUE = 3;

    /** include/uapi/linux/netfilter/nf_tables.h. */
    private static final int CMP_LT = 2;

    private static final int CMP_LTE = 3;
    private static final int CMP_GT = 4;
    private static final int CMP_GTE = 5;
    private static final int BITWISE_MASK_XOR = 0;
    private static final int BITWISE_LSHIFT = 1;
    private static final int BITWISE_RSHIFT = 2;
    private static final int BITWISE_AND = 3;
    private static final int BITWISE_OR = 4;
    private static final int BITWISE_XOR = 5;
    private static final int BITWISE_SREG2 = 8;
    private static final int META_PROTOCOL = 1;
    private static final int META_IIF = 4;
    private static final int META_OIF = 5;
    private static final int META_SKUID = 10;
    private static final int META_SKGID = 11;
    private static final int META_IIFGROUP = 21;
    private static final int META_OIFGROUP = 22;
    private static final int META_PRANDOM = 24;
    private static final int CT_STATE = 0;
    private static final int ETH_P_IP = 0x0800;
    private static final int ETH_P_IPV6 = 0x86dd;

    /** include/uapi/linux/netfilter/xt_connmark.h. */
    private static final int XT_CONNMARK_SET = 0;

    private static final int XT_CONNMARK_SAVE = 1;
    private static final int XT_CONNMARK_RESTORE = 2;
    private static final int XT_CONNMARK_MODE = 12;

    private final Logic<B> logic;
    private final Links links;
    private final SetMembership<B> membership;
    private final Notes notes;

    private final KernelTable table;
    private final PacketState<B> packet;
    private B hasConnection;
    private Registers<B> registers;
    private B match;
    private final List<Decision<B>> decisions = new ArrayList<>();
    private final List<Translation<B>> translations = new ArrayList<>();

    RuleEvaluator(Logic<B> logic, Links links, Notes notes, KernelTable table, PacketState<B> packet) {
        this.logic = logic;
        this.links = links;
        this.notes = notes;
        this.membership = new SetMembership<>(logic);
        this.table = table;
        this.packet = packet;
        this.registers = new Registers<>(logic);
        this.match = logic.no();
        this.hasConnection = logic.no();
    }

    /**
     * Evaluates a rule.
     *
     * @param candidates the packets that reach it
     * @param connection where connection tracking has seen the packets already
     * @return the verdicts; packets without one go on with the next rule
     */
    List<Decision<B>> evaluate(TableRule rule, B candidates, B connection) {
        registers = new Registers<>(logic);
        match = candidates;
        hasConnection = connection;
        decisions.clear();
        for (Expression expression : rule.expressions()) {
            if (logic.isNo(match)) {
                break;
            }
            evaluate(expression);
        }
        return List.copyOf(decisions);
    }

    /** Returns the translations by all rules that were evaluated so far. */
    List<Translation<B>> translations() {
        return List.copyOf(translations);
    }

    private void decide(KernelVerdict verdict, B packets) {
        decisions.add(new Decision<>(verdict, packets));
        match = logic.and(match, logic.not(packets));
    }

    private void decide(int code) {
        decide(new KernelVerdict(code, ""), match);
    }

    private void evaluate(Expression it) {
        switch (it.name()) {
            case "meta" -> meta(it);
            case "ct" -> connection(it);
            case "payload" -> payload(it);
            case "cmp" -> require(compare(it));
            case "range" -> require(range(it));
            case "bitwise" -> bitwise(it);
            case "byteorder" -> byteorder(it);
            case "immediate" -> immediate(it);
            case "lookup" -> lookup(it);
            case "counter", "log", "last" -> {}
            case "limit", "quota", "connlimit", "match", "dynset", "objref" -> require(logic.unknown());
            case "reject" -> decide(NfTables.NF_DROP);
            case "queue" -> {
                notes.add(table, "passes packets to a program, which may change and send them (queue)");
                decide(NF_QUEUE);
            }
            case "nat" -> translate(it);
            case "masq" -> {
                translateSource(logic.unknown(packet.family().bits()));
                decide(NfTables.NF_ACCEPT);
            }
            case "redir" -> redirect(it);
            case "notrack" -> excludeFromTracking(match);
            case "target" -> target(it);
            case "dup", "fwd", "flow_offload" ->
                notes.add(
                        table,
                        switch (it.name()) {
                            case "dup" -> "duplicates packets (dup)";
                            case "fwd" -> "forwards packets to another interface (fwd)";
                            default -> "forwards packets without evaluating rules (flow table)";
                        });
            // They end the way of a packet, or leave it as it is.
            case "synproxy", "tproxy" -> {}
            default -> unknownResult(it);
        }
    }

    private void require(B condition) {
        match = logic.and(match, condition);
    }

    /** Stores something unknown where an expression of this kind has its result. */
    private void unknownResult(Expression it) {
        // The attribute that names the destination register: 1, but of these 2.
        int attribute = List.of("socket", "hash", "xfrm").contains(it.name()) ? 2 : 1;
        switch (it.name()) {
            case "fib", "rt", "osf", "numgen", "exthdr", "socket", "hash", "xfrm", "tunnel", "inner" ->
                it.number(attribute).ifPresent(register -> registers.store(register, logic.unknown(128)));
            default -> notes.add(table, "has an expression that is not known (" + it.name() + ")");
        }
        // It may also have no result, which ends the rule.
        require(logic.unknown());
    }

    private void meta(Expression it) {
        int key = (int) it.number(NfTables.NFTA_META_KEY).orElse(-1);
        if (it.has(NfTables.NFTA_META_SREG)) {
            if (key == NfTables.NFT_META_MARK) {
                packet.setMark(match, loadNumber(it, NfTables.NFTA_META_SREG));
            }
            return;
        }
        List<B> value = switch (key) {
            case META_PROTOCOL -> logic.constant(packet.family() == Family.IPV4 ? ETH_P_IP : ETH_P_IPV6, Short.SIZE);
            case NfTables.NFT_META_MARK -> PacketState.inHostOrder(packet.mark());
            case META_IIF -> PacketState.inHostOrder(links.value(logic, packet.inputLink(), link -> link.index()));
            case META_OIF -> PacketState.inHostOrder(links.value(logic, packet.outputLink(), link -> link.index()));
            case META_IIFGROUP -> PacketState.inHostOrder(links.value(logic, packet.inputLink(), link -> link.group()));
            case META_OIFGROUP ->
                PacketState.inHostOrder(links.value(logic, packet.outputLink(), link -> link.group()));
            case NfTables.NFT_META_IIFNAME -> packet.inputName(links);
            case NfTables.NFT_META_OIFNAME -> packet.outputName(links);
            case NfTables.NFT_META_NFPROTO -> logic.constant(familyNumber(), Byte.SIZE);
            case NfTables.NFT_META_L4PROTO -> packet.protocol();
            case META_SKUID -> PacketState.inHostOrder(packet.user());
            case META_PRANDOM -> logic.unknown(Integer.SIZE);
            default -> packet.other("meta " + key, 128);
        };
        if (key == META_SKUID || key == META_SKGID) {
            require(packet.hasSocket() ? logic.unknown() : logic.no());
        }
        // Without a link there is no group, which ends the rule, whereas the index and the name are empty then.
        if (key == META_IIFGROUP || key == META_OIFGROUP) {
            require(logic.anyOf(key == META_IIFGROUP ? packet.inputLink() : packet.outputLink()));
        }
        it.number(NfTables.NFTA_META_DREG).ifPresent(register -> registers.store(register, value));
    }

    /** {@code NFPROTO_*} of the packets. */
    private int familyNumber() {
        return packet.family() == Family.IPV4 ? KernelTable.IPV4 : KernelTable.IPV6;
    }

    private void connection(Expression it) {
        int key = (int) it.number(NfTables.NFTA_CT_KEY).orElse(-1);
        if (it.has(NfTables.NFTA_CT_SREG)) {
            if (key == NfTables.NFT_CT_MARK) {
                packet.setConnectionMark(
                        logic.and(match, logic.and(hasConnection, isTracked())), loadNumber(it, NfTables.NFTA_CT_SREG));
            }
            return;
        }
        if (key == CT_STATE) {
            it.number(NfTables.NFTA_CT_DREG).ifPresent(register -> registers.store(register, connectionState()));
            return;
        }
        require(logic.and(hasConnection, isTracked()));
        List<B> value = switch (key) {
            case NfTables.NFT_CT_DIRECTION -> {
                List<B> direction = new ArrayList<>(logic.zero(Byte.SIZE - 1));
                direction.add(packet.isReply());
                yield direction;
            }
            case NfTables.NFT_CT_MARK -> PacketState.inHostOrder(packet.connectionMark());
            default -> packet.other("ct " + key, 128);
        };
        it.number(NfTables.NFTA_CT_DREG).ifPresent(register -> registers.store(register, value));
    }

    private B isTracked() {
        return logic.and(
                logic.not(packet.isConnectionState(PacketState.UNTRACKED)),
                logic.not(packet.isConnectionState(PacketState.INVALID)));
    }

    /** Returns the bits of {@code ct state}: invalid 1, established 2, related 4, new 8, untracked 64. */
    private List<B> connectionState() {
        List<B> bits = new ArrayList<>(logic.zero(Integer.SIZE));
        int[] positions = {0, 1, 2, 3, 6};
        for (int state = 0; state < positions.length; state++) {
            bits.set(Integer.SIZE - 1 - positions[state], isConnectionState(state));
        }
        return PacketState.inHostOrder(bits);
    }

    /** Before connection tracking, packets are invalid, except those that were excluded from it already. */
    private B isConnectionState(int state) {
        B before = switch (state) {
            case PacketState.INVALID -> logic.not(packet.isConnectionState(PacketState.UNTRACKED));
            case PacketState.UNTRACKED -> packet.isConnectionState(PacketState.UNTRACKED);
            default -> logic.no();
        };
        return logic.choose(hasConnection, packet.isConnectionState(state), before);
    }

    /** Excludes packets from connection tracking, unless it has seen them already (nft_notrack_eval). */
    private void excludeFromTracking(B where) {
        B isFree = logic.or(logic.not(hasConnection), packet.isConnectionState(PacketState.INVALID));
        packet.setConnectionState(logic.and(where, isFree), PacketState.UNTRACKED);
    }

    /** Loads a number of four bytes in the machine's order. */
    private List<B> loadNumber(Expression it, int attribute) {
        return PacketState.inHostOrder(registers.load(it.number(attribute).orElse(0), Integer.SIZE));
    }

    private void payload(Expression it) {
        int base = (int) it.number(NfTables.NFTA_PAYLOAD_BASE).orElse(-1);
        int offset = (int) it.number(NfTables.NFTA_PAYLOAD_OFFSET).orElse(0) * Byte.SIZE;
        int length = (int) it.number(NfTables.NFTA_PAYLOAD_LEN).orElse(0) * Byte.SIZE;
        if (base == NfTables.NFT_PAYLOAD_TRANSPORT_HEADER) {
            require(logic.not(packet.isLaterFragment()));
        }
        // NFTA_PAYLOAD_SREG 5: the packet is changed.
        Optional<Long> source = it.number(5).stream().boxed().findFirst();
        if (source.isPresent()) {
            List<B> value = registers.load(source.get(), length);
            switch (base) {
                case NfTables.NFT_PAYLOAD_NETWORK_HEADER -> packet.setNetwork(match, offset, value);
                case NfTables.NFT_PAYLOAD_TRANSPORT_HEADER -> packet.setTransport(match, offset, value);
                default -> {}
            }
            return;
        }
        List<B> value = switch (base) {
            case NfTables.NFT_PAYLOAD_NETWORK_HEADER -> packet.network(offset, length);
            case NfTables.NFT_PAYLOAD_TRANSPORT_HEADER -> {
                if (offset + length > 8 * Byte.SIZE) {
                    // Only what a UDP header has is there in every packet.
                    require(logic.or(
                            logic.equal(packet.protocol(), 6),
                            packet.other("longer header", 1).getFirst()));
                }
                yield packet.transport(offset, length);
            }
            default -> {
                // The link's header, or what is behind the transport's: it may be missing.
                require(packet.other("payload " + base, 1).getFirst());
                yield packet.other("payload " + base + ' ' + offset, length);
            }
        };
        it.number(NfTables.NFTA_PAYLOAD_DREG).ifPresent(register -> registers.store(register, value));
    }

    private B compare(Expression it) {
        Optional<byte[]> data = it.data(NfTables.NFTA_CMP_DATA);
        if (data.isEmpty()) {
            return logic.unknown();
        }
        byte[] value = data.get();
        List<B> register = registers.load(it.number(NfTables.NFTA_CMP_SREG).orElse(0), value.length * Byte.SIZE);
        return switch ((int) it.number(NfTables.NFTA_CMP_OP).orElse(-1)) {
            case NfTables.NFT_CMP_EQ -> logic.hasPrefix(register, value, value.length * Byte.SIZE);
            case NfTables.NFT_CMP_NEQ -> logic.not(logic.hasPrefix(register, value, value.length * Byte.SIZE));
            case CMP_LT -> logic.not(logic.atLeast(register, value));
            case CMP_LTE -> logic.atMost(register, value);
            case CMP_GT -> logic.not(logic.atMost(register, value));
            case CMP_GTE -> logic.atLeast(register, value);
            default -> logic.unknown();
        };
    }

    /** NFTA_RANGE_SREG 1, _OP 2, _FROM_DATA 3, _TO_DATA 4. */
    private B range(Expression it) {
        Optional<byte[]> from = it.data(3);
        Optional<byte[]> to = it.data(4);
        if (from.isEmpty() || to.isEmpty() || from.get().length != to.get().length) {
            return logic.unknown();
        }
        B within = logic.between(
                registers.load(it.number(1).orElse(0), from.get().length * Byte.SIZE), from.get(), to.get());
        return it.is(2, NfTables.NFT_CMP_NEQ) ? logic.not(within) : within;
    }

    private void bitwise(Expression it) {
        int bits = (int) it.number(NfTables.NFTA_BITWISE_LEN).orElse(0) * Byte.SIZE;
        List<B> value = registers.load(it.number(NfTables.NFTA_BITWISE_SREG).orElse(0), bits);
        int operation = (int) it.number(NfTables.NFTA_BITWISE_OP).orElse(BITWISE_MASK_XOR);
        List<B> result = switch (operation) {
            case BITWISE_MASK_XOR -> {
                byte[] mask = it.data(NfTables.NFTA_BITWISE_MASK).orElse(new byte[0]);
                byte[] xor = it.data(NfTables.NFTA_BITWISE_XOR).orElse(new byte[0]);
                yield mask.length * Byte.SIZE == bits && xor.length * Byte.SIZE == bits
                        ? xor(and(value, logic.constant(mask)), logic.constant(xor))
                        : logic.unknown(bits);
            }
            case BITWISE_LSHIFT, BITWISE_RSHIFT -> shift(it, value, operation == BITWISE_LSHIFT);
            case BITWISE_AND, BITWISE_OR, BITWISE_XOR -> {
                List<B> other = it.has(BITWISE_SREG2)
                        ? registers.load(it.number(BITWISE_SREG2).orElse(0), bits)
                        : it.data(NfTables.NFTA_BITWISE_DATA)
                                .filter(data -> data.length * Byte.SIZE == bits)
                                .map(logic::constant)
                                .orElseGet(() -> logic.unknown(bits));
                yield switch (operation) {
                    case BITWISE_AND -> and(value, other);
                    case BITWISE_OR -> combined(value, other, logic::or);
                    default -> xor(value, other);
                };
            }
            default -> logic.unknown(bits);
        };
        it.number(NfTables.NFTA_BITWISE_DREG).ifPresent(register -> registers.store(register, result));
    }

    /** The kernel shifts numbers of four bytes in the machine's order. */
    private List<B> shift(Expression it, List<B> value, boolean isLeft) {
        Optional<byte[]> data = it.data(NfTables.NFTA_BITWISE_DATA).filter(count -> count.length == Integer.BYTES);
        if (value.size() != Integer.SIZE || data.isEmpty()) {
            return logic.unknown(value.size());
        }
        int count = ByteBuffer.wrap(data.get()).order(ByteOrder.nativeOrder()).getInt();
        List<B> number = PacketState.inHostOrder(value);
        List<B> shifted = new ArrayList<>(logic.zero(Integer.SIZE));
        for (int i = 0; i < Integer.SIZE; i++) {
            int from = isLeft ? i + count : i - count;
            if (from >= 0 && from < Integer.SIZE) {
                shifted.set(i, number.get(from));
            }
        }
        return PacketState.inHostOrder(shifted);
    }

    private List<B> and(List<B> a, List<B> b) {
        return combined(a, b, logic::and);
    }

    private List<B> xor(List<B> a, List<B> b) {
        return combined(a, b, (one, other) -> logic.choose(other, logic.not(one), one));
    }

    private static <B> List<B> combined(List<B> a, List<B> b, BinaryOperator<B> operator) {
        List<B> result = new ArrayList<>(a.size());
        for (int i = 0; i < a.size(); i++) {
            result.add(operator.apply(a.get(i), b.get(i)));
        }
        return result;
    }

    private void byteorder(Expression it) {
        int bits = (int) it.number(NfTables.NFTA_BYTEORDER_LEN).orElse(0) * Byte.SIZE;
        int size = (int) it.number(NfTables.NFTA_BYTEORDER_SIZE).orElse(1) * Byte.SIZE;
        List<B> value = registers.load(it.number(NfTables.NFTA_BYTEORDER_SREG).orElse(0), bits);
        List<B> reordered = new ArrayList<>(bits);
        for (int start = 0; start < bits; start += size) {
            reordered.addAll(PacketState.inHostOrder(value.subList(start, Math.min(start + size, bits))));
        }
        it.number(NfTables.NFTA_BYTEORDER_DREG).ifPresent(register -> registers.store(register, reordered));
    }

    private void immediate(Expression it) {
        long register = it.number(NfTables.NFTA_IMMEDIATE_DREG).orElse(0);
        if (register == NfTables.NFT_REG_VERDICT) {
            decide(
                    new KernelVerdict(
                            it.verdict(NfTables.NFTA_IMMEDIATE_DATA).orElse(NfTables.NF_DROP),
                            it.verdictChain(NfTables.NFTA_IMMEDIATE_DATA).orElse("")),
                    match);
            return;
        }
        it.data(NfTables.NFTA_IMMEDIATE_DATA).ifPresent(data -> registers.store(register, logic.constant(data)));
    }

    private void lookup(Expression it) {
        Optional<KernelSet> set = it.text(NfTables.NFTA_LOOKUP_SET).flatMap(table::set);
        boolean isInverted = (it.number(NfTables.NFTA_LOOKUP_FLAGS).orElse(0) & NfTables.NFT_LOOKUP_F_INV) != 0;
        Optional<Long> destination =
                it.number(NfTables.NFTA_LOOKUP_DREG).stream().boxed().findFirst();
        if (set.isEmpty() || (set.get().isDynamic() && set.get().isMap())) {
            destination
                    .filter(register -> register != NfTables.NFT_REG_VERDICT)
                    .ifPresent(register -> registers.store(register, logic.unknown(128)));
            require(logic.unknown());
            if (destination
                    .filter(register -> register == NfTables.NFT_REG_VERDICT)
                    .isPresent()) {
                notes.add(table, "has a verdict map that packets change");
                decide(NF_QUEUE);
            }
            return;
        }
        List<B> key = registers.load(
                it.number(NfTables.NFTA_LOOKUP_SREG).orElse(0), set.get().keyLength() * Byte.SIZE);
        if (destination.isEmpty()) {
            B contains = membership.contains(set.get(), key);
            require(isInverted ? logic.not(contains) : contains);
            return;
        }
        List<SetMembership.Entry<B>> entries = membership.entries(set.get(), key);
        require(logic.anyOf(entries.stream().map(SetMembership.Entry::packets).toList()));
        if (destination.get() == NfTables.NFT_REG_VERDICT) {
            B all = match;
            for (SetMembership.Entry<B> entry : entries) {
                entry.element().verdict().ifPresent(verdict -> decide(verdict, logic.and(all, entry.packets())));
            }
            return;
        }
        List<B> value = logic.unknown(128);
        for (SetMembership.Entry<B> entry : entries) {
            List<B> data = entry.element()
                    .data()
                    .map(bytes -> logic.constant(Arrays.copyOf(bytes, 16)))
                    .orElseGet(() -> logic.unknown(128));
            value = logic.choose(entry.packets(), data, value);
        }
        registers.store(destination.get(), value);
    }

    /** NFTA_NAT_REG_PROTO_MIN 5, _PROTO_MAX 6. */
    private void translate(Expression it) {
        long family = it.number(NfTables.NFTA_NAT_FAMILY).orElse(KernelTable.INET);
        if (family != KernelTable.INET && family != familyNumber()) {
            // In a table of both families; the next expression is evaluated.
            return;
        }
        Optional<List<B>> address = translated(
                it,
                NfTables.NFTA_NAT_REG_ADDR_MIN,
                NfTables.NFTA_NAT_REG_ADDR_MAX,
                packet.family().bits());
        Optional<List<B>> port = translated(it, 5, 6, Short.SIZE);
        if (it.is(NfTables.NFTA_NAT_TYPE, NfTables.NFT_NAT_DNAT)) {
            B isElsewhere = address.map(packet::isOtherDestination).orElseGet(logic::no);
            translations.add(new Translation<>(match, isElsewhere, address.orElseGet(packet::destination), port));
        } else {
            // The kernel chooses another port if the connection would not be unique.
            translateSource(address.orElseGet(packet::source));
        }
        decide(NfTables.NF_ACCEPT);
    }

    private void translateAnywhere() {
        translations.add(new Translation<>(
                match, logic.yes(), logic.unknown(packet.family().bits()), Optional.of(logic.unknown(Short.SIZE))));
    }

    private void translateSource(List<B> address) {
        packet.setSource(match, address);
        packet.setSourcePort(match, logic.unknown(Short.SIZE));
    }

    /** Returns a number from a register, or anything if there are two for an interval; empty if there is none. */
    private Optional<List<B>> translated(Expression it, int min, int max, int bits) {
        if (!it.has(min)) {
            return Optional.empty();
        }
        boolean isOne = !it.has(max) || it.number(max).equals(it.number(min));
        return Optional.of(isOne ? registers.load(it.number(min).orElse(0), bits) : logic.unknown(bits));
    }

    /** To this machine: its loopback address for local packets, else the first address of the link that they came in by. */
    private void redirect(Expression it) {
        Family family = packet.family();
        Optional<List<B>> port =
                translated(it, NfTables.NFTA_REDIR_REG_PROTO_MIN, NfTables.NFTA_REDIR_REG_PROTO_MAX, Short.SIZE);
        if (packet.hasSocket()) {
            List<B> address = logic.constant(loopback(family));
            translations.add(new Translation<>(match, packet.isOtherDestination(address), address, port));
            decide(NfTables.NF_ACCEPT);
            return;
        }
        // Linux 6.7 and later want an address of the destination's scope, if that is not the global one.
        B isScoped = family == Family.IPV4
                ? logic.no()
                : logic.or(
                        logic.hasPrefix(packet.destination(), new byte[] {-1}, 8),
                        logic.hasPrefix(packet.destination(), new byte[] {(byte) 0xfe, (byte) 0x80}, 9));
        B mayBeTranslated = logic.and(match, logic.or(logic.not(isScoped), logic.unknown()));
        for (StateLink link : links.all()) {
            Optional<byte[]> address = links.firstAddress(link, family);
            B isLink = logic.and(mayBeTranslated, links.is(packet.inputLink(), link));
            if (address.isPresent() && !logic.isNo(isLink)) {
                List<B> own = logic.constant(address.get());
                translations.add(new Translation<>(isLink, packet.isOtherDestination(own), own, port));
                decide(new KernelVerdict(NfTables.NF_ACCEPT, ""), isLink);
            }
        }
        decide(NfTables.NF_DROP);
    }

    /** A target of iptables: NFTA_TARGET_NAME 1, NFTA_TARGET_INFO 3. */
    private void target(Expression it) {
        String name = it.text(1).orElse("");
        byte[] info = it.bytes(3).orElse(new byte[0]);
        switch (name) {
            case "REJECT" -> decide(NfTables.NF_DROP);
            // struct xt_mark_tginfo2: mark, mask.
            case "MARK" -> packet.setMark(match, replaced(packet.mark(), number(info, 1), number(info, 0)));
            case "CONNMARK" -> connectionMark(info);
            case "CT" -> excludeFromTracking(logic.and(match, logic.unknown()));
            case "NOTRACK" -> excludeFromTracking(match);
            case "MASQUERADE", "SNAT" -> {
                translateSource(logic.unknown(packet.family().bits()));
                decide(NfTables.NF_ACCEPT);
            }
            case "DNAT", "REDIRECT", "NETMAP" -> {
                translateAnywhere();
                decide(NfTables.NF_ACCEPT);
            }
            case "TEE" -> notes.add(table, "duplicates packets (TEE)");
            case "LOG",
                    "NFLOG",
                    "TCPMSS",
                    "CHECKSUM",
                    "CLASSIFY",
                    "DSCP",
                    "TOS",
                    "TTL",
                    "HL",
                    "ECN",
                    "TRACE",
                    "AUDIT",
                    "TPROXY",
                    "SYNPROXY",
                    "TCPOPTSTRIP" -> {}
            default -> {
                notes.add(table, "has a target that is not known (" + name + ")");
                packet.setMark(match, logic.unknown(PacketState.MARK_BITS));
                translateAnywhere();
                decide(NF_QUEUE);
            }
        }
    }

    /**
     * struct xt_connmark_tginfo1: mark, mask of the connection's mark, mask of the packet's, mode (1 byte); in revision 2
     * followed by the direction and width of a shift.
     */
    private void connectionMark(byte[] info) {
        int mode = info.length > XT_CONNMARK_MODE ? info[XT_CONNMARK_MODE] : -1;
        boolean isShifted = info.length > XT_CONNMARK_MODE + 2 && info[XT_CONNMARK_MODE + 2] != 0;
        List<B> connectionMask = number(info, 1);
        List<B> packetMask = number(info, 2);
        List<B> saved = isShifted ? logic.unknown(PacketState.MARK_BITS) : and(packet.mark(), packetMask);
        List<B> restored =
                isShifted ? logic.unknown(PacketState.MARK_BITS) : and(packet.connectionMark(), connectionMask);
        B where = logic.and(match, logic.and(hasConnection, isTracked()));
        switch (mode) {
            case XT_CONNMARK_SET ->
                packet.setConnectionMark(where, replaced(packet.connectionMark(), connectionMask, number(info, 0)));
            case XT_CONNMARK_SAVE ->
                packet.setConnectionMark(where, replaced(packet.connectionMark(), connectionMask, saved));
            case XT_CONNMARK_RESTORE -> packet.setMark(where, replaced(packet.mark(), packetMask, restored));
            default -> packet.setMark(match, logic.unknown(PacketState.MARK_BITS));
        }
    }

    /** Returns a mark without the bits of a mask, and with others instead (xor). */
    private List<B> replaced(List<B> mark, List<B> mask, List<B> bits) {
        return xor(combined(mark, mask, (bit, isReplaced) -> logic.and(bit, logic.not(isReplaced))), bits);
    }

    /** Returns a number of four bytes of a target's data; unknown if that is shorter. */
    private List<B> number(byte[] info, int position) {
        return info.length < (position + 1) * Integer.BYTES
                ? logic.unknown(Integer.SIZE)
                : logic.constant(
                        ByteBuffer.wrap(info).order(ByteOrder.nativeOrder()).getInt(position * Integer.BYTES),
                        Integer.SIZE);
    }
}
