// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The attributes of a message, parsed with bounds checks: a length beyond the end of the message stops the parsing
 * there, as the kernel's own {@code nla_ok} does. Repeated types keep their order; a lookup by type returns the last
 * one, which is the one that the kernel uses.
 */
public final class Attributes {

    /** One attribute; the value is shared and must not be changed. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Attribute(int type, byte[] value) {}

    private final List<Attribute> attributes;

    private Attributes(List<Attribute> attributes) {
        this.attributes = attributes;
    }

    /** Parses what follows the first {@code offset} bytes. */
    public static Attributes parse(byte[] bytes, int offset) {
        AttributeReader reader = AttributeReader.of(bytes, offset);
        List<Attribute> attributes = new ArrayList<>();
        while (reader.next()) {
            attributes.add(new Attribute(
                    reader.type(), Arrays.copyOfRange(bytes, reader.offset(), reader.offset() + reader.length())));
        }
        return new Attributes(attributes);
    }

    public List<Attribute> all() {
        return List.copyOf(attributes);
    }

    public Optional<byte[]> bytes(int type) {
        return Optional.ofNullable(last(type));
    }

    private byte @Nullable [] last(int type) {
        for (int i = attributes.size() - 1; i >= 0; i--) {
            if (attributes.get(i).type() == type) {
                return attributes.get(i).value();
            }
        }
        return null;
    }

    public boolean has(int type) {
        return last(type) != null;
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
        return bytes(type).flatMap(Attributes::number);
    }

    /** Returns an unsigned number, or a default if there is none. */
    public long number(int type, long defaultValue) {
        return has(type) ? number(type).orElse(defaultValue) : defaultValue;
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
        return bytes(type).map(value -> parse(value, 0)).orElseGet(() -> new Attributes(List.of()));
    }

    private static Optional<Long> number(byte[] value) {
        ByteBuffer buffer = ByteBuffer.wrap(value).order(ByteOrder.nativeOrder());
        return switch (value.length) {
            case 1 -> Optional.of((long) Byte.toUnsignedInt(buffer.get(0)));
            case 2 -> Optional.of((long) Short.toUnsignedInt(buffer.getShort(0)));
            case 4 -> Optional.of(Integer.toUnsignedLong(buffer.getInt(0)));
            case 8 -> Optional.of(buffer.getLong(0));
            default -> Optional.empty();
        };
    }
}
