// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.MalformedMessageException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Decodes elements as kernels of any version list them; {@link RulesetReaderTest} does so with the running one. */
class ElementDecoderTest {

    private static final int INTERVAL = NfTables.NFT_SET_INTERVAL;
    private static final int CONCAT = NfTables.NFT_SET_INTERVAL | NfTables.NFT_SET_CONCAT;

    /** An element of a message. */
    private record Listed(Consumer<AttributeWriter> content) {

        static Listed of(String key) {
            return new Listed(element -> data(element, NfTables.NFTA_SET_ELEM_KEY, key));
        }

        static Listed end(String key) {
            return of(key).flags(NfTables.NFT_SET_ELEM_INTERVAL_END);
        }

        static Listed catchAll() {
            return new Listed(_ -> {}).flags(NfTables.NFT_SET_ELEM_CATCHALL);
        }

        Listed and(Consumer<AttributeWriter> more) {
            return new Listed(content.andThen(more));
        }

        Listed flags(int flags) {
            return and(element -> element.be32(NfTables.NFTA_SET_ELEM_FLAGS, flags));
        }

        Listed to(String last) {
            return and(element -> data(element, NfTables.NFTA_SET_ELEM_KEY_END, last));
        }

        Listed value(String value) {
            return and(element -> data(element, NfTables.NFTA_SET_ELEM_DATA, value));
        }

        Listed verdict(int code, String chain) {
            return and(element -> element.nested(
                    NfTables.NFTA_SET_ELEM_DATA,
                    data -> data.nested(NfTables.NFTA_DATA_VERDICT, verdict -> {
                        verdict.be32(NfTables.NFTA_VERDICT_CODE, code);
                        if (!chain.isEmpty()) {
                            verdict.string(NfTables.NFTA_VERDICT_CHAIN, chain);
                        }
                    })));
        }

        Listed expression(String name) {
            return and(element -> element.nested(
                    NfTables.NFTA_SET_ELEM_EXPR, expression -> expression.string(NfTables.NFTA_EXPR_NAME, name)));
        }

        Listed expressions(String... names) {
            return and(element -> element.nested(NfTables.NFTA_SET_ELEM_EXPRESSIONS, list -> {
                for (String name : names) {
                    list.nested(
                            NfTables.NFTA_LIST_ELEM, expression -> expression.string(NfTables.NFTA_EXPR_NAME, name));
                }
            }));
        }

        private static void data(AttributeWriter writer, int type, String hex) {
            writer.nested(
                    type,
                    data -> data.bytes(NfTables.NFTA_DATA_VALUE, HexFormat.of().parseHex(hex)));
        }
    }

    private static List<String> decode(int flags, int keyLength, List<Integer> fields, Listed... elements) {
        ElementDecoder decoder = new ElementDecoder(new EncodedSet(
                "s",
                flags,
                0,
                keyLength,
                EncodedSet.KeyOrder.MIXED,
                fields,
                0,
                new SetElements(keyLength, !fields.isEmpty())));
        decoder.add(message(elements));
        return decoder.elements().stream().map(ElementDecoderTest::text).toList();
    }

    private static List<String> decode(int flags, Listed... elements) {
        return decode(flags, 2, List.of(), elements);
    }

    private static byte[] message(Listed... elements) {
        return AttributeWriter.after(new byte[NfTables.HEADER_LENGTH])
                .nested(NfTables.NFTA_SET_ELEM_LIST_ELEMENTS, list -> {
                    for (Listed element : elements) {
                        list.nested(NfTables.NFTA_LIST_ELEM, element.content());
                    }
                })
                .toByteArray();
    }

    private static String text(KernelSet.Element element) {
        HexFormat hex = HexFormat.of();
        return (element.isCatchAll() ? "*" : hex.formatHex(element.first()) + '-' + hex.formatHex(element.last()))
                + element.data().map(data -> " : " + hex.formatHex(data)).orElse("")
                + element.verdict()
                        .map(verdict -> " : " + verdict.code() + ' ' + verdict.chain())
                        .orElse("")
                + (element.isConditional() ? " maybe" : "");
    }

    @Test
    void intervals_are_the_same_in_every_order() {
        List<Listed> listed = Arrays.asList(
                Listed.end("0000"),
                Listed.of("0001"),
                Listed.end("0003"),
                Listed.of("0003"),
                Listed.end("0100"),
                Listed.of("0400"));
        List<String> expected = List.of("0001-0002", "0003-00ff", "0400-ffff");

        assertThat(decode(INTERVAL, listed.toArray(Listed[]::new))).isEqualTo(expected);
        Collections.reverse(listed);
        assertThat(decode(INTERVAL, listed.toArray(Listed[]::new))).isEqualTo(expected);
        Collections.swap(listed, 0, 4);
        Collections.swap(listed, 1, 3);
        assertThat(decode(INTERVAL, listed.toArray(Listed[]::new))).isEqualTo(expected);
    }

    @Test
    void an_interval_without_its_end_ends_before_the_next_one() {
        assertThat(decode(
                        INTERVAL | NfTables.NFT_SET_MAP,
                        Listed.of("0001").value("0a"),
                        Listed.of("0010").value("0b"),
                        Listed.end("0020")))
                .containsExactly("0001-000f : 0a", "0010-001f : 0b");
        assertThat(decode(INTERVAL, Listed.of("0000"))).containsExactly("0000-ffff");
        assertThat(decode(INTERVAL, Listed.end("0000"), Listed.end("0700"))).isEmpty();
    }

