// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.linux.Errno;
import io.culvert.linux.SystemCallException;
import io.culvert.netlink.AttributeReader;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Changes of rulesets that the kernel carries out together or not at all. */
final class RulesetTransaction {

    /** include/uapi/linux/netfilter/nfnetlink.h. */
    private static final int NFNL_MSG_BATCH_BEGIN = 0x10;

    private static final int NFNL_MSG_BATCH_END = 0x11;

    /** {@code NLMSG_HDRLEN} (include/uapi/linux/netlink.h). */
    private static final int MESSAGE_HEADER_LENGTH = 16;

    /** {@code NFTNL_UDATA_RULE_COMMENT}, {@code NFTNL_UDATA_SET_KEYBYTEORDER} (libnftnl: udata.h). */
    static final int COMMENT = 0;

    private static final int KEY_BYTE_ORDER = 0;

    /**
     * A change that the kernel refused.
     *
     * @param what the object in question, such as {@code the chain output}
     */
    record Refusal(String what, Outcome outcome) {

        int errno() {
            return outcome.errno();
        }

        /** Returns the reason, with the kernel's own message if there is one. */
        String reason() {
            return Errno.describe(errno()) + (outcome.message().isEmpty() ? "" : ": " + outcome.message());
        }

        @Override
        public String toString() {
            return what + ": " + reason();
        }
    }

    private final List<NetlinkMessage> messages = new ArrayList<>();

    /** What each message is about. */
    private final List<String> objects = new ArrayList<>();

    private int lastSetId;

    RulesetTransaction() {
        addBatchMessage(NFNL_MSG_BATCH_BEGIN);
    }

    RulesetTransaction delete(Table.Id table) {
        add(
                NfTables.NFT_MSG_DELTABLE,
                0,
                "the table " + table,
                message(table).string(NfTables.NFTA_TABLE_NAME, table.name()));
        return this;
    }

    /** Creates a table without sets and chains. */
    RulesetTransaction create(Table.Id table, int flags, int messageFlags) {
        add(
                NfTables.NFT_MSG_NEWTABLE,
                messageFlags,
                "the table " + table,
                message(table).string(NfTables.NFTA_TABLE_NAME, table.name()).be32(NfTables.NFTA_TABLE_FLAGS, flags));
        return this;
    }

    /** Creates a table with everything in it. */
    RulesetTransaction create(EncodedTable table) {
        create(table.id(), table.flags(), NetlinkMessage.NLM_F_CREATE);
        table.chains().values().forEach(chain -> create(table.id(), chain));
        table.sets().values().forEach(set -> create(table.id(), set, "the set " + set.name()));
        table.chains().forEach((name, chain) -> chain.rules().forEach(rule -> append(table.id(), name, rule)));
        return this;
    }

    private void create(Table.Id table, EncodedChain chain) {
        AttributeWriter writer = message(table)
                .string(NfTables.NFTA_CHAIN_TABLE, table.name())
                .string(NfTables.NFTA_CHAIN_NAME, chain.name());
        chain.hook().ifPresent(hook -> {
            writer.string(NfTables.NFTA_CHAIN_TYPE, hook.type()).be32(NfTables.NFTA_CHAIN_POLICY, hook.policy());
            int start = writer.begin(NfTables.NFTA_CHAIN_HOOK);
            writer.be32(NfTables.NFTA_HOOK_HOOKNUM, hook.number())
                    .be32(NfTables.NFTA_HOOK_PRIORITY, hook.priority())
                    .end(start);
        });
        add(NfTables.NFT_MSG_NEWCHAIN, NetlinkMessage.NLM_F_CREATE, "the chain " + chain.name(), writer);
    }

    /** @return the number of the set in this transaction */
    private int create(Table.Id table, EncodedSet set, String object) {
        int id = ++lastSetId;
        AttributeWriter writer = message(table)
                .string(NfTables.NFTA_SET_TABLE, table.name())
                .string(NfTables.NFTA_SET_NAME, set.name())
                .be32(NfTables.NFTA_SET_FLAGS, set.flags())
                .be32(NfTables.NFTA_SET_KEY_TYPE, set.keyType())
                .be32(NfTables.NFTA_SET_KEY_LEN, set.keyLength())
                .be32(NfTables.NFTA_SET_ID, id);
        writeDescription(writer, set);
        writer.bytes(
                NfTables.NFTA_SET_USERDATA,
                userData(KEY_BYTE_ORDER, KeyType.hostBytes(set.byteOrder().number())));
        add(NfTables.NFT_MSG_NEWSET, NetlinkMessage.NLM_F_CREATE, object, writer);
        addElements(table, set, id, object, 0, set.elements().size());
        return id;
    }

    /** Adds elements to an existing set, from an index to the one before another. */
    RulesetTransaction addElements(Table.Id table, EncodedSet set, int from, int to) {
        addElements(table, set, 0, "the set " + set.name(), from, to);
        return this;
    }

