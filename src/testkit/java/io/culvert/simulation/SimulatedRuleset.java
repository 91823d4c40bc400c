// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import static io.culvert.nft.NfTables.*;

import io.culvert.linux.Errno;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.Attributes.Attribute;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket.Outcome;
import io.culvert.netlink.NetlinkSocket.Refusal;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The tables of nftables as the kernel keeps them, and its answers to nfnetlink (net/netfilter/nf_tables_api.c). */
final class SimulatedRuleset {

    private static final int HEADER = HEADER_LENGTH;

    /** {@code NFTA_LOOKUP_SET_ID}: the number of a set that the same transaction creates. */
    private static final int SET_ID = NFTA_LOOKUP_SET_ID;

    record Chain(String name, List<Attribute> attributes) {}

    @SuppressWarnings("ArrayRecordComponent") // Never changed.
    record Rule(String chain, long handle, byte[] expressions, byte[] userData) {}

    record KernelSet(String name, List<Attribute> attributes, List<byte[]> elements) {

        KernelSet with(byte[] more) {
            List<byte[]> all = new ArrayList<>(elements);
            all.add(more);
            return new KernelSet(name, attributes, all);
        }
    }

    /** A table; never changed, so that a transaction can be undone. */
    record KernelTable(
            int family,
            String name,
            int flags,
            int owner,
            List<Chain> chains,
            List<KernelSet> sets,
            List<Rule> rules,
            long hash) {

        boolean is(int otherFamily, String otherName) {
            return family == otherFamily && name.equals(otherName);
        }
    }

    private List<KernelTable> tables = new ArrayList<>();
    private int generation = 1;

    List<KernelTable> tables() {
        return tables;
    }

    boolean has(String name) {
        return tables.stream().anyMatch(table -> table.name.equals(name));
    }

    /** Removes a table at once, as another program does. */
    boolean remove(String name) {
        List<KernelTable> rest = new ArrayList<>(tables);
        boolean removed = rest.removeIf(table -> table.name.equals(name));
        if (removed) {
            tables = rest;
            generation++;
        }
        return removed;
    }

    /** Removes the tables that a socket owns, as its closing does. */
    boolean closeOwner(int port) {
        List<KernelTable> rest = new ArrayList<>(tables);
        boolean removed = rest.removeIf(table -> table.owner == port);
        if (removed) {
            tables = rest;
            generation++;
        }
        return removed;
    }

    /** Removes one rule of a table, as another program does. */
    boolean removeRule(String name, int number) {
        List<KernelTable> changed = new ArrayList<>(tables);
        for (int i = 0; i < changed.size(); i++) {
            KernelTable table = changed.get(i);
            if (table.name.equals(name) && !table.rules.isEmpty()) {
                List<Rule> rules = new ArrayList<>(table.rules);
                rules.remove(number % rules.size());
                changed.set(
                        i, build(table.family, table.name, table.flags, table.owner, table.chains, table.sets, rules));
                tables = changed;
                generation++;
                return true;
            }
        }
        return false;
    }

    /** A transaction on a copy. */
    private static final class Draft {
        final int family;
        final String name;
        final int flags;
        final int owner;
        final List<Chain> chains = new ArrayList<>();
        final List<KernelSet> sets = new ArrayList<>();
        final List<Rule> rules = new ArrayList<>();
        final Map<Integer, String> setNames = new HashMap<>();

        Draft(int family, String name, int flags, int owner) {
            this.family = family;
            this.name = name;
            this.flags = flags;
            this.owner = owner;
        }
    }

    /**
     * Carries out a transaction.
     *
     * @param port of the socket
     */
    Optional<Refusal> execute(List<NetlinkMessage> batch, int port) {
        List<KernelTable> result = new ArrayList<>(tables);
        Map<String, Draft> drafts = new HashMap<>();
        for (int i = 1; i < batch.size() - 1; i++) {
            NetlinkMessage message = batch.get(i);
            int errno = apply(message, port, result, drafts);
            if (errno != 0) {
                return Optional.of(new Refusal(i, new Outcome(errno, "", -1)));
            }
        }
        drafts.values().forEach(draft -> result.add(build(draft)));
        tables = result;
        generation++;
        return Optional.empty();
    }

