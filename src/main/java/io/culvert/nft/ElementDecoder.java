// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.netlink.AttributeReader;
import io.culvert.netlink.MalformedMessageException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the elements of a set of any program.
 *
 * <p>The kernel has two forms of intervals. In a concatenation, and in other sets of newer kernels, an element has a first and a
 * last key. In all other sets with intervals, an element is the start of one or the first key behind one; a key belongs to the
 * greatest element that is not greater, if that is a start ({@code nft_rbtree_lookup} in net/netfilter/nft_set_rbtree.c).
 */
final class ElementDecoder {

    /** Expressions of an element that match every packet. */
    private static final Set<String> COUNTING = Set.of("counter", "last");

    private static final int KNOWN_FLAGS = NfTables.NFT_SET_ELEM_INTERVAL_END | NfTables.NFT_SET_ELEM_CATCHALL;

    private final EncodedSet set;
    private final boolean hasIntervals;
    private final byte[] zero;
    private final List<KernelSet.Element> elements = new ArrayList<>();

    /** Starts and ends of intervals. */
    private final List<Bound> bounds = new ArrayList<>();

    /** @param element with the same key twice; empty for the first key behind an interval */
    @SuppressWarnings("ArrayRecordComponent") // Created once and only read.
    private record Bound(byte[] key, Optional<KernelSet.Element> element) {}

    /** @throws MalformedMessageException if the set is a concatenation with intervals whose fields are not known */
    ElementDecoder(EncodedSet set) {
        this.set = set;
        this.hasIntervals = has(NfTables.NFT_SET_INTERVAL);
        this.zero = new byte[set.keyLength()];
        int length = fields().stream().mapToInt(field -> (field + 3) & ~3).sum();
        if (hasIntervals && (has(NfTables.NFT_SET_CONCAT) || !set.fields().isEmpty()) && length != set.keyLength()) {
            throw new MalformedMessageException("the fields of set " + set.name() + " have " + length + " bytes");
        }
    }

    private boolean has(int flag) {
        return (set.flags() & flag) != 0;
    }

    /** Returns the lengths of the fields of a concatenation with intervals; otherwise an empty list. */
    List<Integer> fields() {
        return hasIntervals ? set.fields() : List.of();
    }

    /** Adds the elements of a message of type {@code NFT_MSG_NEWSETELEM}. */
    void add(byte[] payload) {
        AttributeReader attributes = AttributeReader.of(payload, NfTables.HEADER_LENGTH);
        while (attributes.find(NfTables.NFTA_SET_ELEM_LIST_ELEMENTS)) {
            AttributeReader list = attributes.nested();
            while (list.next()) {
                addElement(payload, list.nested());
            }
        }
    }

    private void addElement(byte[] payload, AttributeReader attributes) {
        byte @Nullable [] key = null;
        byte @Nullable [] last = null;
        int flags = 0;
        Optional<byte[]> data = Optional.empty();
        Optional<KernelVerdict> verdict = Optional.empty();
        boolean isConditional = has(NfTables.NFT_SET_EVAL);
        while (attributes.next()) {
            switch (attributes.type()) {
                case NfTables.NFTA_SET_ELEM_KEY -> key = key(payload, attributes.nested());
                case NfTables.NFTA_SET_ELEM_KEY_END -> last = key(payload, attributes.nested());
                case NfTables.NFTA_SET_ELEM_FLAGS -> flags = number(payload, attributes);
                case NfTables.NFTA_SET_ELEM_DATA -> {
                    AttributeReader value = attributes.nested();
                    while (value.next()) {
                        if (value.type() == NfTables.NFTA_DATA_VALUE) {
                            data = Optional.of(bytes(payload, value));
                        } else if (value.type() == NfTables.NFTA_DATA_VERDICT) {
                            verdict = Optional.of(verdict(payload, value.nested()));
                        }
                    }
                }
                case NfTables.NFTA_SET_ELEM_EXPR -> isConditional |= !isCounting(payload, attributes.nested());
                case NfTables.NFTA_SET_ELEM_EXPRESSIONS -> {
                    AttributeReader expressions = attributes.nested();
                    while (expressions.next()) {
                        isConditional |= !isCounting(payload, expressions.nested());
                    }
                }
                case NfTables.NFTA_SET_ELEM_USERDATA, NfTables.NFTA_SET_ELEM_PAD -> {}
                // A timeout, an object, or something of a newer kernel.
                default -> isConditional = true;
            }
        }
        addElement(key, last, flags, data, verdict, isConditional);
    }

