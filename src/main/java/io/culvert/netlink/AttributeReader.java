// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads attributes in place, one after the other and without copies, for messages with thousands of them. A length beyond the
 * end stops it there, as the kernel's own {@code nla_ok} does.
 */
public final class AttributeReader {

    private static final int HEADER_LENGTH = 4;

    /** {@code NLA_TYPE_MASK}: without the nested and byte-order flags (include/uapi/linux/netlink.h). */
    private static final int TYPE_MASK = 0x3fff;

    private final ByteBuffer buffer;
    private final int end;
    private int next;
    private int offset;
    private int length;

    private AttributeReader(ByteBuffer buffer, int start, int end) {
        this.buffer = buffer;
        this.next = start;
        this.end = end;
    }

    /** Reads what follows the first {@code offset} bytes. */
    public static AttributeReader of(byte[] bytes, int offset) {
        return of(bytes, offset, bytes.length);
    }

    /** Reads what is between two offsets. */
    static AttributeReader of(byte[] bytes, int start, int end) {
        return new AttributeReader(ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()), start, end);
    }

    /** Moves to the next attribute; returns false if there is none. */
    public boolean next() {
        if (next + HEADER_LENGTH > end) {
            return false;
        }
        int total = Short.toUnsignedInt(buffer.getShort(next));
        if (total < HEADER_LENGTH || total > end - next) {
            return false;
        }
        offset = next + HEADER_LENGTH;
        length = total - HEADER_LENGTH;
        next += (total + 3) & ~3;
        return true;
    }

    /** Moves to the next attribute of this type; returns false if there is none. */
    public boolean find(int type) {
        while (next()) {
            if (type() == type) {
                return true;
            }
        }
        return false;
    }

    public int type() {
        return Short.toUnsignedInt(buffer.getShort(offset - HEADER_LENGTH + 2)) & TYPE_MASK;
    }

    /** Returns where the value begins. */
    public int offset() {
        return offset;
    }

    /** Returns the length of the value. */
    public int length() {
        return length;
    }

    /** Returns a reader of the attributes in the current attribute. */
    public AttributeReader nested() {
        return new AttributeReader(buffer, offset, offset + length);
    }
}
