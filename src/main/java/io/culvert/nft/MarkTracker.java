// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Finds the firewall marks that a rule gives to its packets or their connections, by following the values of the
 * kernel's registers through the rule. A register has several values where it is read from a map.
 */
final class MarkTracker {

    /** The number of registers of four bytes (NFT_REG32_COUNT). */
    private static final int REGISTERS = 16;

    /** include/uapi/linux/netfilter/nf_tables.h: enum nft_bitwise_ops; 3 and above since Linux 6.13. */
    private static final int MASK_XOR = 0;

    private static final int SHIFT_LEFT = 1;
    private static final int SHIFT_RIGHT = 2;
    private static final int AND = 3;
    private static final int OR = 4;
    private static final int XOR = 5;
    private static final int BITWISE_SREG2 = 8;

    /** {@code NFTA_TARGET_*} (include/uapi/linux/netfilter/nf_tables_compat.h). */
    static final int TARGET_NAME = 1;

    private static final int TARGET_REVISION = 2;
    static final int TARGET_INFO = 3;

    /** Expressions that write to no register. */
    private static final List<String> WITHOUT_RESULT = List.of(
            "cmp",
            "range",
            "counter",
            "log",
            "limit",
            "quota",
            "connlimit",
            "last",
            "match",
            "target",
            "reject",
            "queue",
            "notrack",
            "nat",
            "masq",
            "redir",
            "tproxy",
            "synproxy",
            "dup",
            "fwd",
            "flow_offload",
            "dynset",
            "objref");

    private final Function<String, Optional<List<byte[]>>> maps;
    private final List<List<MarkBits>> registers = new ArrayList<>();
    private final List<MarkBits> marks = new ArrayList<>();

    private MarkTracker(Function<String, Optional<List<byte[]>>> maps) {
        this.maps = maps;
        forgetAll();
    }

    /**
     * Returns the marks that the rule may set.
     *
     * @param maps returns the values of a map; empty if they are not known
     */
    static List<MarkBits> marks(List<Expression> rule, Function<String, Optional<List<byte[]>>> maps) {
        MarkTracker tracker = new MarkTracker(maps);
        rule.forEach(tracker::evaluate);
        return tracker.marks;
    }

    private void evaluate(Expression it) {
        switch (it.name()) {
            case "meta" -> {
                if (it.has(NfTables.NFTA_META_SREG)) {
                    setMark(it, NfTables.NFTA_META_KEY, NfTables.NFT_META_MARK, NfTables.NFTA_META_SREG);
                } else {
                    store(it, NfTables.NFTA_META_DREG, meta(it));
                }
            }
            case "ct" -> {
                if (it.has(NfTables.NFTA_CT_SREG)) {
                    setMark(it, NfTables.NFTA_CT_KEY, NfTables.NFT_CT_MARK, NfTables.NFTA_CT_SREG);
                } else {
                    boolean mark = it.is(NfTables.NFTA_CT_KEY, NfTables.NFT_CT_MARK);
                    store(it, NfTables.NFTA_CT_DREG, mark ? MarkBits.KEPT : MarkBits.UNKNOWN);
                }
            }
            // NFTA_SOCKET_KEY 1, NFTA_SOCKET_DREG 2, NFT_SOCKET_MARK 1.
            case "socket" -> store(it, 2, it.is(1, 1) ? MarkBits.KEPT : MarkBits.UNKNOWN);
            case "immediate" -> immediate(it);
            case "bitwise" -> bitwise(it);
            case "byteorder" ->
                transform(
                        it,
                        NfTables.NFTA_BYTEORDER_SREG,
                        NfTables.NFTA_BYTEORDER_DREG,
                        NfTables.NFTA_BYTEORDER_LEN,
                        value -> value.reorder(
                                (int) it.number(NfTables.NFTA_BYTEORDER_SIZE).orElse(0)));
            case "payload" -> {
                if (it.has(NfTables.NFTA_PAYLOAD_DREG)) {
                    long length = it.number(NfTables.NFTA_PAYLOAD_LEN).orElse(Integer.BYTES);
                    store(it, NfTables.NFTA_PAYLOAD_DREG, firstBytes(Math.clamp(length, 0, Integer.BYTES)));
                }
            }
            case "lookup" -> {
                if (it.has(NfTables.NFTA_LOOKUP_DREG)) {
                    lookup(it);
                }
            }
            // NFTA_NG_DREG 1, _MODULUS 2, _OFFSET 4; NFTA_HASH_DREG 2, _MODULUS 4, _OFFSET 6.
            case "numgen" ->
                store(it, 1, below(it.number(2).orElse(0) + it.number(4).orElse(0)));
            case "hash" ->
                store(it, 2, below(it.number(4).orElse(0) + it.number(6).orElse(0)));
            case "target" -> target(it);
            default -> {
                if (!WITHOUT_RESULT.contains(it.name())) {
                    forgetAll();
                }
            }
        }
    }

