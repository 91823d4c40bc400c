// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Writes a family header and netlink attributes, padded to four bytes. Numbers are in the machine's byte order, except
 * those of nf_tables, which are in network byte order.
 */
public final class AttributeWriter {

    /** {@code NLA_F_NESTED} (include/uapi/linux/netlink.h). */
    private static final int NESTED = 0x8000;

    /** The length of an attribute is a 16-bit number that includes its header (include/uapi/linux/netlink.h). */
    public static final int MAX_ATTRIBUTE_BYTES = 0xffff;

    private static final int HEADER_LENGTH = 4;

    private ByteBuffer buffer = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());

    /** Returns a writer that starts with the family's own header, such as {@code struct rtmsg}. */
    public static AttributeWriter after(byte[] header) {
        AttributeWriter writer = new AttributeWriter();
        writer.ensure(header.length).put(header);
        writer.pad();
        return writer;
    }

    /** Adds an attribute with any value. */
    public AttributeWriter bytes(int type, byte[] value) {
        return bytes(type, value, 0, value.length);
    }

    /** Adds an attribute whose value is a part of an array. */
    public AttributeWriter bytes(int type, byte[] array, int offset, int length) {
        header(type, length).put(array, offset, length);
        return pad();
    }

    public AttributeWriter u8(int type, int value) {
        header(type, 1).put((byte) value);
        return pad();
    }

    public AttributeWriter u16(int type, int value) {
        header(type, 2).putShort((short) value);
        return pad();
    }

    public AttributeWriter u32(int type, long value) {
        header(type, 4).putInt((int) value);
        return pad();
    }

    public AttributeWriter u64(int type, long value) {
        header(type, 8).putLong(value);
        return pad();
    }

    /** Adds a number of four bytes in network byte order. */
    public AttributeWriter be32(int type, long value) {
        header(type, 4).order(ByteOrder.BIG_ENDIAN).putInt((int) value).order(ByteOrder.nativeOrder());
        return this;
    }

    /** Adds a number of eight bytes in network byte order. */
    public AttributeWriter be64(int type, long value) {
        header(type, 8).order(ByteOrder.BIG_ENDIAN).putLong(value).order(ByteOrder.nativeOrder());
        return this;
    }

    /** Adds a string with its terminating zero. */
    public AttributeWriter string(int type, String value) {
        byte[] text = value.getBytes(StandardCharsets.UTF_8);
        header(type, text.length + 1).put(text).put((byte) 0);
        return pad();
    }

    /** Adds a flag: an attribute without a value. */
    public AttributeWriter flag(int type) {
        return bytes(type, new byte[0]);
    }

    /** Adds an attribute that contains attributes. */
    public AttributeWriter nested(int type, Consumer<AttributeWriter> content) {
        int start = begin(type);
        content.accept(this);
        return end(start);
    }

    /** Begins an attribute that contains the attributes until {@link #end}. */
    public int begin(int type) {
        int start = buffer.position();
        header(type | NESTED, 0);
        return start;
    }

    /** @param start the result of {@link #begin} */
    public AttributeWriter end(int start) {
        int length = buffer.position() - start;
        if (length > MAX_ATTRIBUTE_BYTES) {
            throw new IllegalStateException("an attribute of " + length + " bytes is too long");
        }
        buffer.putShort(start, (short) length);
        return this;
    }

    public int size() {
        return buffer.position();
    }

    public byte[] toByteArray() {
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    private ByteBuffer header(int type, int length) {
        if (HEADER_LENGTH + length > MAX_ATTRIBUTE_BYTES) {
            throw new IllegalArgumentException("an attribute of " + length + " bytes is too long");
        }
        return ensure(HEADER_LENGTH + length + 3)
                .putShort((short) (HEADER_LENGTH + length))
                .putShort((short) type);
    }

    private ByteBuffer ensure(int bytes) {
        if (buffer.remaining() < bytes) {
            ByteBuffer larger = ByteBuffer.allocate(Math.max(buffer.capacity() * 2, buffer.position() + bytes))
                    .order(ByteOrder.nativeOrder());
            larger.put(buffer.array(), 0, buffer.position());
            buffer = larger;
        }
        return buffer;
    }

    private AttributeWriter pad() {
        while (buffer.position() % 4 != 0) {
            ensure(1).put((byte) 0);
        }
        return this;
    }
}