    private static KernelTable build(Draft draft) {
        return build(
                draft.family,
                draft.name,
                draft.flags,
                draft.owner,
                List.copyOf(draft.chains),
                List.copyOf(draft.sets),
                List.copyOf(draft.rules));
    }

    private static KernelTable build(
            int family, String name, int flags, int owner, List<Chain> chains, List<KernelSet> sets, List<Rule> rules) {
        long hash = StateHash.of(name.hashCode(), family, flags);
        for (Chain chain : chains) {
            hash = StateHash.of(hash, 1, chain.name.hashCode());
            for (Attribute attribute : chain.attributes) {
                hash = StateHash.of(hash, attribute.type(), StateHash.of(attribute.value()));
            }
        }
        for (KernelSet set : sets) {
            hash = StateHash.of(hash, 2, set.name.hashCode());
            for (byte[] elements : set.elements) {
                hash = StateHash.of(hash, StateHash.of(elements));
            }
        }
        for (Rule rule : rules) {
            hash = StateHash.of(hash, 3, rule.chain.hashCode(), StateHash.of(rule.expressions));
        }
        return new KernelTable(family, name, flags, owner, chains, sets, rules, hash);
    }

    private int apply(NetlinkMessage message, int port, List<KernelTable> result, Map<String, Draft> drafts) {
        byte[] payload = message.payload();
        int family = payload[0];
        Attributes attributes = Attributes.parse(payload, HEADER);
        String tableName = attributes.string(1).orElse("");
        String key = family + " " + tableName;
        Draft draft = drafts.get(key);
        switch (message.type() & 0xff) {
            case NFT_MSG_NEWTABLE -> {
                Optional<KernelTable> existing = result.stream()
                        .filter(table -> table.is(family, tableName))
                        .findFirst();
                if (existing.isPresent() || draft != null) {
                    if (existing.isPresent() && existing.get().owner != 0 && existing.get().owner != port) {
                        return Errno.EPERM;
                    }
                    return (message.flags() & NetlinkMessage.NLM_F_EXCL) != 0 ? Errno.EEXIST : 0;
                }
                int flags = (int) be(attributes, NFTA_TABLE_FLAGS);
                drafts.put(key, new Draft(family, tableName, flags, (flags & NFT_TABLE_F_OWNER) != 0 ? port : 0));
            }
            case NFT_MSG_DELTABLE -> {
                if (draft != null) {
                    drafts.remove(key);
                    return 0;
                }
                Optional<KernelTable> existing = result.stream()
                        .filter(table -> table.is(family, tableName))
                        .findFirst();
                if (existing.isEmpty()) {
                    return Errno.ENOENT;
                }
                if (existing.get().owner != 0 && existing.get().owner != port) {
                    return Errno.EPERM;
                }
                result.remove(existing.get());
            }
            case NFT_MSG_NEWCHAIN -> {
                if (draft == null) {
                    return Errno.ENOENT;
                }
                draft.chains.add(new Chain(attributes.string(NFTA_CHAIN_NAME).orElseThrow(), attributes.all()));
            }
            case NFT_MSG_NEWSET -> {
                if (draft == null) {
                    return Errno.ENOENT;
                }
                String name = attributes.string(NFTA_SET_NAME).orElseThrow();
                String actual = name.replace("%d", String.valueOf(draft.sets.size()));
                draft.setNames.put((int) be(attributes, NFTA_SET_ID), actual);
                List<Attribute> kept = attributes.all().stream()
                        .filter(it -> it.type() != NFTA_SET_ID && it.type() != NFTA_SET_NAME)
                        .toList();
                draft.sets.add(new KernelSet(actual, kept, List.of()));
            }
            case NFT_MSG_NEWSETELEM -> {
                byte[] elements = attributes.bytes(NFTA_SET_ELEM_LIST_ELEMENTS).orElse(new byte[0]);
                String named = attributes.string(NFTA_SET_ELEM_LIST_SET).orElseThrow();
                if (draft == null) {
                    return addElements(result, family, tableName, named, elements);
                }
                String name = attributes.has(NFTA_SET_ELEM_LIST_SET_ID)
                        ? draft.setNames.getOrDefault((int) be(attributes, NFTA_SET_ELEM_LIST_SET_ID), named)
                        : named;
                for (int i = 0; i < draft.sets.size(); i++) {
                    if (draft.sets.get(i).name.equals(name)) {
                        draft.sets.set(i, draft.sets.get(i).with(elements));
                        return 0;
                    }
                }
                return Errno.ENOENT;
            }
            case NFT_MSG_NEWRULE -> {
                if (draft == null) {
                    return Errno.ENOENT;
                }
                draft.rules.add(new Rule(
                        attributes.string(NFTA_RULE_CHAIN).orElseThrow(),
                        draft.rules.size() + 1,
                        withSetNames(attributes.bytes(NFTA_RULE_EXPRESSIONS).orElse(new byte[0]), draft.setNames),
                        attributes.bytes(NFTA_RULE_USERDATA).orElse(new byte[0])));
            }
            default -> throw new IllegalArgumentException("nftables request " + (message.type() & 0xff));
        }
        return 0;
    }

