// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.linux.Errno;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.MalformedMessageException;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/** The rulesets of a network namespace, as the kernel lists them. */
final class Rulesets implements AutoCloseable {

    /** The number of attempts to list a table while other programs change the rulesets. */
    private static final int ATTEMPTS = 5;

    /** A table of any program. */
    record ListedTable(int family, String name, int flags) {

        /** Returns the full name in nft, such as {@code ip6 filter}. */
        String fullName() {
            return KernelTable.fullName(family, name);
        }

        boolean is(Table.Id id) {
            return id.is(family, name);
        }
    }

    private final NetlinkSocket socket;

    private Rulesets(NetlinkSocket socket) {
        this.socket = socket;
    }

    /** Opens the rulesets of the calling thread's network namespace. */
    static Rulesets open() {
        return of(KernelNetlinkSocket.netfilter());
    }

    /** @param socket closed together with the result */
    static Rulesets of(NetlinkSocket socket) {
        return new Rulesets(socket);
    }

    /**
     * Carries out a transaction.
     *
     * @return why the kernel refused, see {@link RulesetTransaction#execute}
     */
    Optional<RulesetTransaction.Refusal> execute(RulesetTransaction transaction) {
        return transaction.execute(socket);
    }

    /**
     * Returns the generation of the ruleset, which every change by any program increments: while it stays the same, so
     * do all tables.
     *
     * @return empty if the kernel does not return it
     */
    Optional<Integer> generation() {
        try {
            return RulesetDecoder.generation(socket.query(request(0, NfTables.NFT_MSG_GETGEN)));
        } catch (NetlinkException _) {
            return Optional.empty();
        }
    }

    /**
     * Returns all tables of every family.
     *
     * @throws NetlinkException if the kernel refuses
     */
    List<ListedTable> allTables() {
        return RulesetDecoder.tables(dump(request(0, NfTables.NFT_MSG_GETTABLE)));
    }

    /**
     * Returns the existing tables of the families that Culvert uses, with names that are valid here.
     *
     * @throws NetlinkException if the kernel refuses
     */
    List<Table.Id> tables() {
        return allTables().stream()
                .filter(table -> Table.isIdentifier(table.name()))
                .flatMap(table -> Arrays.stream(Table.Family.values())
                        .filter(family -> family.number() == table.family())
                        .map(family -> new Table.Id(family, table.name())))
                .toList();
    }

    /** Returns whether a table exists; false if the kernel refuses the query. */
    boolean exists(Table.Id table) {
        try {
            return tables().contains(table);
        } catch (NetlinkException _) {
            return false;
        }
    }

    /**
     * Tables as they were at one moment.
     *
     * @param generation of the ruleset; empty if other programs kept changing rulesets, so that the tables may be of several
     *     moments
     */
    record Listing(Optional<Integer> generation, Map<Table.Id, EncodedTable> tables) {}

    /**
     * Reads those of these tables that exist.
     *
     * @throws NetlinkException if the kernel refuses
     * @throws MalformedMessageException if the kernel's listing is in another format
     */
    Listing read(List<Table.Id> ids) {
        return consistently(() -> readOnce(ids), Listing::new);
    }

    /**
     * Lists something repeatedly until the rulesets do not change meanwhile, a few times at most.
     *
     * @param result makes the result of the generation, which is empty if they kept changing
     */
    private <T, R> R consistently(Supplier<T> listing, BiFunction<Optional<Integer>, T, R> result) {
        Optional<Integer> before = generation();
        for (int attempt = 1; ; attempt++) {
            try {
                T listed = listing.get();
                Optional<Integer> after = generation();
                if (after.equals(before) || attempt == ATTEMPTS) {
                    return result.apply(after.equals(before) ? after : Optional.empty(), listed);
                }
                before = after;
            } catch (NetlinkException e) {
                // A table or set was removed after it had been listed.
                if (attempt == ATTEMPTS || e.errno() != Errno.ENOENT) {
                    throw e;
                }
                before = generation();
            }
        }
    }

    private Map<Table.Id, EncodedTable> readOnce(List<Table.Id> ids) {
        Map<Table.Id, EncodedTable> tables = new HashMap<>();
        for (ListedTable listed : allTables()) {
            for (Table.Id id : ids) {
                if (listed.is(id)) {
                    tables.put(id, read(id, listed));
                }
            }
        }
        return tables;
    }