    private void addElement(
            byte @Nullable [] key,
            byte @Nullable [] last,
            int flags,
            Optional<byte[]> data,
            Optional<KernelVerdict> verdict,
            boolean isConditional) {
        boolean isEnd = (flags & NfTables.NFT_SET_ELEM_INTERVAL_END) != 0;
        boolean isCatchAll = (flags & NfTables.NFT_SET_ELEM_CATCHALL) != 0;
        if ((flags & ~KNOWN_FLAGS) != 0 || (isEnd && (isCatchAll || !hasIntervals)) || isCatchAll == (key != null)) {
            throw new MalformedMessageException("an element of set " + set.name() + " has the flags " + flags);
        }
        if (has(NfTables.NFT_SET_MAP) && !isEnd && data.isEmpty() && verdict.isEmpty()) {
            throw new MalformedMessageException("an element of map " + set.name() + " has no data");
        }
        byte[] first = key == null ? zero : key;
        if (isEnd) {
            bounds.add(new Bound(first, Optional.empty()));
            return;
        }
        KernelSet.Element element =
                new KernelSet.Element(first, last == null ? first : last, isCatchAll, data, verdict, isConditional);
        if (hasIntervals && !isCatchAll && last == null && fields().isEmpty()) {
            bounds.add(new Bound(first, Optional.of(element)));
        } else {
            elements.add(element);
        }
    }

    /** Returns the elements; those that are intervals of a single field in ascending order. */
    List<KernelSet.Element> elements() {
        List<KernelSet.Element> all = new ArrayList<>(elements);
        all.addAll(intervals());
        return all;
    }

    private List<KernelSet.Element> intervals() {
        Bound[] sorted = bounds.toArray(Bound[]::new);
        // An interval may begin where another one ends.
        Arrays.sort(sorted, (one, other) -> {
            int order = Arrays.compareUnsigned(one.key, other.key);
            return order != 0 ? order : Boolean.compare(one.element.isPresent(), other.element.isPresent());
        });
        List<KernelSet.Element> intervals = new ArrayList<>(sorted.length);
        for (int i = 0; i < sorted.length; i++) {
            if (sorted[i].element.isPresent()) {
                KernelSet.Element start = sorted[i].element.get();
                intervals.add(new KernelSet.Element(
                        start.first(),
                        i + 1 < sorted.length ? before(sorted[i + 1].key, start.first()) : greatest(),
                        false,
                        start.data(),
                        start.verdict(),
                        start.isConditional()));
            }
        }
        return intervals;
    }

    /** Returns the key before another one. */
    private byte[] before(byte[] key, byte[] start) {
        if (Arrays.equals(key, start)) {
            throw new MalformedMessageException("two elements of set " + set.name() + " are the same");
        }
        byte[] before = key.clone();
        int position = before.length - 1;
        while (before[position] == 0) {
            before[position--] = (byte) 0xff;
        }
        before[position]--;
        return before;
    }

    private byte[] greatest() {
        byte[] greatest = new byte[set.keyLength()];
        Arrays.fill(greatest, (byte) 0xff);
        return greatest;
    }

    private byte[] key(byte[] payload, AttributeReader data) {
        if (!data.find(NfTables.NFTA_DATA_VALUE) || data.length() != set.keyLength()) {
            throw new MalformedMessageException("a key of set " + set.name() + " has another length");
        }
        return bytes(payload, data);
    }

    private static KernelVerdict verdict(byte[] payload, AttributeReader attributes) {
        Optional<Integer> code = Optional.empty();
        String chain = "";
        while (attributes.next()) {
            if (attributes.type() == NfTables.NFTA_VERDICT_CODE) {
                code = Optional.of(number(payload, attributes));
            } else if (attributes.type() == NfTables.NFTA_VERDICT_CHAIN) {
                chain = text(payload, attributes);
            }
        }
        return new KernelVerdict(
                code.orElseThrow(() -> new MalformedMessageException("a verdict without a code")), chain);
    }

    private static boolean isCounting(byte[] payload, AttributeReader expression) {
        return expression.find(NfTables.NFTA_EXPR_NAME) && COUNTING.contains(text(payload, expression));
    }

    private static int number(byte[] payload, AttributeReader attribute) {
        if (attribute.length() != Integer.BYTES) {
            throw new MalformedMessageException("a number of " + attribute.length() + " bytes");
        }
        return ByteBuffer.wrap(payload).getInt(attribute.offset());
    }

    private static byte[] bytes(byte[] payload, AttributeReader attribute) {
        return Arrays.copyOfRange(payload, attribute.offset(), attribute.offset() + attribute.length());
    }

    private static String text(byte[] payload, AttributeReader attribute) {
        return new String(bytes(payload, attribute), StandardCharsets.UTF_8).split("\0", 2)[0];
    }
}
