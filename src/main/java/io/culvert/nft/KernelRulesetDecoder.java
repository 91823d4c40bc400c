// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.netlink.Attributes;
import io.culvert.netlink.MalformedMessageException;
import io.culvert.netlink.NetlinkMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Decodes the kernel's listings of the tables of all programs. */
final class KernelRulesetDecoder {

    /** {@code NFTA_CHAIN_TABLE}, {@code NFTA_RULE_TABLE}, {@code NFTA_SET_TABLE}, {@code NFTA_FLOWTABLE_TABLE}. */
    private static final int NAME_OF_TABLE = 1;

    private final BiFunction<Rulesets.ListedTable, String, List<NetlinkMessage>> elements;

    /** @param elements lists the elements of the set with this name */
    KernelRulesetDecoder(BiFunction<Rulesets.ListedTable, String, List<NetlinkMessage>> elements) {
        this.elements = elements;
    }

    /** What identifies a table. */
    private record TableName(int family, String name) {

        String fullName() {
            return KernelTable.fullName(family, name);
        }
    }

    /** The objects of a table, as they are listed. */
    private record TableObjects(
            List<Attributes> chains, List<Attributes> rules, List<Attributes> sets, List<Attributes> flowtables) {

        TableObjects() {
            this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }
    }

    /**
     * Decodes listings of all objects of a kind.
     *
     * @return without a generation; a table in which something is malformed is unreadable
     * @throws MalformedMessageException if an object belongs to no table
     */
    KernelRuleset decode(
            List<Rulesets.ListedTable> listed,
            List<NetlinkMessage> chains,
            List<NetlinkMessage> rules,
            List<NetlinkMessage> sets,
            List<NetlinkMessage> flowtables) {
        Map<TableName, TableObjects> objects = new LinkedHashMap<>();
        collect(chains, NfTables.NFT_MSG_NEWCHAIN, objects, TableObjects::chains);
        collect(rules, NfTables.NFT_MSG_NEWRULE, objects, TableObjects::rules);
        collect(sets, NfTables.NFT_MSG_NEWSET, objects, TableObjects::sets);
        collect(flowtables, NfTables.NFT_MSG_NEWFLOWTABLE, objects, TableObjects::flowtables);
        List<KernelTable> tables = new ArrayList<>();
        List<KernelRuleset.Unreadable> unreadable = new ArrayList<>();
        for (Rulesets.ListedTable table : listed) {
            TableObjects parts = objects.remove(new TableName(table.family(), table.name()));
            try {
                tables.add(table(table, parts == null ? new TableObjects() : parts));
            } catch (MalformedMessageException e) {
                unreadable.add(
                        new KernelRuleset.Unreadable(table.fullName(), Objects.requireNonNullElse(e.getMessage(), "")));
            }
        }
        objects.keySet()
                .forEach(table -> unreadable.add(
                        new KernelRuleset.Unreadable(table.fullName(), "was created during the listing")));
        return new KernelRuleset(Optional.empty(), tables, unreadable);
    }

    private static void collect(
            List<NetlinkMessage> messages,
            int type,
            Map<TableName, TableObjects> tables,
            Function<TableObjects, List<Attributes>> kind) {
        for (NetlinkMessage message : messages) {
            if (RulesetDecoder.isOf(message, type)) {
                Attributes object = Attributes.parse(message.payload(), NfTables.HEADER_LENGTH);
                TableName table = new TableName(message.payload()[0], RulesetDecoder.string(object, NAME_OF_TABLE));
                kind.apply(tables.computeIfAbsent(table, _ -> new TableObjects()))
                        .add(object);
            }
        }
    }

    private KernelTable table(Rulesets.ListedTable table, TableObjects objects) {
        Map<String, List<TableRule>> rules = RulesetDecoder.rules(objects.rules());
        List<KernelChain> chains = new ArrayList<>();
        for (Attributes chain : objects.chains()) {
            String name = RulesetDecoder.string(chain, NfTables.NFTA_CHAIN_NAME);
            List<TableRule> ofChain = rules.remove(name);
            chains.add(new KernelChain(
                    name,
                    chain.has(NfTables.NFTA_CHAIN_HOOK) ? Optional.of(hook(chain)) : Optional.empty(),
                    ofChain == null ? List.of() : ofChain));
        }
        if (!rules.isEmpty()) {
            throw new MalformedMessageException("rules of a chain that is not listed");
        }
        return new KernelTable(
                table.family(),
                table.name(),
                (table.flags() & NfTables.NFT_TABLE_F_DORMANT) != 0,
                chains,
                objects.sets().stream()
                        .map(RulesetDecoder::set)
                        .map(set -> set(set, elements.apply(table, set.name())))
                        .toList(),
                objects.flowtables().stream()
                        .map(flowtable -> RulesetDecoder.string(flowtable, NfTables.NFTA_FLOWTABLE_NAME))
                        .toList());
    }

    private static KernelChain.Hook hook(Attributes chain) {
        Attributes hook = chain.nested(NfTables.NFTA_CHAIN_HOOK);
        List<String> links = new ArrayList<>();
        hook.string(NfTables.NFTA_HOOK_DEV).ifPresent(links::add);
        for (Attributes.Attribute device : hook.nested(NfTables.NFTA_HOOK_DEVS).all()) {
            links.add(linkName(device));
        }
        return new KernelChain.Hook(
                RulesetDecoder.string(chain, NfTables.NFTA_CHAIN_TYPE),
                number(hook, NfTables.NFTA_HOOK_HOOKNUM),
                number(hook, NfTables.NFTA_HOOK_PRIORITY),
                number(chain, NfTables.NFTA_CHAIN_POLICY) == NfTables.NF_ACCEPT,
                links.stream().distinct().toList());
    }

    /** Returns a link's name, or a prefix of names with an asterisk, which Linux 6.16 lists without a terminating zero. */
    private static String linkName(Attributes.Attribute device) {
        byte[] name = device.value();
        int length = 0;
        while (length < name.length && name[length] != 0) {
            length++;
        }
        String text = new String(name, 0, length, StandardCharsets.UTF_8);
        return switch (device.type()) {
            case NfTables.NFTA_DEVICE_NAME -> length == name.length ? text + '*' : text;
            case NfTables.NFTA_DEVICE_PREFIX -> text + '*';
            default -> throw new MalformedMessageException("a hook has a device of type " + device.type());
        };
    }

    private static KernelSet set(EncodedSet set, List<NetlinkMessage> elements) {
        ElementDecoder decoder = new ElementDecoder(set);
        for (NetlinkMessage message : elements) {
            if (RulesetDecoder.isOf(message, NfTables.NFT_MSG_NEWSETELEM)) {
                decoder.add(message.payload());
            }
        }
        return new KernelSet(
                set.name(),
                set.keyLength(),
                decoder.fields(),
                (set.flags() & (NfTables.NFT_SET_MAP | NfTables.NFT_SET_OBJECT)) != 0,
                (set.flags() & NfTables.NFT_SET_EVAL) != 0,
                decoder.elements());
    }

    private static int number(Attributes attributes, int type) {
        return attributes
                .bytes(type)
                .filter(value -> value.length == Integer.BYTES)
                .map(value -> ByteBuffer.wrap(value).getInt())
                .orElseThrow(() -> new MalformedMessageException("number " + type + " is missing"));
    }
}
