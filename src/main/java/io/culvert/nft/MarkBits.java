// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.MaskedMark;

/**
 * What is known of a firewall mark that a rule computes. Bits that are in none of the three are 0.
 *
 * @param ones bits that are 1
 * @param kept bits that are at most 1 where the packet's or the connection's mark already had a 1
 * @param unknown bits that may be anything
 */
record MarkBits(int ones, int kept, int unknown) {

    /** The mark of the packet or the connection as it was. */
    static final MarkBits KEPT = new MarkBits(0, -1, 0);

    static final MarkBits UNKNOWN = new MarkBits(0, 0, -1);

    static MarkBits constant(int value) {
        return new MarkBits(value, 0, 0);
    }

    /** Returns an unknown number of so many bits. */
    static MarkBits unknown(int bits) {
        return new MarkBits(0, 0, bits >= Integer.SIZE ? -1 : (1 << bits) - 1);
    }

    MarkBits and(int mask) {
        return new MarkBits(ones & mask, kept & mask, unknown & mask);
    }

    /** Inverts bits. One that is kept becomes unknown: it would be 1 where the mark had a 0. */
    MarkBits xor(int value) {
        return xor(constant(value));
    }

    MarkBits xor(MarkBits other) {
        int any = unknown | other.unknown | (kept & other.ones) | (ones & other.kept);
        int either = (kept | other.kept) & ~any;
        return new MarkBits((ones ^ other.ones) & ~any & ~either, either, any);
    }

    MarkBits or(MarkBits other) {
        int either = ones | other.ones;
        int any = (unknown | other.unknown) & ~either;
        return new MarkBits(either, (kept | other.kept) & ~either & ~any, any);
    }

    MarkBits and(MarkBits other) {
        int possible = (ones | kept | unknown) & (other.ones | other.kept | other.unknown);
        int both = ones & other.ones;
        // A bit that is kept in one of them is 1 only where the mark had a 1.
        int either = (kept | other.kept) & possible;
        return new MarkBits(both, either, possible & ~both & ~either);
    }

    MarkBits shiftLeft(int bits) {
        return new MarkBits(shift(ones, bits), 0, shift(kept | unknown, bits));
    }

    MarkBits shiftRight(int bits) {
        return new MarkBits(shift(ones, -bits), 0, shift(kept | unknown, -bits));
    }

    private static int shift(int value, int bits) {
        if (bits <= -Integer.SIZE || bits >= Integer.SIZE) {
            return 0;
        }
        return bits >= 0 ? value << bits : value >>> -bits;
    }

    /** Returns the bits after a change of the byte order of numbers of so many bytes. */
    MarkBits reorder(int bytes) {
        int any = ones | kept | unknown;
        if (bytes != 2) {
            return any == 0 ? this : UNKNOWN;
        }
        return new MarkBits(0, 0, ((any & 0xffff) == 0 ? 0 : 0xffff) | (any >>> 16 == 0 ? 0 : 0xffff0000));
    }

    /** Returns the bits that may be 1 where the mark had a 0. */
    int settable() {
        return ones | unknown;
    }

    /**
     * Returns whether the mark may become one of these because of this rule: it can have these bits, and at least one
     * of those that are 1 is not merely kept.
     *
     * @param settableByOthers the bits of a kept mark that other rules may have set
     */
    boolean mayBecome(MaskedMark mark, int settableByOthers) {
        int expected = (int) mark.mark();
        int mask = (int) mark.mask();
        int possible = settable() | (kept & settableByOthers);
        return (ones & mask & ~expected) == 0 && (expected & ~possible) == 0 && (settable() & expected) != 0;
    }
}
