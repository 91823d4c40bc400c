// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The attributes of a message, parsed with bounds checks: a length beyond the end of the message stops the parsing
 * there, as the kernel's own {@code nla_ok} does. Repeated types keep their order; a lookup by type returns the last
 * one, which is the one that the kernel uses.
 */
public final class Attributes {

    /** One attribute; the value is a copy. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Attribute(int type, byte[] value) {}

    /** The numbers of an attribute in {@link #index}: its type, and where its value begins and how long it is. */
    private static final int NUMBERS = 3;

    private final byte[] bytes;

    /** Values are not copied before they are requested: a list of routes has many thousands of attributes. */
    private final int[] index;

    private final int count;

    private Attributes(byte[] bytes, int start, int end) {
        this.bytes = bytes;
        int[] all = new int[8 * NUMBERS];
        int used = 0;
        AttributeReader reader = AttributeReader.of(bytes, start, end);
        while (reader.next()) {
            if (used == all.length) {
                all = Arrays.copyOf(all, 2 * used);
            }
            all[used] = reader.type();
            all[used + 1] = reader.offset();
            all[used + 2] = reader.length();
            used += NUMBERS;
        }
        this.index = all;
        this.count = used;
    }

    /** Parses what follows the first {@code offset} bytes. */
    public static Attributes parse(byte[] bytes, int offset) {
        return new Attributes(bytes, offset, bytes.length);
    }

    public List<Attribute> all() {
        List<Attribute> attributes = new ArrayList<>(count / NUMBERS);
        for (int i = 0; i < count; i += NUMBERS) {
            attributes.add(new Attribute(index[i], value(i)));
        }
        return List.copyOf(attributes);
    }

    public Optional<byte[]> bytes(int type) {
        int last = last(type);
        return last < 0 ? Optional.empty() : Optional.of(value(last));
    }

    /** Returns the position in the index of the last attribute of this type; -1 if there is none. */
    private int last(int type) {
        for (int i = count - NUMBERS; i >= 0; i -= NUMBERS) {
            if (index[i] == type) {
                return i;
            }
        }
        return -1;
    }

    private byte[] value(int position) {
        return Arrays.copyOfRange(bytes, index[position + 1], index[position + 1] + index[position + 2]);
    }

    public boolean has(int type) {
        return last(type) >= 0;
    }

    /** Returns whether there is an attribute of one of these types. */
    public boolean hasAny(int... types) {
        for (int type : types) {
            if (has(type)) {
                return true;
            }
        }
        return false;
    }

    /** Returns an unsigned number of one, two, four or eight bytes, as long as the attribute is. */
    public Optional<Long> number(int type) {
        int last = last(type);
        return last < 0 || !isNumber(last) ? Optional.empty() : Optional.of(numberAt(last));
    }

    /** Returns an unsigned number, or a default if there is none. */
    public long number(int type, long defaultValue) {
        int last = last(type);
        return last < 0 || !isNumber(last) ? defaultValue : numberAt(last);
    }

    /** Returns a string, without its terminating zero. */
    public Optional<String> string(int type) {
        return bytes(type).map(value -> {
            int end = 0;
            while (end < value.length && value[end] != 0) {
                end++;
            }
            return new String(value, 0, end, StandardCharsets.UTF_8);
        });
    }

    /** Returns the attributes inside an attribute; none if it is absent. */
    public Attributes nested(int type) {
        int last = last(type);
        return last < 0
                ? new Attributes(bytes, 0, 0)
                : new Attributes(bytes, index[last + 1], index[last + 1] + index[last + 2]);
    }

    private boolean isNumber(int position) {
        return switch (index[position + 2]) {
            case 1, 2, 4, 8 -> true;
            default -> false;
        };
    }

    private long numberAt(int position) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        int offset = index[position + 1];
        return switch (index[position + 2]) {
            case 1 -> Byte.toUnsignedInt(buffer.get(offset));
            case 2 -> Short.toUnsignedInt(buffer.getShort(offset));
            case 4 -> Integer.toUnsignedLong(buffer.getInt(offset));
            default -> buffer.getLong(offset);
        };
    }
}
