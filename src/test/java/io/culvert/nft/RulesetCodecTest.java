// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.MalformedMessageException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.plan.RulesetExamples;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Encodes rulesets as they are sent and decodes them as the kernel lists them; {@link NftablesTest} does so with it. */
class RulesetCodecTest {

    static Stream<String> examples() {
        return RulesetExamples.all().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void every_ruleset_is_decoded_as_it_was_encoded(String example) {
        for (Table table : Objects.requireNonNull(RulesetExamples.all().get(example))) {
            assertThat(differences(table, table)).isEmpty();
        }
    }

    @Test
    void a_changed_rule_or_comment_is_described() {
        NftRule one = NftRule.of("one", Statement.is(MatchField.Property.OUTPUT_LINK, links("lo", "wg0")));
        NftRule two = NftRule.of("two", Statement.Verdict.DROP);

        assertThat(differences(
                        table(one, two),
                        table(
                                NftRule.of("one", Statement.is(MatchField.Property.OUTPUT_LINK, links("lo", "wg1"))),
                                two)))
                .containsExactly("the rule 'one' of chain c differs");
        assertThat(differences(table(one, two), table(one, NftRule.of("three", Statement.Verdict.DROP))))
                .containsExactly("the rule 'two' of chain c is missing", "the rule 'three' of chain c is unexpected");
        assertThat(differences(table(one, two), table(two, one)))
                .containsExactly("the rules of chain c are out of order or duplicated");
    }

    @Test
    void the_order_of_an_anonymous_set_does_not_matter() {
        assertThat(differences(
                        table(NftRule.of("one", Statement.is(MatchField.Property.OUTPUT_LINK, links("lo", "wg0")))),
                        table(NftRule.of("one", Statement.is(MatchField.Property.OUTPUT_LINK, links("wg0", "lo"))))))
                .isEmpty();
    }

    @Test
    void a_changed_set_or_chain_is_described() {
        Table table = new Table(id(), List.of(set("192.0.2.0/24")), List.of(chain(Chain.Policy.DROP)));

        assertThat(differences(table, new Table(id(), List.of(set("192.0.2.0/25")), List.of(chain(Chain.Policy.DROP)))))
                .containsExactly("the set s differs");
        assertThat(differences(
                        table, new Table(id(), List.of(set("192.0.2.0/24")), List.of(chain(Chain.Policy.ACCEPT)))))
                .containsExactly("the chain c differs");
        assertThat(differences(table, new Table(id(), List.of(), List.of())))
                .containsExactly(
                        "the chain c is missing", "the set s is missing", "the rule 'one' of chain c is missing");
        assertThat(differences(new Table(id(), List.of(), List.of()), table))
                .containsExactly(
                        "the chain c is unexpected",
                        "the set s is unexpected",
                        "the rule 'one' of chain c is unexpected");
    }

    @Test
    void a_dormant_table_differs() {
        EncodedTable table = EncodedTable.of(table());

        assertThat(table.differences(
                        new EncodedTable(table.id(), 1, table.sets(), table.chains(), List.of("flowtable f"))))
                .containsExactly("the table t differs", "the flowtable f is unexpected");
    }

    @Test
    void elements_with_a_timeout_are_not_compared() {
        NamedSet with = new NamedSet("s", List.of(NamedSet.Part.PORT), false, 180, List.of(new NftValue.Decimal(53)));

        assertThat(differences(
                        new Table(id(), List.of(with), List.of()),
                        new Table(id(), List.of(with.withElements(List.of())), List.of())))
                .isEmpty();
    }

    @Test
    void ten_thousand_elements_are_decoded_from_several_messages_in_any_order() {
        List<NftValue> elements = new ArrayList<>(IntStream.range(0, 10_000)
                .<NftValue>mapToObj(i -> NftValue.Tuple.of(
                        new NftValue.Address(Prefix.parse("2001:db8:" + Integer.toHexString(i) + "::/48")),
                        new NftValue.Decimal(6),
                        new NftValue.Decimal(443)))
                .toList());
        NamedSet set = new NamedSet(
                "s", List.of(NamedSet.Part.IPV6, NamedSet.Part.TRANSPORT, NamedSet.Part.PORT), true, elements);
        EncodedSet encoded = SetEncoder.named(set);
        SetElements reversed = new SetElements(encoded.keyLength(), true);
        List<NetlinkMessage> messages = ofType(
                NfTables.NFT_MSG_NEWSETELEM,
                new RulesetTransaction().addElements(id(), encoded, 0, 10_000).messages());
        messages.reversed().forEach(message -> reversed.addListed(message.payload()));

        assertThat(messages).hasSizeGreaterThan(10);
        assertThat(encoded.elements().isSameAs(reversed)).isTrue();
        assertThat(encoded.elements()
                        .isSameAs(SetEncoder.named(set.withElements(elements.subList(1, 10_000)))
                                .elements()))
                .isFalse();
    }

    @Test
    void an_element_with_anything_more_than_its_keys_is_a_difference() {
        byte[] key = {1, 2, 3, 4};
        SetElements expected = new SetElements(4, true);
        expected.add(key);

        assertThat(expected.isSameAs(listed(element -> key(element, NfTables.NFTA_SET_ELEM_KEY_END, key))))
                .isTrue();
        assertThat(expected.isSameAs(listed(_ -> {})))
                .as("the last key is the first one")
                .isTrue();
        assertThat(expected.isSameAs(listed(element -> element.be32(NfTables.NFTA_SET_ELEM_FLAGS, 0x100))))
                .isFalse();
        assertThat(expected.isSameAs(listed(element -> element.be64(NfTables.NFTA_SET_ELEM_TIMEOUT, 1000))))
                .isFalse();
        assertThat(expected.isSameAs(listed(element -> key(element, NfTables.NFTA_SET_ELEM_DATA, key))))
                .isFalse();
        assertThat(expected.isSameAs(
                        listed(element -> key(element, NfTables.NFTA_SET_ELEM_KEY_END, new byte[] {1, 2, 3, 4, 5}))))
                .isFalse();
    }

    private static SetElements listed(Consumer<AttributeWriter> more) {
        AttributeWriter message = AttributeWriter.after(new byte[NfTables.HEADER_LENGTH]);
        message.nested(
                NfTables.NFTA_SET_ELEM_LIST_ELEMENTS,
                list -> list.nested(NfTables.NFTA_LIST_ELEM, element -> {
                    key(element, NfTables.NFTA_SET_ELEM_KEY, new byte[] {1, 2, 3, 4});
                    more.accept(element);
                }));
        SetElements elements = new SetElements(4, true);
        elements.addListed(message.toByteArray());
        return elements;
    }

    private static void key(AttributeWriter element, int type, byte[] value) {
        element.nested(type, key -> key.bytes(NfTables.NFTA_DATA_VALUE, value));
    }

    @FuzzTest
    void any_message_is_decoded_or_malformed(FuzzedDataProvider data) {
        int type = data.consumeInt(0, 24);
        decode(type, data.consumeRemainingAsBytes());
    }

    @Test
    void a_damaged_message_is_decoded_or_malformed() {
        Random random = new Random(4711);
        List<NetlinkMessage> messages = RulesetExamples.all().values().stream()
                .flatMap(List::stream)
                .flatMap(table -> new RulesetTransaction().create(EncodedTable.of(table)).messages().stream())
                .toList();
        for (int round = 0; round < 4; round++) {
            for (NetlinkMessage message : messages) {
                byte[] damaged = message.payload().clone();
                for (int i = 0; i < 3; i++) {
                    damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
                }
                decode(message.type() & 0xff, Arrays.copyOf(damaged, damaged.length - random.nextInt(2)));
            }
        }
    }

    private static void decode(int type, byte[] payload) {
        List<NetlinkMessage> messages = List.of(new NetlinkMessage(NfTables.SUBSYSTEM | type, 0, payload));
        try {
            RulesetDecoder.generation(messages);
            RulesetDecoder.tables(messages);
            RulesetDecoder.chains(messages, "culvert");
            RulesetDecoder.objects(messages, "culvert");
            RulesetDecoder.flowtables(messages, "culvert");
            RulesetDecoder.mapValues(messages);
            RulesetDecoder.sets(messages)
                    .forEach(set -> assertThat(set.isSameAs(set)).isTrue());
            new SetElements(4, false).addListed(payload);
            new SetElements(16, true).addListed(payload);
            List<TableRule> rules = RulesetDecoder.rules(messages, "culvert").values().stream()
                    .flatMap(List::stream)
                    .toList();
            new ForeignTables(Marks.DEFAULT.exempt(true)).add("other", rules, _ -> Optional.of(List.of(payload)));
            decodeAsForeign(messages);
            for (TableRule rule : rules) {
                assertThat(Expression.parse(written(rule.expressions()))).isEqualTo(rule.expressions());
            }
        } catch (MalformedMessageException e) {
            assertThat(e).hasMessageStartingWith("unsupported message of the kernel: ");
        }
    }

    /** Decodes the message as each of the kernel's listings, and as the elements of sets of each kind. */
    private static void decodeAsForeign(List<NetlinkMessage> messages) {
        List<Rulesets.ListedTable> tables = new ArrayList<>(RulesetDecoder.tables(messages));
        tables.add(new Rulesets.ListedTable(KernelTable.INET, "culvert", 0));
        KernelRuleset ruleset =
                new KernelRulesetDecoder((_, _) -> messages).decode(tables, messages, messages, messages, messages);
        assertThat(ruleset.tables().size() + ruleset.unreadable().size()).isGreaterThanOrEqualTo(tables.size());
        for (int flags : new int[] {0, NfTables.NFT_SET_INTERVAL, NfTables.NFT_SET_MAP, CONCATENATED_INTERVALS}) {
            List<Integer> fields = flags == CONCATENATED_INTERVALS ? List.of(4, 2) : List.of();
            try {
                ElementDecoder decoder = new ElementDecoder(new EncodedSet(
                        "s", flags, 0, 8, EncodedSet.KeyOrder.MIXED, fields, 0, new SetElements(8, !fields.isEmpty())));
                messages.forEach(message -> decoder.add(message.payload()));
                decoder.elements()
                        .forEach(element -> assertThat(element.first()).hasSameSizeAs(element.last()));
            } catch (MalformedMessageException e) {
                assertThat(e).hasMessageStartingWith("unsupported message of the kernel: ");
            }
        }
    }

    private static final int CONCATENATED_INTERVALS = NfTables.NFT_SET_INTERVAL | NfTables.NFT_SET_CONCAT;

    @ParameterizedTest
    @MethodSource("examples")
    void every_ruleset_is_decoded_as_one_of_another_program(String example) {
        for (Table table : Objects.requireNonNull(RulesetExamples.all().get(example))) {
            EncodedTable encoded = EncodedTable.of(table);
            List<NetlinkMessage> sent = new RulesetTransaction().create(encoded).messages();
            KernelRuleset ruleset = new KernelRulesetDecoder((_, set) -> elementsOf(set, encoded))
                    .decode(RulesetDecoder.tables(sent), sent, sent, namedSets(sent), sent);

            assertThat(ruleset.unreadable()).isEmpty();
            KernelTable listed = ruleset.tables().getFirst();
            assertThat(listed.fullName()).isEqualTo(table.id().toString());
            for (Chain chain : table.chains()) {
                assertThat(listed.chain(chain.name()).orElseThrow().rules())
                        .extracting(TableRule::comment)
                        .containsExactlyElementsOf(
                                chain.rules().stream().map(NftRule::comment).toList());
            }
            assertThat(listed.sets())
                    .extracting(KernelSet::name)
                    .containsExactlyInAnyOrderElementsOf(encoded.sets().keySet());
        }
    }

    private static List<NetlinkMessage> namedSets(List<NetlinkMessage> sent) {
        return ofType(NfTables.NFT_MSG_NEWSET, sent).stream()
                .filter(message ->
                        !RulesetDecoder.sets(List.of(message)).getFirst().isAnonymous())
                .toList();
    }

    private static List<NetlinkMessage> elementsOf(String name, EncodedTable table) {
        EncodedSet set = Objects.requireNonNull(table.sets().get(name));
        return new RulesetTransaction()
                .addElements(table.id(), set, 0, set.elements().size())
                .messages();
    }

    @Test
    void only_the_table_with_something_malformed_is_unreadable() {
        List<NetlinkMessage> sent = new ArrayList<>();
        for (String name : List.of("good", "bad")) {
            Table table =
                    new Table(new Table.Id(Table.Family.INET, name), List.of(), List.of(chain(Chain.Policy.DROP)));
            sent.addAll(new RulesetTransaction().create(EncodedTable.of(table)).messages());
        }
        List<NetlinkMessage> rules = new ArrayList<>(ofType(NfTables.NFT_MSG_NEWRULE, sent));
        rules.add(new NetlinkMessage(
                NfTables.SUBSYSTEM | NfTables.NFT_MSG_NEWRULE,
                0,
                NfTables.message(KernelTable.INET)
                        .string(NfTables.NFTA_RULE_TABLE, "bad")
                        .string(NfTables.NFTA_RULE_CHAIN, "c")
                        .nested(NfTables.NFTA_RULE_EXPRESSIONS, list -> list.nested(NfTables.NFTA_LIST_ELEM, _ -> {}))
                        .toByteArray()));
        rules.add(new NetlinkMessage(
                NfTables.SUBSYSTEM | NfTables.NFT_MSG_NEWRULE,
                0,
                NfTables.message(KernelTable.IPV6)
                        .string(NfTables.NFTA_RULE_TABLE, "new")
                        .string(NfTables.NFTA_RULE_CHAIN, "c")
                        .toByteArray()));

        KernelRuleset ruleset = new KernelRulesetDecoder((_, _) -> List.of())
                .decode(RulesetDecoder.tables(sent), sent, rules, List.of(), List.of());

        assertThat(ruleset.tables()).extracting(KernelTable::fullName).containsExactly("inet good");
        assertThat(ruleset.unreadable())
                .containsExactly(
                        new KernelRuleset.Unreadable(
                                "inet bad", "unsupported message of the kernel: an expression without a name"),
                        new KernelRuleset.Unreadable("ip6 new", "was created during the listing"));
    }

    @Test
    void a_chain_may_be_attached_to_links_by_a_prefix_of_their_names() {
        assertThat(links(hook -> hook.string(NfTables.NFTA_HOOK_DEV, "eth0"))).containsExactly("eth0");
        assertThat(links(hook -> hook.nested(
                        NfTables.NFTA_HOOK_DEVS,
                        devices -> devices.string(NfTables.NFTA_DEVICE_NAME, "eth0")
                                .string(NfTables.NFTA_DEVICE_PREFIX, "veth")
                                .bytes(NfTables.NFTA_DEVICE_NAME, new byte[] {'w', 'g'}))))
                .as("Linux 6.16 lists a prefix as a name without a terminating zero")
                .containsExactly("eth0", "veth*", "wg*");
    }

    private static List<String> links(Consumer<AttributeWriter> devices) {
        NetlinkMessage chain = new NetlinkMessage(
                NfTables.SUBSYSTEM | NfTables.NFT_MSG_NEWCHAIN,
                0,
                NfTables.message(KernelTable.NETDEV)
                        .string(NfTables.NFTA_CHAIN_TABLE, "t")
                        .string(NfTables.NFTA_CHAIN_NAME, "c")
                        .nested(
                                NfTables.NFTA_CHAIN_HOOK,
                                devices.andThen(hook ->
                                        hook.be32(NfTables.NFTA_HOOK_HOOKNUM, 0).be32(NfTables.NFTA_HOOK_PRIORITY, 0)))
                        .be32(NfTables.NFTA_CHAIN_POLICY, NfTables.NF_ACCEPT)
                        .string(NfTables.NFTA_CHAIN_TYPE, "filter")
                        .toByteArray());
        return new KernelRulesetDecoder((_, _) -> List.of())
                .decode(
                        List.of(new Rulesets.ListedTable(KernelTable.NETDEV, "t", 0)),
                        List.of(chain),
                        List.of(),
                        List.of(),
                        List.of())
                .tables()
                .getFirst()
                .chain("c")
                .orElseThrow()
                .hook()
                .orElseThrow()
                .links();
    }

    private static byte[] written(List<Expression> expressions) {
        AttributeWriter writer = new AttributeWriter();
        expressions.forEach(expression -> expression.write(writer));
        return writer.toByteArray();
    }

    private static List<String> differences(Table expected, Table actual) {
        return EncodedTable.of(expected).differences(listed(actual));
    }

    /** Returns a table as the kernel would list it. */
    private static EncodedTable listed(Table table) {
        List<NetlinkMessage> sent =
                new RulesetTransaction().create(EncodedTable.of(table)).messages();
        String name = table.id().name();
        List<NetlinkMessage> setMessages = ofType(NfTables.NFT_MSG_NEWSET, sent);
        List<EncodedSet> sets = new ArrayList<>();
        Map<Integer, EncodedSet> byNumber = new HashMap<>();
        for (int i = 0; i < setMessages.size(); i++) {
            EncodedSet set = RulesetDecoder.sets(List.of(setMessages.get(i))).getFirst();
            // The numbers of a transaction's sets begin with 1.
            EncodedSet named = new EncodedSet(
                    set.isAnonymous() ? "__set" + i : set.name(),
                    set.flags(),
                    set.keyType(),
                    set.keyLength(),
                    set.byteOrder(),
                    set.fields(),
                    0,
                    set.elements());
            sets.add(named);
            byNumber.put(i + 1, named);
        }
        for (NetlinkMessage message : ofType(NfTables.NFT_MSG_NEWSETELEM, sent)) {
            EncodedSet set = Objects.requireNonNull(
                    byNumber.get(number(Attributes.parse(message.payload(), 4), NfTables.NFTA_SET_ELEM_LIST_SET_ID)));
            if (set.hasComparedElements()) {
                set.elements().addListed(message.payload());
            }
        }
        Map<String, List<TableRule>> rules = new HashMap<>(RulesetDecoder.rules(sent, name));
        rules.replaceAll((_, ofChain) -> ofChain.stream()
                .map(rule -> new TableRule(
                        rule.handle(),
                        rule.comment(),
                        rule.expressions().stream()
                                .map(expression -> withSetName(expression, byNumber))
                                .toList()))
                .toList());
        assertThat(RulesetDecoder.tables(sent))
                .containsExactly(new Rulesets.ListedTable(table.id().family().number(), name, 0));
        return RulesetDecoder.table(table.id(), 0, RulesetDecoder.chains(sent, name), sets, rules, List.of());
    }

    private static Expression withSetName(Expression expression, Map<Integer, EncodedSet> sets) {
        int number = (int) expression.number(NfTables.NFTA_LOOKUP_SET_ID).orElse(0);
        return expression.name().equals("lookup") && number != 0
                ? expression
                        .without(NfTables.NFTA_LOOKUP_SET_ID)
                        .with(
                                NfTables.NFTA_LOOKUP_SET,
                                Objects.requireNonNull(sets.get(number)).name())
                : expression;
    }

    private static int number(Attributes attributes, int type) {
        return ByteBuffer.wrap(attributes.bytes(type).orElseThrow()).getInt();
    }

    private static List<NetlinkMessage> ofType(int type, List<NetlinkMessage> messages) {
        return messages.stream()
                .filter(message -> message.type() == (NfTables.SUBSYSTEM | type))
                .toList();
    }

    private static NftValue links(String... names) {
        return NftValue.anyOf(Stream.of(names).map(NftValue.Link::new).toList());
    }

    private static NamedSet set(String prefix) {
        return new NamedSet(
                "s", List.of(NamedSet.Part.IPV4), true, List.of(new NftValue.Address(Prefix.parse(prefix))));
    }

    private static Chain chain(Chain.Policy policy) {
        return Chain.filter("c", Chain.Hook.OUTPUT, -10, policy, List.of(NftRule.of("one", Statement.Verdict.ACCEPT)));
    }

    private static Table table(NftRule... rules) {
        return new Table(id(), List.of(), List.of(Chain.regular("c", List.of(rules))));
    }

    private static Table.Id id() {
        return new Table.Id(Table.Family.INET, "t");
    }
}
