// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;
import java.util.Optional;

/**
 * A set or map of any program's table, as listed by the kernel.
 *
 * @param keyLength in bytes; the fields of a concatenation are each padded to four bytes
 * @param fieldLengths the lengths of a concatenation's fields in bytes, if the set has intervals of such; otherwise empty
 * @param isMap whether its elements have a value or a verdict
 * @param isDynamic whether packets may add elements, so that the listed ones are not all that there may be
 * @param elements intervals are closed: first and last key belong to them. Other sets' elements have the same key twice
 */
public record KernelSet(
        String name,
        int keyLength,
        List<Integer> fieldLengths,
        boolean isMap,
        boolean isDynamic,
        List<Element> elements) {

    /**
     * An element. In a concatenation, an interval applies to each field by itself.
     *
     * @param first in the order of a register
     * @param last in the order of a register
     * @param isCatchAll whether it stands for all keys that no other element contains; its keys are zero
     * @param data of a map, in the order of a register; empty if it is a verdict
     * @param verdict of a verdict map
     * @param isConditional whether it may not match although it is listed: it has expressions of its own (such as a limit) or
     *     an object instead of data, or it expires, or packets may remove it
     */
    @SuppressWarnings("ArrayRecordComponent") // Created once and only read; a set may have thousands.
    public record Element(
            byte[] first,
            byte[] last,
            boolean isCatchAll,
            Optional<byte[]> data,
            Optional<KernelVerdict> verdict,
            boolean isConditional) {}

    public KernelSet {
        fieldLengths = List.copyOf(fieldLengths);
        elements = List.copyOf(elements);
    }
}
