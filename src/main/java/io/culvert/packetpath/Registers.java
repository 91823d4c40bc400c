// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.nft.NfTables;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** The registers of nf_tables' virtual machine during the evaluation of one rule: 64 bytes. */
final class Registers<B> {

    private static final int BYTES = 64;
    private static final int ALIGNMENT = NfTables.NFT_REG32_SIZE * Byte.SIZE;

    private final Logic<B> logic;
    private final List<B> bits;

    /** The bits that have been stored. */
    private final BitSet known = new BitSet();

    Registers(Logic<B> logic) {
        this.logic = logic;
        bits = new ArrayList<>(logic.zero(BYTES * Byte.SIZE));
    }

    /** Returns where a register begins: 1 to 4 are four of the smaller ones each. */
    private static int start(long register) {
        return (int)
                        (register >= NfTables.NFT_REG32_00
                                ? (register - NfTables.NFT_REG32_00) * NfTables.NFT_REG32_SIZE
                                : (register - NfTables.NFT_REG_1) * NfTables.NFT_REG_SIZE)
                * Byte.SIZE;
    }

    /** Returns bits from the beginning of a register; what was not stored is unknown. */
    List<B> load(long register, int count) {
        List<B> loaded = new ArrayList<>(count);
        int start = start(register);
        for (int i = start; i < start + count; i++) {
            loaded.add(i >= 0 && known.get(i) ? bits.get(i) : logic.unknown());
        }
        return loaded;
    }

    /** Stores bits, and zeros up to the next multiple of four bytes. */
    void store(long register, List<B> value) {
        int start = start(register);
        int end = start + (value.size() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        for (int i = Math.max(start, 0); i < end && i < bits.size(); i++) {
            known.set(i);
            bits.set(i, i - start < value.size() ? value.get(i - start) : logic.no());
        }
    }
}
