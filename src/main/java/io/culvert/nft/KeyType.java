// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Prefix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The type of a value in the kernel's form: nft's number of it (libnftables: enum datatypes), and how it is encoded. */
enum KeyType {
    FAMILY(2, 1, true),
    IPV4(7, 4, false),
    IPV6(8, 16, false),
    TRANSPORT(12, 1, true),
    PORT(13, 2, false),
    ICMP_TYPE(14, 1, false),
    TCP_FLAGS(15, 1, false),
    MARK(19, 4, true),
    PRIORITY(23, 4, true),
    DIRECTION(27, 1, true),
    ICMPV6_TYPE(29, 1, false),
    /** A name with zeros up to {@code IFNAMSIZ} (include/uapi/linux/if.h). */
    LINK(41, 16, true);

    private final int number;
    private final int length;
    private final boolean hostOrder;

    KeyType(int number, int length, boolean hostOrder) {
        this.number = number;
        this.length = length;
        this.hostOrder = hostOrder;
    }

    int number() {
        return number;
    }

    /** Returns the length in bytes. */
    int length() {
        return length;
    }

    EncodedSet.KeyOrder order() {
        return hostOrder ? EncodedSet.KeyOrder.HOST : EncodedSet.KeyOrder.NETWORK;
    }

    /** Returns a single value; of a network, its first address. */
    byte[] encode(NftValue value) {
        return switch (value) {
            case NftValue.Decimal(long decimal) -> encode(decimal);
            case NftValue.Bits(long bits) -> encode(bits);
            case NftValue.Word word -> encode(word.number());
            case NftValue.Link(String name) -> require(Arrays.copyOf(name.getBytes(StandardCharsets.UTF_8), 16));
            case NftValue.Address(Prefix prefix) -> require(prefix.address().getAddress());
            case NftValue.In _, NftValue.AnyOf _, NftValue.Tuple _ ->
                throw new IllegalArgumentException(value + " is not a single value");
        };
    }

    /** Returns a number in the order and the length of this type. */
    byte[] encode(long value) {
        ByteBuffer buffer =
                ByteBuffer.allocate(Long.BYTES).order(hostOrder ? ByteOrder.nativeOrder() : ByteOrder.BIG_ENDIAN);
        byte[] bytes = buffer.putLong(value).array();
        return buffer.order() == ByteOrder.BIG_ENDIAN
                ? Arrays.copyOfRange(bytes, Long.BYTES - length, Long.BYTES)
                : Arrays.copyOf(bytes, length);
    }

    /** Returns a number of four bytes in the machine's order. */
    static byte[] hostBytes(int value) {
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }

    private byte[] require(byte[] bytes) {
        if (bytes.length != length) {
            throw new IllegalArgumentException("a value of " + bytes.length + " bytes for a " + this);
        }
        return bytes;
    }
}
