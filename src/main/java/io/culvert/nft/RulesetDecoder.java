// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.netlink.Attributes;
import io.culvert.netlink.MalformedMessageException;
import io.culvert.netlink.NetlinkMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Decodes the kernel's listings of rulesets. Messages of another type are ignored.
 *
 * <p>Every method throws a {@link MalformedMessageException} if a message is in another format than the kernel's.
 */
final class RulesetDecoder {

    /** {@code NFT_DATA_VALUE_MAXLEN} (include/uapi/linux/netfilter/nf_tables.h). */
    private static final int MAX_KEY_LENGTH = 64;

    private RulesetDecoder() {}

    static Optional<Integer> generation(List<NetlinkMessage> messages) {
        return attributes(messages, NfTables.NFT_MSG_NEWGEN).stream()
                .flatMap(generation -> generation.bytes(NfTables.NFTA_GEN_ID).stream())
                .filter(id -> id.length == Integer.BYTES)
                .map(id -> ByteBuffer.wrap(id).getInt())
                .findFirst();
    }

    static List<Rulesets.ListedTable> tables(List<NetlinkMessage> messages) {
        return messages.stream()
                .filter(message -> isOf(message, NfTables.NFT_MSG_NEWTABLE))
                .map(message -> {
                    Attributes table = Attributes.parse(message.payload(), NfTables.HEADER_LENGTH);
                    return new Rulesets.ListedTable(
                            message.payload()[0],
                            string(table, NfTables.NFTA_TABLE_NAME),
                            number(table, NfTables.NFTA_TABLE_FLAGS, 0));
                })
                .toList();
    }

    /** Returns the chains of a table, without their rules. */
    static List<EncodedChain> chains(List<NetlinkMessage> messages, String table) {
        return objects(messages, NfTables.NFT_MSG_NEWCHAIN, NfTables.NFTA_CHAIN_TABLE, table, RulesetDecoder::chain);
    }

    private static EncodedChain chain(Attributes chain) {
        return new EncodedChain(
                string(chain, NfTables.NFTA_CHAIN_NAME),
                chain.has(NfTables.NFTA_CHAIN_HOOK) ? Optional.of(hook(chain)) : Optional.empty(),
                number(chain, NfTables.NFTA_CHAIN_FLAGS, 0) & ~NfTables.NFT_CHAIN_BASE,
                List.of());
    }

    private static EncodedChain.Hook hook(Attributes chain) {
        Attributes hook = chain.nested(NfTables.NFTA_CHAIN_HOOK);
        return new EncodedChain.Hook(
                string(chain, NfTables.NFTA_CHAIN_TYPE),
                number(hook, NfTables.NFTA_HOOK_HOOKNUM, -1),
                number(hook, NfTables.NFTA_HOOK_PRIORITY, 0),
                number(chain, NfTables.NFTA_CHAIN_POLICY, -1));
    }

    /** Returns sets without their elements. */
    static List<EncodedSet> sets(List<NetlinkMessage> messages) {
        return attributes(messages, NfTables.NFT_MSG_NEWSET).stream()
                .map(RulesetDecoder::set)
                .toList();
    }

    static EncodedSet set(Attributes set) {
        int keyLength = number(set, NfTables.NFTA_SET_KEY_LEN, 0);
        if (keyLength < 1 || keyLength > MAX_KEY_LENGTH) {
            throw new MalformedMessageException("a set's key has " + keyLength + " bytes");
        }
        List<Integer> fields = set.nested(NfTables.NFTA_SET_DESC).nested(NfTables.NFTA_SET_DESC_CONCAT).all().stream()
                .map(field -> number(Attributes.parse(field.value(), 0), NfTables.NFTA_SET_FIELD_LEN, 0))
                .toList();
        return new EncodedSet(
                string(set, NfTables.NFTA_SET_NAME),
                number(set, NfTables.NFTA_SET_FLAGS, 0),
                number(set, NfTables.NFTA_SET_KEY_TYPE, 0),
                keyLength,
                EncodedSet.KeyOrder.MIXED,
                fields,
                0,
                new SetElements(keyLength, !fields.isEmpty()));
    }

    /** Returns the values of a map's elements, in the order of a register. */
    static List<byte[]> mapValues(List<NetlinkMessage> messages) {
        return attributes(messages, NfTables.NFT_MSG_NEWSETELEM).stream()
                .flatMap(list -> list.nested(NfTables.NFTA_SET_ELEM_LIST_ELEMENTS).all().stream())
                .flatMap(
                        element -> Attributes.parse(element.value(), 0)
                                .nested(NfTables.NFTA_SET_ELEM_DATA)
                                .bytes(NfTables.NFTA_DATA_VALUE)
                                .stream())
                .toList();
    }

    /** Returns the rules of a table by chain, in order. */
    static Map<String, List<TableRule>> rules(List<NetlinkMessage> messages, String table) {
        return rules(objects(messages, NfTables.NFT_MSG_NEWRULE, NfTables.NFTA_RULE_TABLE, table, Function.identity()));
    }

