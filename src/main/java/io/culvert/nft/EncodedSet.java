// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;

/**
 * A set in the kernel's form, as it is sent or listed.
 *
 * @param name {@link #ANONYMOUS_NAME} for an anonymous set, which belongs to one rule
 * @param flags {@code NFT_SET_*}
 * @param keyType nft's number of the type, by which nft knows how to print the elements
 * @param fields the lengths of the parts of a concatenation with intervals; otherwise empty
 * @param timeout of each element in milliseconds; 0: none
 */
record EncodedSet(
        String name,
        int flags,
        int keyType,
        int keyLength,
        KeyOrder byteOrder,
        List<Integer> fields,
        long timeout,
        SetElements elements) {

    /** The kernel replaces {@code %d} by a number that is free. */
    static final String ANONYMOUS_NAME = "__set%d";

    /** The byte order of the key, which nft has to know (libnftables: enum byteorder). */
    enum KeyOrder {
        /** Of a concatenation, each part of which has its own. */
        MIXED(0),
        HOST(1),
        NETWORK(2);

        private final int number;

        KeyOrder(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    boolean isAnonymous() {
        return (flags & NfTables.NFT_SET_ANONYMOUS) != 0;
    }

    EncodedSet withoutElements() {
        return new EncodedSet(
                name,
                flags,
                keyType,
                keyLength,
                byteOrder,
                fields,
                timeout,
                new SetElements(keyLength, !fields.isEmpty()));
    }

    /** Returns whether the elements are compared: those with a timeout expire, and Culvert has no maps. */
    boolean hasComparedElements() {
        return (flags & (NfTables.NFT_SET_TIMEOUT | NfTables.NFT_SET_MAP)) == 0;
    }

    /** Returns whether the kernel's set is as this one, as far as it is compared. */
    boolean isSameAs(EncodedSet listed) {
        return flags == listed.flags
                && keyType == listed.keyType
                && keyLength == listed.keyLength
                && fields.equals(listed.fields)
                && (!hasComparedElements() || elements.isSameAs(listed.elements));
    }
}