    private static int addElements(List<KernelTable> tables, int family, String table, String set, byte[] elements) {
        for (int i = 0; i < tables.size(); i++) {
            KernelTable existing = tables.get(i);
            if (existing.is(family, table)) {
                List<KernelSet> sets = new ArrayList<>(existing.sets);
                for (int j = 0; j < sets.size(); j++) {
                    if (sets.get(j).name.equals(set)) {
                        sets.set(j, sets.get(j).with(elements));
                        tables.set(
                                i,
                                build(
                                        family,
                                        table,
                                        existing.flags,
                                        existing.owner,
                                        existing.chains,
                                        sets,
                                        existing.rules));
                        return 0;
                    }
                }
            }
        }
        return Errno.ENOENT;
    }

    /** Names the sets that the transaction has created, as the kernel does in its listing. */
    private static byte[] withSetNames(byte[] expressions, Map<Integer, String> names) {
        AttributeWriter writer = AttributeWriter.after(new byte[0]);
        for (Attribute element : Attributes.parse(expressions, 0).all()) {
            Attributes expression = Attributes.parse(element.value(), 0);
            if (!expression.string(NFTA_EXPR_NAME).orElse("").equals("lookup")
                    || !expression.nested(NFTA_EXPR_DATA).has(SET_ID)) {
                writer.bytes(element.type(), element.value());
                continue;
            }
            writer.nested(element.type(), content -> {
                content.string(NFTA_EXPR_NAME, "lookup");
                content.nested(NFTA_EXPR_DATA, data -> {
                    Attributes lookup = expression.nested(NFTA_EXPR_DATA);
                    int id = (int) be(lookup, SET_ID);
                    for (Attribute attribute : lookup.all()) {
                        if (attribute.type() == NFTA_LOOKUP_SET) {
                            data.string(NFTA_LOOKUP_SET, names.getOrDefault(id, ""));
                        } else if (attribute.type() != SET_ID) {
                            data.bytes(attribute.type(), attribute.value());
                        }
                    }
                });
            });
        }
        return writer.toByteArray();
    }

    private static long be(Attributes attributes, int type) {
        return attributes
                .bytes(type)
                .map(bytes -> (long) ByteBuffer.wrap(bytes).getInt())
                .orElse(0L);
    }

    // Listings

    List<NetlinkMessage> query(NetlinkMessage request) {
        return List.of(
                message(NFT_MSG_NEWGEN, AttributeWriter.after(new byte[HEADER]).be32(NFTA_GEN_ID, generation)));
    }

