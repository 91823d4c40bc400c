// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.nft.KernelSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Finds the packets whose key is in a set of nftables. */
final class SetMembership<B> {

    /** An element with the packets that it is looked up for. */
    record Entry<B>(KernelSet.Element element, B packets) {}

    private final Logic<B> logic;

    SetMembership(Logic<B> logic) {
        this.logic = logic;
    }

    B contains(KernelSet set, List<B> key) {
        B contains = logic.anyOf(entries(set, key).stream().map(Entry::packets).toList());
        return set.isDynamic() ? logic.or(contains, logic.unknown()) : contains;
    }

    List<Entry<B>> entries(KernelSet set, List<B> key) {
        List<Entry<B>> entries = new ArrayList<>(set.elements().size());
        for (KernelSet.Element element : set.elements()) {
            if (!element.isCatchAll()) {
                B packets = matches(set, element, key);
                entries.add(
                        new Entry<>(element, element.isConditional() ? logic.and(packets, logic.unknown()) : packets));
            }
        }
        for (KernelSet.Element element : set.elements()) {
            if (element.isCatchAll()) {
                B others = logic.not(
                        logic.anyOf(entries.stream().map(Entry::packets).toList()));
                entries.add(new Entry<>(element, others));
            }
        }
        return entries;
    }

    private B matches(KernelSet set, KernelSet.Element element, List<B> key) {
        if (set.fieldLengths().isEmpty()) {
            return interval(key, element.first(), element.last());
        }
        B matches = logic.yes();
        int start = 0;
        for (int length : set.fieldLengths()) {
            B field = interval(
                    key.subList(start * Byte.SIZE, (start + length) * Byte.SIZE),
                    Arrays.copyOfRange(element.first(), start, start + length),
                    Arrays.copyOfRange(element.last(), start, start + length));
            matches = logic.and(field, matches);
            start += (length + 3) & ~3;
        }
        return matches;
    }

    private B interval(List<B> key, byte[] first, byte[] last) {
        return Arrays.equals(first, last)
                ? logic.hasPrefix(key, first, first.length * Byte.SIZE)
                : logic.between(key, first, last);
    }
}