    static Map<String, List<TableRule>> rules(List<Attributes> listed) {
        Map<String, List<TableRule>> rules = new LinkedHashMap<>();
        for (Attributes rule : listed) {
            rules.computeIfAbsent(string(rule, NfTables.NFTA_RULE_CHAIN), _ -> new ArrayList<>())
                    .add(rule(rule));
        }
        return rules;
    }

    private static TableRule rule(Attributes rule) {
        return new TableRule(
                rule.bytes(NfTables.NFTA_RULE_HANDLE)
                        .filter(handle -> handle.length == Long.BYTES)
                        .map(handle -> ByteBuffer.wrap(handle).getLong())
                        .orElse(0L),
                rule.bytes(NfTables.NFTA_RULE_USERDATA)
                        .map(RulesetDecoder::comment)
                        .orElse(""),
                rule.bytes(NfTables.NFTA_RULE_EXPRESSIONS)
                        .map(Expression::parse)
                        .orElse(List.of()));
    }

    private static String comment(byte[] userData) {
        int position = 0;
        while (position + 2 <= userData.length) {
            int length = Math.min(Byte.toUnsignedInt(userData[position + 1]), userData.length - position - 2);
            if (userData[position] == RulesetTransaction.COMMENT) {
                return new String(userData, position + 2, length, StandardCharsets.UTF_8).split("\0", 2)[0];
            }
            position += 2 + length;
        }
        return "";
    }

    /** Returns the stateful objects of a table, such as named counters. */
    static List<String> objects(List<NetlinkMessage> messages, String table) {
        return objects(
                messages,
                NfTables.NFT_MSG_NEWOBJ,
                NfTables.NFTA_OBJ_TABLE,
                table,
                object -> "object " + string(object, NfTables.NFTA_OBJ_NAME));
    }

    static List<String> flowtables(List<NetlinkMessage> messages, String table) {
        return objects(
                messages,
                NfTables.NFT_MSG_NEWFLOWTABLE,
                NfTables.NFTA_FLOWTABLE_TABLE,
                table,
                object -> "flowtable " + string(object, NfTables.NFTA_FLOWTABLE_NAME));
    }

    /** Puts the parts of a table together. */
    static EncodedTable table(
            Table.Id id,
            int flags,
            List<EncodedChain> chains,
            List<EncodedSet> sets,
            Map<String, List<TableRule>> rules,
            List<String> others) {
        Map<String, EncodedSet> named = new TreeMap<>();
        Map<String, EncodedSet> anonymous = new HashMap<>();
        List<String> unknown = new ArrayList<>();
        for (EncodedSet set : sets) {
            if (set.isAnonymous()) {
                anonymous.put(set.name(), set);
            } else if ((set.flags() & NfTables.NFT_SET_MAP) != 0) {
                unknown.add("map " + set.name());
            } else {
                named.put(set.name(), set);
            }
        }
        unknown.addAll(others);
        Map<String, List<EncodedRule>> rulesByChain = new HashMap<>();
        rules.forEach((chain, listed) -> rulesByChain.put(
                chain,
                listed.stream()
                        .map(rule -> EncodedRule.listed(rule.comment(), rule.expressions(), anonymous))
                        .toList()));
        Map<String, EncodedChain> chainsByName = new TreeMap<>();
        for (EncodedChain chain : chains) {
            chainsByName.put(
                    chain.name(),
                    new EncodedChain(
                            chain.name(),
                            chain.hook(),
                            chain.flags(),
                            rulesByChain.getOrDefault(chain.name(), List.of())));
        }
        return new EncodedTable(id, flags, named, chainsByName, unknown);
    }

    private static <T> List<T> objects(
            List<NetlinkMessage> messages,
            int type,
            int tableAttribute,
            String table,
            Function<Attributes, T> decoder) {
        return attributes(messages, type).stream()
                .filter(object -> table.equals(string(object, tableAttribute)))
                .map(decoder)
                .toList();
    }

    private static List<Attributes> attributes(List<NetlinkMessage> messages, int type) {
        return messages.stream()
                .filter(message -> isOf(message, type))
                .map(message -> Attributes.parse(message.payload(), NfTables.HEADER_LENGTH))
                .toList();
    }

    static boolean isOf(NetlinkMessage message, int type) {
        return message.type() == (NfTables.SUBSYSTEM | type) && message.payload().length >= NfTables.HEADER_LENGTH;
    }

    static String string(Attributes attributes, int type) {
        return attributes
                .string(type)
                .orElseThrow(() -> new MalformedMessageException("attribute " + type + " is missing"));
    }

    private static int number(Attributes attributes, int type, int defaultValue) {
        return attributes
                .bytes(type)
                .filter(value -> value.length == Integer.BYTES)
                .map(value -> ByteBuffer.wrap(value).getInt())
                .orElse(defaultValue);
    }
}
