// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.netlink.AttributeReader;
import io.culvert.netlink.AttributeWriter;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The elements of a set in the kernel's form. All of them are in one array, because there may be thousands. An interval
 * of a set with a single part is an element for its start and one for the first value behind it; an interval of a
 * concatenation is one element with two keys.
 */
final class SetElements {

    /** Instead of the offset of a key. */
    private static final int ABSENT = -1;

    private static final int UNUSABLE = -2;

    private final int keyLength;
    private final boolean ranges;
    private byte[] bytes;
    private int count;

    /** Whether there is an element with something that the elements of Culvert's sets never have. */
    private boolean foreign;

    /** @param ranges whether each element has a first and a last key */
    SetElements(int keyLength, boolean ranges) {
        this.keyLength = keyLength;
        this.ranges = ranges;
        this.bytes = new byte[4 * stride()];
    }

    /** Returns the number of elements. */
    int size() {
        return count;
    }

    void add(byte[] key) {
        add(key, key, false);
    }

    void addRange(byte[] first, byte[] last) {
        add(first, last, false);
    }

    /** Adds the first value behind an interval. */
    void addEnd(byte[] key) {
        add(key, key, true);
    }

    private void add(byte[] key, byte[] last, boolean end) {
        if (key.length != keyLength || last.length != keyLength) {
            throw new IllegalArgumentException("an element of " + key.length + " bytes in a set of " + keyLength);
        }
        int position = append(end);
        System.arraycopy(key, 0, bytes, position, keyLength);
        if (ranges) {
            System.arraycopy(last, 0, bytes, position + keyLength, keyLength);
        }
    }

    private int append(boolean end) {
        int position = count * stride();
        if (position == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * bytes.length);
        }
        bytes[position + stride() - 1] = (byte) (end ? NfTables.NFT_SET_ELEM_INTERVAL_END : 0);
        count++;
        return position;
    }

    /** Adds the elements of a message of type {@code NFT_MSG_NEWSETELEM}. */
    void addListed(byte[] payload) {
        AttributeReader list = AttributeReader.of(payload, NfTables.HEADER_LENGTH);
        if (!list.find(NfTables.NFTA_SET_ELEM_LIST_ELEMENTS)) {
            return;
        }
        AttributeReader elements = list.nested();
        while (elements.next()) {
            addListed(payload, elements.nested());
        }
    }

    private void addListed(byte[] payload, AttributeReader element) {
        int key = UNUSABLE;
        int last = ABSENT;
        boolean end = false;
        while (element.next()) {
            switch (element.type()) {
                case NfTables.NFTA_SET_ELEM_KEY -> key = keyOffset(element.nested());
                case NfTables.NFTA_SET_ELEM_KEY_END -> last = keyOffset(element.nested());
                case NfTables.NFTA_SET_ELEM_FLAGS -> {
                    int flags = element.length() == Integer.BYTES
                            ? ByteBuffer.wrap(payload).getInt(element.offset())
                            : UNUSABLE;
                    end = flags == NfTables.NFT_SET_ELEM_INTERVAL_END;
                    foreign |= flags != 0 && !end;
                }
                case NfTables.NFTA_SET_ELEM_USERDATA, NfTables.NFTA_SET_ELEM_PAD -> {}
                default -> foreign = true;
            }
        }
        if (key == UNUSABLE || (ranges ? last == UNUSABLE : last != ABSENT)) {
            foreign = true;
            return;
        }
        int position = append(end);
        System.arraycopy(payload, key, bytes, position, keyLength);
        if (ranges) {
            System.arraycopy(payload, last == ABSENT ? key : last, bytes, position + keyLength, keyLength);
        }
    }

    /** Returns where the key begins; {@link #UNUSABLE} if it has another length. */
    private int keyOffset(AttributeReader data) {
        return data.find(NfTables.NFTA_DATA_VALUE) && data.length() == keyLength ? data.offset() : UNUSABLE;
    }

    /** Sorts the elements, which gives the order in which the kernel lists most sets. */
    SetElements sort() {
        byte[][] elements = new byte[count][];
        for (int i = 0; i < count; i++) {
            elements[i] = Arrays.copyOfRange(bytes, i * stride(), (i + 1) * stride());
        }
        Arrays.sort(elements, Arrays::compareUnsigned);
        for (int i = 0; i < count; i++) {
            System.arraycopy(elements[i], 0, bytes, i * stride(), stride());
        }
        return this;
    }

    /** Returns whether the sets have the same elements, in any order. */
    boolean isSameAs(SetElements other) {
        if (foreign || other.foreign || stride() != other.stride() || count != other.count) {
            return false;
        }
        int length = count * stride();
        return Arrays.equals(bytes, 0, length, other.bytes, 0, length)
                || Arrays.equals(copy().sort().bytes, 0, length, other.copy().sort().bytes, 0, length);
    }

    private SetElements copy() {
        SetElements copy = new SetElements(keyLength, ranges);
        copy.bytes = bytes.clone();
        copy.count = count;
        return copy;
    }

    /**
     * Writes elements from an index on, as many as fit into an attribute.
     *
     * @param to the index behind the last element
     * @param timeout of each in milliseconds; 0: none
     * @return the index of the first element that was not written
     */
    int write(AttributeWriter writer, int from, int to, long timeout) {
        int limit = writer.size() + AttributeWriter.MAX_ATTRIBUTE_BYTES - elementBytes();
        int list = writer.begin(NfTables.NFTA_SET_ELEM_LIST_ELEMENTS);
        int index = from;
        while (index < to && writer.size() + elementBytes() <= limit) {
            write(writer, index, timeout);
            index++;
        }
        writer.end(list);
        return index;
    }

    private void write(AttributeWriter writer, int index, long timeout) {
        int position = index * stride();
        int element = writer.begin(NfTables.NFTA_LIST_ELEM);
        if (isEnd(index)) {
            writer.be32(NfTables.NFTA_SET_ELEM_FLAGS, NfTables.NFT_SET_ELEM_INTERVAL_END);
        }
        if (timeout > 0) {
            writer.be64(NfTables.NFTA_SET_ELEM_TIMEOUT, timeout);
        }
        writeKey(writer, NfTables.NFTA_SET_ELEM_KEY, position);
        if (ranges) {
            writeKey(writer, NfTables.NFTA_SET_ELEM_KEY_END, position + keyLength);
        }
        writer.end(element);
    }

    private void writeKey(AttributeWriter writer, int type, int position) {
        int key = writer.begin(type);
        writer.bytes(NfTables.NFTA_DATA_VALUE, bytes, position, keyLength);
        writer.end(key);
    }

    /** Returns whether the element is the first value behind an interval. */
    boolean isEnd(int index) {
        return bytes[(index + 1) * stride() - 1] != 0;
    }

    /** Returns the largest size of a written element: headers of element, keys and values, flags, and timeout. */
    private int elementBytes() {
        return 4 + 8 + 12 + (ranges ? 2 : 1) * (8 + keyLength + 3);
    }

    private int stride() {
        return (ranges ? 2 : 1) * keyLength + 1;
    }
}