    private static MarkBits meta(Expression it) {
        int key = (int) it.number(NfTables.NFTA_META_KEY).orElse(-1);
        return switch (key) {
            case NfTables.NFT_META_MARK -> MarkBits.KEPT;
            case NfTables.NFT_META_L4PROTO, NfTables.NFT_META_NFPROTO -> firstBytes(1);
            default -> MarkBits.UNKNOWN;
        };
    }

    /** Returns an unknown value of at most four bytes, which are at the beginning of a register. */
    private static MarkBits firstBytes(int length) {
        byte[] bytes = new byte[Integer.BYTES];
        Arrays.fill(bytes, 0, length, (byte) 0xff);
        return new MarkBits(0, 0, word(bytes, 0));
    }

    /** Returns an unknown number below this one. */
    private static MarkBits below(long end) {
        return MarkBits.unknown(Long.SIZE - Long.numberOfLeadingZeros(Math.max(0, end - 1)));
    }

    private void setMark(Expression it, int keyAttribute, int markKey, int source) {
        if (it.is(keyAttribute, markKey)) {
            marks.addAll(read(register(it, source)));
        }
    }

    private void immediate(Expression it) {
        int register = register(it, NfTables.NFTA_IMMEDIATE_DREG);
        it.data(NfTables.NFTA_IMMEDIATE_DATA).ifPresent(data -> {
            for (int i = 0; i * Integer.BYTES < data.length; i++) {
                write(register + i, List.of(MarkBits.constant(word(data, i * Integer.BYTES))));
            }
        });
    }

    private void bitwise(Expression it) {
        byte[] mask = it.data(NfTables.NFTA_BITWISE_MASK).orElse(new byte[0]);
        byte[] xor = it.data(NfTables.NFTA_BITWISE_XOR).orElse(new byte[0]);
        int operation = (int) it.number(NfTables.NFTA_BITWISE_OP).orElse(MASK_XOR);
        int source = register(it, NfTables.NFTA_BITWISE_SREG);
        int destination = register(it, NfTables.NFTA_BITWISE_DREG);
        int words = words(it, NfTables.NFTA_BITWISE_LEN);
        // The shift is a number in the machine's byte order.
        int shift =
                it.data(NfTables.NFTA_BITWISE_DATA).map(data -> word(data, 0)).orElse(0);
        int second = register(it, BITWISE_SREG2);
        for (int i = 0; i < words; i++) {
            int position = i * Integer.BYTES;
            List<MarkBits> values = read(source + i);
            List<MarkBits> others = read(second + i);
            write(
                    destination + i,
                    switch (operation) {
                        case MASK_XOR ->
                            map(values, value -> value.and(word(mask, position)).xor(word(xor, position)));
                        case SHIFT_LEFT -> map(values, value -> words == 1 ? value.shiftLeft(shift) : MarkBits.UNKNOWN);
                        case SHIFT_RIGHT ->
                            map(values, value -> words == 1 ? value.shiftRight(shift) : MarkBits.UNKNOWN);
                        case AND, OR, XOR -> combine(operation, values, others);
                        default -> List.of(MarkBits.UNKNOWN);
                    });
        }
    }

    private static List<MarkBits> combine(int operation, List<MarkBits> values, List<MarkBits> others) {
        return values.stream()
                .flatMap(value -> others.stream().map(other -> switch (operation) {
                    case AND -> value.and(other);
                    case OR -> value.or(other);
                    default -> value.xor(other);
                }))
                .distinct()
                .toList();
    }

    private void transform(
            Expression it, int sourceAttribute, int destinationAttribute, int length, UnaryOperator<MarkBits> change) {
        int source = register(it, sourceAttribute);
        int destination = register(it, destinationAttribute);
        for (int i = 0; i < words(it, length); i++) {
            write(destination + i, map(read(source + i), change));
        }
    }

    private static List<MarkBits> map(List<MarkBits> values, UnaryOperator<MarkBits> change) {
        return values.stream().map(change).distinct().toList();
    }

    private void lookup(Expression it) {
        int register = register(it, NfTables.NFTA_LOOKUP_DREG);
        if (register < 0) {
            return; // A map of verdicts, of which there may be thousands.
        }
        List<MarkBits> values = it.text(NfTables.NFTA_LOOKUP_SET)
                .flatMap(maps)
                .map(data -> data.stream()
                        .map(value -> MarkBits.constant(word(value, 0)))
                        .distinct()
                        .toList())
                .orElse(List.of(MarkBits.UNKNOWN));
        forget(register);
        write(register, values);
    }

