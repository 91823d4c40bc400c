// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.MaskedMark;
import io.culvert.net.Prefix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Propositions about packets, and numbers made of them. The path of packets is described once, in these operations; what
 * they are decides what is found out: with truth values what happens to one packet, with decision diagrams
 * ({@link PacketSets}) to which of all packets it happens.
 *
 * <p>A number is a list of bits, the most significant one first.
 *
 * @param <B> a proposition
 */
public interface Logic<B> {

    B yes();

    B no();

    B and(B a, B b);

    B or(B a, B b);

    B not(B a);

    /** Returns a proposition about which nothing is known, and which is independent of all others. */
    B unknown();

    /** Returns whether a proposition is true of no packet. */
    boolean isNo(B a);

    /** Returns whether a proposition is true of every packet. */
    boolean isYes(B a);

    /** Returns one proposition where the condition holds, and another one elsewhere. */
    default B choose(B condition, B then, B otherwise) {
        if (then.equals(otherwise) || isYes(condition)) {
            return then;
        }
        return isNo(condition) ? otherwise : or(and(condition, then), and(not(condition), otherwise));
    }

    /** Returns whether any of the propositions holds. Of many, pairs are joined first, which keeps diagrams small. */
    default B anyOf(List<B> propositions) {
        return switch (propositions.size()) {
            case 0 -> no();
            case 1 -> propositions.getFirst();
            default -> {
                int half = propositions.size() / 2;
                yield or(anyOf(propositions.subList(0, half)), anyOf(propositions.subList(half, propositions.size())));
            }
        };
    }

    default List<B> choose(B condition, List<B> then, List<B> otherwise) {
        if (then.equals(otherwise) || isYes(condition)) {
            return then;
        }
        List<B> bits = new ArrayList<>(then.size());
        for (int i = 0; i < then.size(); i++) {
            bits.add(choose(condition, then.get(i), otherwise.get(i)));
        }
        return bits;
    }

    default List<B> unknown(int bits) {
        List<B> number = new ArrayList<>(bits);
        for (int i = 0; i < bits; i++) {
            number.add(unknown());
        }
        return number;
    }

    default List<B> constant(long value, int bits) {
        List<B> number = new ArrayList<>(bits);
        for (int i = bits - 1; i >= 0; i--) {
            number.add(i < Long.SIZE && ((value >>> i) & 1) != 0 ? yes() : no());
        }
        return number;
    }

    default List<B> constant(byte[] bytes) {
        List<B> number = new ArrayList<>(bytes.length * Byte.SIZE);
        for (int i = 0; i < bytes.length * Byte.SIZE; i++) {
            number.add(isSet(bytes, i) ? yes() : no());
        }
        return number;
    }

    default List<B> zero(int bits) {
        return Collections.nCopies(bits, no());
    }

    /** Returns whether two numbers of the same length are equal. */
    default B equal(List<B> a, List<B> b) {
        B equal = yes();
        for (int i = a.size() - 1; i >= 0; i--) {
            B same = choose(a.get(i), b.get(i), not(b.get(i)));
            equal = and(equal, same);
        }
        return equal;
    }

    default B equal(List<B> a, long value) {
        return equal(a, constant(value, a.size()));
    }

    /** Returns whether a number begins with the first bits of a constant. */
    default B hasPrefix(List<B> a, byte[] prefix, int length) {
        B has = yes();
        // Of names, many bits are the same proposition.
        Set<B> required = new HashSet<>();
        for (int i = length - 1; i >= 0; i--) {
            B bit = isSet(prefix, i) ? a.get(i) : not(a.get(i));
            if (required.add(bit)) {
                has = and(bit, has);
            }
        }
        return has;
    }

    /** Returns whether an address is in a prefix of the same family. */
    default B isIn(List<B> address, Prefix prefix) {
        return hasPrefix(address, prefix.address().getAddress(), prefix.length());
    }

    /** Returns whether a firewall mark, 32 bits, is one of these. */
    default B matches(List<B> mark, MaskedMark expected) {
        B matches = yes();
        for (int i = mark.size() - 1; i >= 0; i--) {
            long bit = 1L << (mark.size() - 1 - i);
            if ((expected.mask() & bit) != 0) {
                matches = and((expected.mark() & bit) != 0 ? mark.get(i) : not(mark.get(i)), matches);
            }
        }
        return matches;
    }

    /** Returns whether a number is at least a constant of the same length. */
    default B atLeast(List<B> a, byte[] least) {
        B result = yes();
        for (int i = a.size() - 1; i >= 0; i--) {
            result = isSet(least, i) ? and(a.get(i), result) : or(a.get(i), result);
        }
        return result;
    }

    /** Returns whether a number is at most a constant of the same length. */
    default B atMost(List<B> a, byte[] most) {
        B result = yes();
        for (int i = a.size() - 1; i >= 0; i--) {
            B low = not(a.get(i));
            result = isSet(most, i) ? or(low, result) : and(low, result);
        }
        return result;
    }

    default B between(List<B> a, byte[] first, byte[] last) {
        return and(atLeast(a, first), atMost(a, last));
    }

    default B between(List<B> a, long first, long last) {
        return between(a, bytes(first, a.size()), bytes(last, a.size()));
    }

    private static byte[] bytes(long value, int bits) {
        byte[] bytes = new byte[bits / Byte.SIZE];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (value >>> ((bytes.length - 1 - i) * Byte.SIZE));
        }
        return bytes;
    }

    /** Returns a bit, counted from the most significant one of the first byte. */
    static boolean isSet(byte[] bytes, int bit) {
        return ((bytes[bit / Byte.SIZE] >> (Byte.SIZE - 1 - bit % Byte.SIZE)) & 1) != 0;
    }
}
