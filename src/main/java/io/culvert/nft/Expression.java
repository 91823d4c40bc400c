// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.netlink.AttributeReader;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.MalformedMessageException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * An expression of a rule: one instruction of the kernel, such as {@code payload}, {@code cmp} or {@code immediate}. Its
 * attributes are identified by their numbers {@code NFTA_*} (include/uapi/linux/netfilter/nf_tables.h). A value.
 */
public final class Expression {

    /** The kernel's own expressions have at most 12 attributes; a larger number is not one of nf_tables. */
    private static final int MAX_ATTRIBUTE = 63;

    /** Enough for most expressions. */
    private static final int INITIAL_ATTRIBUTES = 6;

    private final String name;

    /** The attributes by number. */
    private final byte[] @Nullable [] attributes;

    private Expression(String name, byte[] @Nullable [] attributes) {
        this.name = name;
        this.attributes = attributes;
    }

    public static Expression of(String name) {
        return new Expression(name, new byte[0] @Nullable []);
    }

    /**
     * Parses a list of expressions.
     *
     * @param list the value of {@code NFTA_RULE_EXPRESSIONS}
     * @throws MalformedMessageException if it is something else
     */
    static List<Expression> parse(byte[] list) {
        List<Expression> expressions = new ArrayList<>();
        AttributeReader elements = AttributeReader.of(list, 0);
        while (elements.next()) {
            expressions.add(parse(list, elements));
        }
        return expressions;
    }

    /** Parses without intermediate objects, as a table may have thousands of rules. */
    private static Expression parse(byte[] list, AttributeReader element) {
        AttributeReader names = element.nested();
        if (!names.find(NfTables.NFTA_EXPR_NAME)) {
            throw new MalformedMessageException("an expression without a name");
        }
        String name = text(list, names.offset(), names.offset() + names.length());
        byte[] @Nullable [] attributes = new byte[0] @Nullable [];
        AttributeReader data = element.nested();
        while (data.find(NfTables.NFTA_EXPR_DATA)) {
            AttributeReader reader = data.nested();
            while (reader.next()) {
                int type = reader.type();
                if (type > MAX_ATTRIBUTE) {
                    throw new MalformedMessageException("attribute " + type + " of an expression '" + name + "'");
                }
                if (type >= attributes.length) {
                    attributes = Arrays.copyOf(attributes, Math.max(type + 1, INITIAL_ATTRIBUTES));
                }
                attributes[type] = Arrays.copyOfRange(list, reader.offset(), reader.offset() + reader.length());
            }
        }
        return new Expression(name, attributes);
    }

    /** Returns a string, without its terminating zero. */
    private static String text(byte[] bytes, int start, int limit) {
        int end = start;
        while (end < limit && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, start, end - start, StandardCharsets.UTF_8);
    }

    /** Writes it as an element of a list of expressions. */
    void write(AttributeWriter writer) {
        int element = writer.begin(NfTables.NFTA_LIST_ELEM);
        writer.string(NfTables.NFTA_EXPR_NAME, name);
        int data = writer.begin(NfTables.NFTA_EXPR_DATA);
        for (int type = 0; type < attributes.length; type++) {
            byte[] value = attributes[type];
            if (value != null) {
                writer.bytes(type, value);
            }
        }
        writer.end(data);
        writer.end(element);
    }

    public Expression with(int type, byte[] value) {
        if (type > MAX_ATTRIBUTE) {
            throw new MalformedMessageException("attribute " + type + " of an expression '" + name + "'");
        }
        byte[] @Nullable [] more = Arrays.copyOf(attributes, Math.max(attributes.length, type + 1));
        more[type] = value;
        return new Expression(name, more);
    }

