// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Prefix;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Encodes sets: those of a table, and the anonymous ones of its rules. */
final class SetEncoder {

    /** nft's number of a concatenation has six bits for each part (libnftables: TYPE_BITS). */
    private static final int TYPE_BITS = 6;

    private SetEncoder() {}

    static EncodedSet named(NamedSet set) {
        List<KeyType> types = set.key().stream().map(SetEncoder::type).toList();
        int flags = (set.interval() ? NfTables.NFT_SET_INTERVAL : 0)
                | (set.timeoutSeconds() > 0 ? NfTables.NFT_SET_TIMEOUT : 0);
        if (types.size() == 1) {
            return single(set.name(), flags, types.getFirst(), set.timeoutSeconds() * 1000L, set.elements());
        }
        if (set.interval()) {
            flags |= NfTables.NFT_SET_CONCAT;
        }
        int number = 0;
        int length = 0;
        for (KeyType type : types) {
            number = number << TYPE_BITS | type.number();
            length += padded(type);
        }
        SetElements elements = new SetElements(length, set.interval());
        for (NftValue element : set.elements()) {
            if (!(element instanceof NftValue.Tuple(List<NftValue> parts)) || parts.size() != types.size()) {
                throw new IllegalArgumentException(element + " is not an element of the set " + set.name());
            }
            elements.addRange(tuple(types, parts, length, false), tuple(types, parts, length, true));
        }
        return new EncodedSet(
                set.name(),
                flags,
                number,
                length,
                EncodedSet.KeyOrder.MIXED,
                set.interval() ? types.stream().map(KeyType::length).toList() : List.of(),
                set.timeoutSeconds() * 1000L,
                elements.sort());
    }

    /** Returns the anonymous set of a rule, whose elements can never be changed. */
    static EncodedSet anonymous(KeyType type, List<NftValue> values) {
        boolean interval = values.stream().anyMatch(SetEncoder::isNetwork);
        int flags = NfTables.NFT_SET_ANONYMOUS | NfTables.NFT_SET_CONSTANT | (interval ? NfTables.NFT_SET_INTERVAL : 0);
        return single(EncodedSet.ANONYMOUS_NAME, flags, type, 0, values);
    }

    private static EncodedSet single(String name, int flags, KeyType type, long timeout, List<NftValue> values) {
        SetElements elements = new SetElements(type.length(), false);
        if ((flags & NfTables.NFT_SET_INTERVAL) != 0) {
            addIntervals(elements, type, values);
        } else {
            values.forEach(value -> elements.add(type.encode(value)));
            elements.sort();
        }
        return new EncodedSet(name, flags, type.number(), type.length(), type.order(), List.of(), timeout, elements);
    }

    /** Adds intervals as nft does: all addresses before the first one are an interval that does not match. */
    private static void addIntervals(SetElements elements, KeyType type, List<NftValue> values) {
        byte[][] starts = new byte[values.size()][];
        byte[][] ends = new byte[values.size()][];
        Integer[] order = new Integer[values.size()];
        for (int i = 0; i < starts.length; i++) {
            starts[i] = type.encode(values.get(i));
            ends[i] = last(starts[i], values.get(i));
            order[i] = i;
        }
        Arrays.sort(order, Comparator.comparing((Integer i) -> starts[i], Arrays::compareUnsigned));
        boolean first = true;
        for (Integer i : order) {
            if (first && !isAll(starts[i], 0)) {
                elements.addEnd(new byte[type.length()]);
            }
            first = false;
            elements.add(starts[i]);
            if (!isAll(ends[i], 0xff)) {
                elements.addEnd(increment(ends[i]));
            }
        }
    }

    private static byte[] tuple(List<KeyType> types, List<NftValue> parts, int length, boolean last) {
        byte[] key = new byte[length];
        int position = 0;
        for (int i = 0; i < types.size(); i++) {
            KeyType type = types.get(i);
            byte[] value = type.encode(parts.get(i));
            if (last) {
                value = last(value, parts.get(i));
            }
            System.arraycopy(value, 0, key, position, type.length());
            position += padded(type);
        }
        return key;
    }

    /** Returns the last value that a value stands for: of a network, its last address. */
    private static byte[] last(byte[] first, NftValue value) {
        if (!(value instanceof NftValue.Address(Prefix prefix)) || prefix.isHost()) {
            return first;
        }
        byte[] last = first.clone();
        for (int bit = prefix.length(); bit < last.length * Byte.SIZE; bit++) {
            last[bit / Byte.SIZE] |= (byte) (0x80 >>> bit % Byte.SIZE);
        }
        return last;
    }

    private static byte[] increment(byte[] value) {
        byte[] next = value.clone();
        for (int i = next.length - 1; i >= 0; i--) {
            next[i]++;
            if (next[i] != 0) {
                break;
            }
        }
        return next;
    }

    private static boolean isAll(byte[] value, int expected) {
        for (byte part : value) {
            if (Byte.toUnsignedInt(part) != expected) {
                return false;
            }
        }
        return true;
    }

    static boolean isNetwork(NftValue value) {
        return value instanceof NftValue.Address(Prefix prefix) && !prefix.isHost();
    }

    private static KeyType type(NamedSet.Part part) {
        return switch (part) {
            case IPV4 -> KeyType.IPV4;
            case IPV6 -> KeyType.IPV6;
            case TRANSPORT -> KeyType.TRANSPORT;
            case PORT -> KeyType.PORT;
        };
    }

    /** Returns the length of a part of a concatenation, which begins in a register of its own. */
    private static int padded(KeyType type) {
        return Math.ceilDiv(type.length(), NfTables.NFT_REG32_SIZE) * NfTables.NFT_REG32_SIZE;
    }
}
