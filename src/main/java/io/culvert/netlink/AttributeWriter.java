// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Writes a family header and netlink attributes, in the machine's byte order and padded to four bytes. */
public final class AttributeWriter {

    /** {@code NLA_F_NESTED} (include/uapi/linux/netlink.h). */
    private static final int NESTED = 0x8000;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /** Returns a writer that starts with the family's own header, such as {@code struct rtmsg}. */
    public static AttributeWriter after(byte[] header) {
        AttributeWriter writer = new AttributeWriter();
        writer.bytes.writeBytes(header);
        writer.pad();
        return writer;
    }

    /** Adds an attribute with any value. */
    public AttributeWriter bytes(int type, byte[] value) {
        bytes.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putShort((short) (4 + value.length))
                .putShort((short) type)
                .array());
        bytes.writeBytes(value);
        pad();
        return this;
    }

    public AttributeWriter u8(int type, int value) {
        return bytes(type, new byte[] {(byte) value});
    }

    public AttributeWriter u16(int type, int value) {
        return bytes(
                type,
                ByteBuffer.allocate(2)
                        .order(ByteOrder.nativeOrder())
                        .putShort((short) value)
                        .array());
    }

    public AttributeWriter u32(int type, long value) {
        return bytes(
                type,
                ByteBuffer.allocate(4)
                        .order(ByteOrder.nativeOrder())
                        .putInt((int) value)
                        .array());
    }

    public AttributeWriter u64(int type, long value) {
        return bytes(
                type,
                ByteBuffer.allocate(8)
                        .order(ByteOrder.nativeOrder())
                        .putLong(value)
                        .array());
    }

    /** Adds a string with its terminating zero. */
    public AttributeWriter string(int type, String value) {
        byte[] text = value.getBytes(StandardCharsets.UTF_8);
        return bytes(type, java.util.Arrays.copyOf(text, text.length + 1));
    }

    /** Adds a flag: an attribute without a value. */
    public AttributeWriter flag(int type) {
        return bytes(type, new byte[0]);
    }

    /** Adds an attribute that contains attributes. */
    public AttributeWriter nested(int type, Consumer<AttributeWriter> content) {
        AttributeWriter inner = new AttributeWriter();
        content.accept(inner);
        return bytes(type | NESTED, inner.toByteArray());
    }

    public int size() {
        return bytes.size();
    }

    public byte[] toByteArray() {
        return bytes.toByteArray();
    }

    private void pad() {
        while (bytes.size() % 4 != 0) {
            bytes.write(0);
        }
    }
}