    /** Returns the listing, or nothing where the kernel does not have what is asked for. */
    Optional<List<NetlinkMessage>> dump(NetlinkMessage request) {
        int family = request.payload()[0];
        Attributes attributes = Attributes.parse(request.payload(), HEADER);
        String wanted = attributes.string(1).orElse("");
        List<NetlinkMessage> messages = new ArrayList<>();
        int type = request.type() & 0xff;
        if (type == NFT_MSG_GETSETELEM) {
            return elements(
                    family, wanted, attributes.string(NFTA_SET_ELEM_LIST_SET).orElse(""));
        }
        if (type == NFT_MSG_GETSET && !wanted.isEmpty() && tables.stream().noneMatch(it -> it.is(family, wanted))) {
            return Optional.empty();
        }
        for (KernelTable table : tables) {
            if ((family != 0 && table.family != family) || (!wanted.isEmpty() && !table.name.equals(wanted))) {
                continue;
            }
            switch (type) {
                case NFT_MSG_GETTABLE ->
                    messages.add(message(
                            NFT_MSG_NEWTABLE,
                            start(table.family)
                                    .string(NFTA_TABLE_NAME, table.name)
                                    .be32(NFTA_TABLE_FLAGS, table.flags)));
                case NFT_MSG_GETCHAIN -> table.chains.forEach(chain -> messages.add(listing(table, chain)));
                case NFT_MSG_GETRULE -> table.rules.forEach(rule -> messages.add(listing(table, rule)));
                case NFT_MSG_GETSET -> table.sets.forEach(set -> messages.add(listing(table, set)));
                default -> {}
            }
        }
        return Optional.of(messages);
    }

    private Optional<List<NetlinkMessage>> elements(int family, String table, String name) {
        return tables.stream()
                .filter(it -> it.is(family, table))
                .flatMap(it -> it.sets.stream())
                .filter(set -> set.name.equals(name))
                .findFirst()
                .map(set -> set.elements.stream()
                        .map(elements -> message(
                                NFT_MSG_NEWSETELEM,
                                start(family)
                                        .string(NFTA_SET_ELEM_LIST_TABLE, table)
                                        .string(NFTA_SET_ELEM_LIST_SET, name)
                                        .bytes(NFTA_SET_ELEM_LIST_ELEMENTS, elements)))
                        .toList());
    }

    private static AttributeWriter start(int family) {
        return AttributeWriter.after(new byte[] {(byte) family, 0, 0, 0});
    }

    private static NetlinkMessage message(int type, AttributeWriter writer) {
        return new NetlinkMessage(SUBSYSTEM | type, NetlinkMessage.NLM_F_MULTI, writer.toByteArray());
    }

    private static NetlinkMessage listing(KernelTable table, Chain chain) {
        AttributeWriter writer = start(table.family);
        chain.attributes.forEach(attribute -> writer.bytes(attribute.type(), attribute.value()));
        if (chain.attributes.stream().anyMatch(attribute -> attribute.type() == NFTA_CHAIN_HOOK)) {
            writer.be32(NFTA_CHAIN_FLAGS, NFT_CHAIN_BASE);
        }
        return message(NFT_MSG_NEWCHAIN, writer);
    }

    private static NetlinkMessage listing(KernelTable table, Rule rule) {
        return message(
                NFT_MSG_NEWRULE,
                start(table.family)
                        .string(NFTA_RULE_TABLE, table.name)
                        .string(NFTA_RULE_CHAIN, rule.chain)
                        .be64(NFTA_RULE_HANDLE, rule.handle)
                        .bytes(NFTA_RULE_EXPRESSIONS, rule.expressions)
                        .bytes(NFTA_RULE_USERDATA, rule.userData));
    }

    private static NetlinkMessage listing(KernelTable table, KernelSet set) {
        AttributeWriter writer = start(table.family);
        set.attributes.forEach(attribute -> writer.bytes(attribute.type(), attribute.value()));
        return message(NFT_MSG_NEWSET, writer.string(NFTA_SET_NAME, set.name));
    }

    /** Returns a number that is the same for the same rules, and hardly ever for others. */
    long hash() {
        long hash = 0;
        for (KernelTable table : tables) {
            hash += StateHash.of(table.hash);
        }
        return hash;
    }
}