    /** Evaluates a target of iptables. */
    private void target(Expression it) {
        byte[] info = it.bytes(TARGET_INFO).orElse(new byte[0]);
        switch (it.text(TARGET_NAME).orElse("")) {
            // struct xt_mark_tginfo2 (include/uapi/linux/netfilter/xt_mark.h): mark, mask.
            case "MARK" -> marks.add(replace(MarkBits.KEPT, word(info, 4), MarkBits.constant(word(info, 0))));
            // struct xt_tproxy_target_info (xt_TPROXY.h): mask, mark.
            case "TPROXY" -> marks.add(replace(MarkBits.KEPT, word(info, 0), MarkBits.constant(word(info, 4))));
            case "CONNMARK" -> marks.add(connectionMark(it, info));
            case "HMARK" -> marks.add(MarkBits.UNKNOWN);
            default -> {}
        }
    }

    /** Evaluates struct xt_connmark_tginfo1 and 2 (include/uapi/linux/netfilter/xt_connmark.h). */
    private static MarkBits connectionMark(Expression it, byte[] info) {
        boolean shifts = it.is(TARGET_REVISION, 2);
        int connectionMark = word(info, 0);
        int connectionMask = word(info, 4);
        int packetMask = word(info, 8);
        int direction = shifts ? part(info, 12) : 0;
        int bits = shifts ? part(info, 13) : 0;
        UnaryOperator<MarkBits> shift =
                value -> bits == 0 ? value : direction == 0 ? value.shiftLeft(bits) : value.shiftRight(bits);
        return switch (part(info, shifts ? 14 : 12)) {
            case 0 -> // XT_CONNMARK_SET
                shift.apply(replace(MarkBits.KEPT, connectionMask, MarkBits.constant(connectionMark)));
            case 1 -> // XT_CONNMARK_SAVE
                replace(MarkBits.KEPT, connectionMask, shift.apply(MarkBits.KEPT.and(packetMask)));
            case 2 -> // XT_CONNMARK_RESTORE
                replace(MarkBits.KEPT, packetMask, shift.apply(MarkBits.KEPT.and(connectionMask)));
            default -> MarkBits.UNKNOWN;
        };
    }

    /** Returns what all these targets do: bits of the mark are cleared, and then others are inverted. */
    private static MarkBits replace(MarkBits mark, int cleared, MarkBits inverted) {
        return mark.and(~cleared).xor(inverted);
    }

    private void store(Expression it, int attribute, MarkBits value) {
        int register = register(it, attribute);
        forget(register);
        write(register, List.of(value));
    }

    /** Forgets what may be overwritten: the lengths of most results are not known here, and at most 16 bytes. */
    private void forget(int register) {
        for (int i = 0; i < Integer.BYTES; i++) {
            write(register + i, List.of(MarkBits.UNKNOWN));
        }
    }

    private void forgetAll() {
        registers.clear();
        for (int i = 0; i < REGISTERS; i++) {
            registers.add(List.of(MarkBits.UNKNOWN));
        }
    }

    private List<MarkBits> read(int register) {
        return register >= 0 && register < REGISTERS ? registers.get(register) : List.of(MarkBits.UNKNOWN);
    }

    private void write(int register, List<MarkBits> values) {
        if (register >= 0 && register < REGISTERS) {
            registers.set(register, values);
        }
    }

    /** Returns the index of a register of four bytes; negative for the verdict and for none. */
    private static int register(Expression it, int attribute) {
        int number = (int) it.number(attribute).orElse(0);
        if (number >= NfTables.NFT_REG32_00) {
            return Math.min(number - NfTables.NFT_REG32_00, REGISTERS);
        }
        int size = NfTables.NFT_REG_SIZE / NfTables.NFT_REG32_SIZE;
        return number == NfTables.NFT_REG_VERDICT ? -REGISTERS : (number - NfTables.NFT_REG_1) * size;
    }

    private static int words(Expression it, int length) {
        return Math.ceilDiv(Math.clamp(it.number(length).orElse(0), 0, REGISTERS * Integer.BYTES), Integer.BYTES);
    }

    private static int word(byte[] bytes, int offset) {
        return ByteBuffer.wrap(Arrays.copyOfRange(bytes, Math.min(offset, bytes.length), offset + Integer.BYTES))
                .order(ByteOrder.nativeOrder())
                .getInt();
    }

    private static int part(byte[] bytes, int offset) {
        return offset < bytes.length ? bytes[offset] : -1;
    }
}