    /** Adds a number of four bytes. */
    public Expression with(int type, int number) {
        return with(type, ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
    }

    public Expression with(int type, String text) {
        return with(type, (text + '\0').getBytes(StandardCharsets.UTF_8));
    }

    /** Adds data for a register. */
    public Expression withData(int type, byte[] data) {
        return with(
                type,
                new AttributeWriter().bytes(NfTables.NFTA_DATA_VALUE, data).toByteArray());
    }

    /** Adds a verdict. */
    public Expression withVerdict(int type, int code, @Nullable String chain) {
        AttributeWriter verdict = new AttributeWriter().be32(NfTables.NFTA_VERDICT_CODE, code);
        if (chain != null) {
            verdict.string(NfTables.NFTA_VERDICT_CHAIN, chain);
        }
        return with(
                type,
                new AttributeWriter()
                        .bytes(NfTables.NFTA_DATA_VERDICT, verdict.toByteArray())
                        .toByteArray());
    }

    Expression without(int type) {
        if (!has(type)) {
            return this;
        }
        byte[] @Nullable [] fewer = attributes.clone();
        fewer[type] = null;
        return new Expression(name, fewer);
    }

    /** Returns the kernel's name of the expression. */
    public String name() {
        return name;
    }

    public boolean has(int type) {
        return type < attributes.length && attributes[type] != null;
    }

    /** Returns an unsigned number, which has network byte order in nf_tables. */
    public OptionalLong number(int type) {
        byte[] value = value(type);
        if (value == null || value.length == 0 || value.length > Long.BYTES) {
            return OptionalLong.empty();
        }
        long number = 0;
        for (byte part : value) {
            number = number << Byte.SIZE | Byte.toUnsignedLong(part);
        }
        return OptionalLong.of(number);
    }

    /** Returns whether an attribute is present and has this number. */
    public boolean is(int type, long number) {
        return number(type).equals(OptionalLong.of(number));
    }

    /** Returns a string, without its terminating zero. */
    public Optional<String> text(int type) {
        byte[] value = value(type);
        return value == null ? Optional.empty() : Optional.of(text(value, 0, value.length));
    }

    /** Returns the bytes of an attribute. */
    public Optional<byte[]> bytes(int type) {
        return Optional.ofNullable(value(type)).map(byte[]::clone);
    }

    /** Returns data for a register, in the order of the register. */
    public Optional<byte[]> data(int type) {
        byte[] value = value(type);
        return value == null ? Optional.empty() : Attributes.parse(value, 0).bytes(NfTables.NFTA_DATA_VALUE);
    }

    /** Returns the code of a verdict: {@code NF_ACCEPT}, {@code NFT_JUMP} and the like. */
    public OptionalInt verdict(int type) {
        byte[] code = verdictAttribute(type, NfTables.NFTA_VERDICT_CODE).orElse(new byte[0]);
        return code.length == Integer.BYTES
                ? OptionalInt.of(ByteBuffer.wrap(code).getInt())
                : OptionalInt.empty();
    }

    /** Returns the chain that a verdict continues in. */
    public Optional<String> verdictChain(int type) {
        return verdictAttribute(type, NfTables.NFTA_VERDICT_CHAIN)
                .map(chain -> new String(chain, StandardCharsets.UTF_8).split("\0", 2)[0]);
    }

    private Optional<byte[]> verdictAttribute(int type, int attribute) {
        byte[] value = value(type);
        return value == null
                ? Optional.empty()
                : Attributes.parse(value, 0).nested(NfTables.NFTA_DATA_VERDICT).bytes(attribute);
    }

    private byte @Nullable [] value(int type) {
        return type < attributes.length ? attributes[type] : null;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        if (!(other instanceof Expression that) || !name.equals(that.name)) {
            return false;
        }
        int length = Math.max(attributes.length, that.attributes.length);
        for (int type = 0; type < length; type++) {
            if (!Arrays.equals(value(type), that.value(type))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        int hash = name.hashCode();
        for (int type = 0; type < attributes.length; type++) {
            hash += (type + 1) * Arrays.hashCode(value(type));
        }
        return hash;
    }

    /** Returns the name and the attributes, such as {@code meta 1=00000001 2=00000003}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(name);
        for (int type = 0; type < attributes.length; type++) {
            byte[] value = attributes[type];
            if (value != null) {
                text.append(' ').append(type).append('=').append(HexFormat.of().formatHex(value));
            }
        }
        return text.toString();
    }
}