    @Test
    void the_last_key_of_an_element_belongs_to_it() {
        assertThat(decode(
                        INTERVAL,
                        Listed.of("0001").to("0002"),
                        Listed.of("0002").to("0004")))
                .as("a single field")
                .containsExactly("0001-0002", "0002-0004");
        assertThat(decode(
                        CONCAT,
                        8,
                        List.of(4, 2),
                        Listed.of("0a00000000500000").to("0affffff005a0000"),
                        Listed.of("0a09000101bb0000")))
                .containsExactly("0a00000000500000-0affffff005a0000", "0a09000101bb0000-0a09000101bb0000");
    }

    @Test
    void a_catch_all_element_has_no_key() {
        assertThat(decode(
                        INTERVAL | NfTables.NFT_SET_MAP,
                        Listed.catchAll().verdict(NfTables.NF_DROP, ""),
                        Listed.of("0050").verdict(NfTables.NFT_JUMP, "other"),
                        Listed.end("0051")))
                .containsExactly("* : 0 ", "0050-0050 : -3 other");
    }

    @Test
    void an_element_that_may_not_match_is_conditional() {
        assertThat(decode(
                        0,
                        Listed.of("0001"),
                        Listed.of("0002").expression("counter"),
                        Listed.of("0003").expressions("counter", "last"),
                        Listed.of("0004").and(element -> element.bytes(NfTables.NFTA_SET_ELEM_USERDATA, new byte[4]))))
                .containsExactly("0001-0001", "0002-0002", "0003-0003", "0004-0004");
        assertThat(decode(
                        0,
                        Listed.of("0001").expression("limit"),
                        Listed.of("0002").expressions("counter", "quota"),
                        Listed.of("0003").expressions("connlimit"),
                        Listed.of("0004").and(element -> element.be64(NfTables.NFTA_SET_ELEM_EXPIRATION, 5000)),
                        Listed.of("0005").and(element -> element.be64(NfTables.NFTA_SET_ELEM_TIMEOUT, 5000)),
                        Listed.of("0006").and(element -> element.string(NfTables.NFTA_SET_ELEM_OBJREF, "o")),
                        Listed.of("0007").and(element -> element.be32(12, 1))))
                .as("a limit, a quota, a number of connections, timeouts, an object, something new")
                .hasSize(7)
                .allMatch(element -> element.endsWith(" maybe"));
        assertThat(decode(NfTables.NFT_SET_EVAL, Listed.of("0001")))
                .as("packets may remove it")
                .containsExactly("0001-0001 maybe");
    }

    @Test
    void what_is_not_understood_is_malformed() {
        assertMalformed(0, Listed.of("00"));
        assertMalformed(0, Listed.of("000001"));
        assertMalformed(0, Listed.of("0001").to("000002"));
        assertMalformed(0, new Listed(_ -> {}));
        assertMalformed(0, Listed.of("0001").flags(4));
        assertMalformed(0, Listed.end("0001"));
        assertMalformed(0, Listed.of("0001").flags(NfTables.NFT_SET_ELEM_CATCHALL));
        assertMalformed(INTERVAL, Listed.of("0001"), Listed.of("0001"));
        assertMalformed(NfTables.NFT_SET_MAP, Listed.of("0001"));
        assertMalformed(
                NfTables.NFT_SET_MAP,
                Listed.of("0001")
                        .and(element -> element.nested(
                                NfTables.NFTA_SET_ELEM_DATA,
                                data -> data.nested(
                                        NfTables.NFTA_DATA_VERDICT,
                                        verdict -> verdict.string(NfTables.NFTA_VERDICT_CHAIN, "c")))));
        assertThatThrownBy(() -> decode(CONCAT, 8, List.of(4)))
                .as("fields that are not the whole key")
                .isInstanceOf(MalformedMessageException.class);
        assertThatThrownBy(() -> decode(CONCAT, 8, List.of())).isInstanceOf(MalformedMessageException.class);
    }

    private static void assertMalformed(int flags, Listed... elements) {
        assertThatThrownBy(() -> decode(flags, elements)).isInstanceOf(MalformedMessageException.class);
    }

    @Test
    void ten_thousand_intervals_come_in_several_messages() {
        ElementDecoder decoder = new ElementDecoder(new EncodedSet(
                "s", INTERVAL, 0, 4, EncodedSet.KeyOrder.NETWORK, List.of(), 0, new SetElements(4, false)));
        IntStream.range(0, 100)
                .forEach(message -> decoder.add(message(IntStream.range(0, 100)
                        .map(i -> 10_000 - 100 * message - i)
                        .boxed()
                        .flatMap(number -> List.of(
                                Listed.end("%08x".formatted(0x0a000000 + 4 * number + 2)),
                                Listed.of("%08x".formatted(0x0a000000 + 4 * number)))
                                .stream())
                        .toArray(Listed[]::new))));

        List<KernelSet.Element> elements = decoder.elements();
        assertThat(elements).hasSize(10_000);
        assertThat(text(elements.getFirst())).isEqualTo("0a000004-0a000005");
        assertThat(text(elements.getLast())).isEqualTo("0a009c40-0a009c41");
    }
}