    private void addElements(Table.Id table, EncodedSet set, int id, String object, int from, int to) {
        int next = from;
        while (next < to) {
            AttributeWriter writer = message(table)
                    .string(NfTables.NFTA_SET_ELEM_LIST_TABLE, table.name())
                    .string(NfTables.NFTA_SET_ELEM_LIST_SET, set.name());
            if (id != 0) {
                writer.be32(NfTables.NFTA_SET_ELEM_LIST_SET_ID, id);
            }
            next = set.elements().write(writer, next, to, set.timeout());
            add(NfTables.NFT_MSG_NEWSETELEM, NetlinkMessage.NLM_F_CREATE, object, writer);
        }
    }

    private static void writeDescription(AttributeWriter writer, EncodedSet set) {
        int description = writer.begin(NfTables.NFTA_SET_DESC);
        if (set.isAnonymous()) {
            writer.be32(NfTables.NFTA_SET_DESC_SIZE, set.elements().size());
        }
        if (!set.fields().isEmpty()) {
            int concatenation = writer.begin(NfTables.NFTA_SET_DESC_CONCAT);
            for (int length : set.fields()) {
                int field = writer.begin(NfTables.NFTA_LIST_ELEM);
                writer.be32(NfTables.NFTA_SET_FIELD_LEN, length).end(field);
            }
            writer.end(concatenation);
        }
        writer.end(description);
    }

    private void append(Table.Id table, String chain, EncodedRule rule) {
        String object = rule.describe(chain);
        AttributeWriter writer =
                message(table).string(NfTables.NFTA_RULE_TABLE, table.name()).string(NfTables.NFTA_RULE_CHAIN, chain);
        int list = writer.begin(NfTables.NFTA_RULE_EXPRESSIONS);
        int nextSet = 0;
        for (Expression expression : rule.expressions()) {
            if (EncodedRule.isAnonymousLookup(expression)) {
                int id = create(table, rule.sets().get(nextSet++), object);
                expression.with(NfTables.NFTA_LOOKUP_SET_ID, id).write(writer);
            } else {
                expression.write(writer);
            }
        }
        writer.end(list);
        writer.bytes(
                NfTables.NFTA_RULE_USERDATA,
                userData(COMMENT, (rule.comment() + '\0').getBytes(StandardCharsets.UTF_8)));
        add(NfTables.NFT_MSG_NEWRULE, NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_APPEND, object, writer);
    }

    /** Returns user data as libnftnl stores it: type, length, value. */
    private static byte[] userData(int type, byte[] value) {
        byte[] data = new byte[2 + value.length];
        data[0] = (byte) type;
        data[1] = (byte) value.length;
        System.arraycopy(value, 0, data, 2, value.length);
        return data;
    }

    private static AttributeWriter message(Table.Id table) {
        return NfTables.message(table.family().number());
    }

    private void add(int type, int flags, String object, AttributeWriter writer) {
        messages.add(new NetlinkMessage(NfTables.SUBSYSTEM | type, flags, writer.toByteArray()));
        objects.add(object);
    }

    private void addBatchMessage(int type) {
        // The subsystem of a batch is in its header, in network byte order.
        messages.add(new NetlinkMessage(type, 0, new byte[] {0, 0, 0, NfTables.SUBSYSTEM >> 8}));
        objects.add("the transaction");
    }

    /** Returns the messages, with those that begin and end the transaction. */
    List<NetlinkMessage> messages() {
        List<NetlinkMessage> batch = new ArrayList<>(messages);
        batch.add(new NetlinkMessage(NFNL_MSG_BATCH_END, 0, new byte[] {0, 0, 0, NfTables.SUBSYSTEM >> 8}));
        return batch;
    }

    /**
     * Carries out the changes.
     *
     * @return why the kernel refused, in which case nothing was changed: EMSGSIZE if they are more than this process
     *     may send at once
     */
    Optional<Refusal> execute(NetlinkSocket socket) {
        try {
            return socket.executeTransaction(messages())
                    .map(refusal -> new Refusal(
                            objects.get(Math.min(refusal.index(), objects.size() - 1))
                                    + expressionAt(
                                            refusal.index(), refusal.outcome().offset()),
                            refusal.outcome()));
        } catch (SystemCallException e) {
            return Optional.of(new Refusal(objects.getFirst(), new Outcome(e.errno(), "", -1)));
        }
    }

    /** Returns the expression of a rule that is at an offset of a message, with the words to append; otherwise nothing. */
    private String expressionAt(int index, int offset) {
        if (index >= messages.size()
                || offset < 0
                || messages.get(index).type() != (NfTables.SUBSYSTEM | NfTables.NFT_MSG_NEWRULE)) {
            return "";
        }
        int position = offset - MESSAGE_HEADER_LENGTH;
        byte[] payload = messages.get(index).payload();
        AttributeReader rule = AttributeReader.of(payload, NfTables.HEADER_LENGTH);
        if (rule.find(NfTables.NFTA_RULE_EXPRESSIONS)) {
            AttributeReader expression = rule.nested();
            while (expression.next()) {
                if (position < expression.offset() + expression.length()) {
                    AttributeReader name = expression.nested();
                    return position >= rule.offset() && name.find(NfTables.NFTA_EXPR_NAME)
                            ? ", expression '"
                                    + new String(payload, name.offset(), name.length() - 1, StandardCharsets.UTF_8)
                                    + "'"
                            : "";
                }
            }
        }
        return "";
    }
}