    private EncodedTable read(Table.Id id, ListedTable table) {
        List<EncodedSet> sets = new ArrayList<>();
        for (EncodedSet set :
                RulesetDecoder.sets(dump(request(table, NfTables.NFT_MSG_GETSET, NfTables.NFTA_SET_TABLE)))) {
            if (set.hasComparedElements()) {
                elements(table, set.name()).forEach(message -> set.elements().addListed(message.payload()));
            }
            sets.add(set);
        }
        List<String> others = new ArrayList<>();
        others.addAll(RulesetDecoder.objects(
                dump(request(table, NfTables.NFT_MSG_GETOBJ, NfTables.NFTA_OBJ_TABLE)), table.name()));
        others.addAll(RulesetDecoder.flowtables(
                dump(request(table, NfTables.NFT_MSG_GETFLOWTABLE, NfTables.NFTA_FLOWTABLE_TABLE)), table.name()));
        // The kernel lists the chains of all tables of the family.
        List<EncodedChain> chains =
                RulesetDecoder.chains(dump(request(table.family(), NfTables.NFT_MSG_GETCHAIN)), table.name());
        return RulesetDecoder.table(id, table.flags(), chains, sets, rules(table), others);
    }

    /**
     * Reads the tables of all programs: each kind of object in one listing of all tables, and the elements of each set.
     *
     * @throws NetlinkException if the kernel refuses
     * @throws MalformedMessageException if the kernel lists something that belongs to no table; what is malformed in a table
     *     makes only that one unreadable
     */
    KernelRuleset readAll() {
        return consistently(this::readAllOnce, (generation, ruleset) -> ruleset.at(generation));
    }

    private KernelRuleset readAllOnce() {
        return new KernelRulesetDecoder(this::elements)
                .decode(
                        allTables(),
                        dump(request(0, NfTables.NFT_MSG_GETCHAIN)),
                        dump(request(0, NfTables.NFT_MSG_GETRULE)),
                        dump(request(0, NfTables.NFT_MSG_GETSET)),
                        dump(request(0, NfTables.NFT_MSG_GETFLOWTABLE)));
    }

    private List<NetlinkMessage> elements(ListedTable table, String set) {
        return dump(new NetlinkMessage(
                NfTables.SUBSYSTEM | NfTables.NFT_MSG_GETSETELEM,
                0,
                NfTables.message(table.family())
                        .string(NfTables.NFTA_SET_ELEM_LIST_TABLE, table.name())
                        .string(NfTables.NFTA_SET_ELEM_LIST_SET, set)
                        .toByteArray()));
    }

    /**
     * Returns a function from a map's name to its values, in the order of a register; empty if packets may add elements, or
     * the map does not exist. It asks the kernel once for the table's maps, and once for the elements of each.
     */
    Function<String, Optional<List<byte[]>>> maps(ListedTable table) {
        Map<String, Optional<List<byte[]>>> known = new HashMap<>();
        List<EncodedSet> sets = new ArrayList<>();
        return name -> {
            if (known.isEmpty()) {
                sets.addAll(
                        RulesetDecoder.sets(dump(request(table, NfTables.NFT_MSG_GETSET, NfTables.NFTA_SET_TABLE))));
            }
            return known.computeIfAbsent(
                    name,
                    map -> sets.stream()
                            .filter(set -> set.name().equals(map) && (set.flags() & NfTables.NFT_SET_EVAL) == 0)
                            .findFirst()
                            .map(_ -> RulesetDecoder.mapValues(elements(table, map))));
        };
    }

    /** Returns the rules of a table by chain, in order. */
    Map<String, List<TableRule>> rules(ListedTable table) {
        return RulesetDecoder.rules(
                dump(request(table, NfTables.NFT_MSG_GETRULE, NfTables.NFTA_RULE_TABLE)), table.name());
    }

    /** Returns the packet counts of a table's rules with a counter, by the rule's comment, in order; none if it is missing. */
    Map<String, Long> counters(Table.Id table) {
        Map<String, Long> packets = new LinkedHashMap<>();
        for (ListedTable listed : allTables()) {
            if (listed.is(table)) {
                rules(listed).values().stream()
                        .flatMap(List::stream)
                        .forEach(rule -> rule.packets().ifPresent(count -> packets.put(rule.comment(), count)));
            }
        }
        return packets;
    }

    private List<NetlinkMessage> dump(NetlinkMessage request) {
        return socket.dump(request);
    }

    private static NetlinkMessage request(int family, int type) {
        return new NetlinkMessage(
                NfTables.SUBSYSTEM | type, 0, NfTables.message(family).toByteArray());
    }

    private static NetlinkMessage request(ListedTable table, int type, int tableAttribute) {
        return new NetlinkMessage(
                NfTables.SUBSYSTEM | type,
                0,
                NfTables.message(table.family())
                        .string(tableAttribute, table.name())
                        .toByteArray());
    }

    /**
     * Deletes a table that this socket owns, and then closes it. To delete it because its owner is gone, the kernel makes the
     * closing process wait for a grace period of RCU (Linux: {@code nft_rcv_nl_event}), about ten milliseconds.
     */
    void closeWith(Table.Id owned) {
        try {
            // If the kernel refuses, the table ends with the socket.
            execute(new RulesetTransaction().delete(owned));
        } finally {
            close();
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
