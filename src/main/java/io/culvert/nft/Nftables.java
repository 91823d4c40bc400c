// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Errno;
import io.culvert.linux.SystemCallException;
import io.culvert.net.MaskedMark;
import io.culvert.netlink.MalformedMessageException;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.nft.Rulesets.ListedTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The nftables tables of the network namespace of the thread that opened this. Each change is one transaction and is
 * verified by a listing. Thread-safe; calls are serialized.
 */
public final class Nftables implements AutoCloseable {

    /**
     * The number of elements that fit any socket buffer. Where the buffer cannot be raised (a user namespace), the
     * kernel refuses a transaction of more than {@code net.core.wmem_max}, by default 208 KiB, with EMSGSIZE.
     */
    private static final int MAX_ELEMENTS_PER_TRANSACTION = 1000;

    private static final Location LOCATION = Location.machine("nftables");

    /** The tables that the kernel had at a generation of the ruleset. */
    private record VerifiedTables(int generation, List<Table> tables) {}

    /** The effects of other programs' tables at a generation of the ruleset. */
    private record ForeignEffects(int generation, List<String> descriptions) {}

    private final Rulesets rulesets;
    private Optional<VerifiedTables> verified = Optional.empty();
    private Optional<ForeignEffects> foreignEffects = Optional.empty();

    private Nftables(Rulesets rulesets) {
        this.rulesets = rulesets;
    }

    /**
     * Opens the tables of the calling thread's network namespace.
     *
     * @throws ProblemException of kind MACHINE if the kernel has no netfilter
     */
    public static Nftables open() {
        return open(NetlinkSockets.KERNEL);
    }

    /**
     * Opens the tables of the calling thread's network namespace.
     *
     * @throws ProblemException of kind MACHINE if the kernel has no netfilter
     */
    public static Nftables open(NetlinkSockets sockets) {
        return new Nftables(openRulesets(sockets));
    }

    static Rulesets openRulesets(NetlinkSockets sockets) {
        try {
            return Rulesets.of(sockets.netfilter());
        } catch (SystemCallException e) {
            ProblemException problem = new ProblemException(NftSupport.netfilterMissing(e.errno()));
            problem.initCause(e);
            throw problem;
        }
    }

    /**
     * Checks whether the kernel supports everything that the kill switch needs, without leaving anything behind.
     *
     * @return what is missing, with a hint; empty if nothing is
     */
    public Optional<Problem> probe() {
        return NftSupport.probe(this::createAndDelete);
    }

    /** Creates and deletes tables in one transaction: nothing is changed, but the kernel has to accept them. */
    private synchronized Optional<RulesetTransaction.Refusal> createAndDelete(List<Table> tables) {
        RulesetTransaction transaction = new RulesetTransaction();
        for (Table table : tables) {
            transaction.create(EncodedTable.of(table)).delete(table.id());
        }
        return rulesets.execute(transaction);
    }

    /**
     * Replaces these tables, whether they exist or not, in one transaction, and verifies them. If the kernel refuses,
     * nothing is changed. Only if a transaction with all elements of a large set is too large for the socket, the
     * elements follow in further transactions.
     *
     * @throws ProblemException of kind FAILURE if the kernel refuses, or has something else afterwards
     */
    public synchronized void apply(List<Table> tables) {
        List<EncodedTable> encoded = tables.stream().map(EncodedTable::of).toList();
        Optional<RulesetTransaction.Refusal> refusal = rulesets.execute(replace(encoded));
        if (refusal.isPresent()) {
            if (refusal.get().errno() != Errno.EMSGSIZE || encoded.stream().noneMatch(Nftables::isLarge)) {
                throw refused(refusal.get());
            }
            applyInSteps(encoded);
        }
        List<String> differences = differences(tables, encoded);
        if (!differences.isEmpty()) {
            throw new ProblemException(Problem.failure(
                    LOCATION,
                    "the ruleset differs after it was applied: " + String.join(", ", differences),
                    "find the other program that changes nftables"));
        }
    }

    /** Replaces tables; the elements of large sets follow in further transactions. */
    void applyInSteps(List<EncodedTable> tables) {
        execute(replace(tables.stream().map(Nftables::withoutLargeSets).toList()));
        tables.forEach(this::addLargeSets);
    }

    /** Returns a transaction that creates tables, replacing existing ones; the kernel takes long for each deletion. */
    private RulesetTransaction replace(List<EncodedTable> tables) {
        List<Table.Id> existing = tables();
        RulesetTransaction transaction = new RulesetTransaction();
        for (EncodedTable table : tables) {
            if (existing.contains(table.id())) {
                transaction.delete(table.id());
            }
            transaction.create(table);
        }
        return transaction;
    }

    /** Returns whether the kernel has exactly these tables; other tables are ignored. */
    public boolean matches(List<Table> desired) {
        return differences(desired).isEmpty();
    }

    /** Describes how the kernel's tables differ from these, without full stops; empty if they do not. */
    public synchronized List<String> differences(List<Table> desired) {
        Optional<Integer> generation = rulesets.generation();
        if (generation.isPresent()
                && verified.equals(generation.map(current -> new VerifiedTables(current, desired)))) {
            return List.of();
        }
        return differences(desired, desired.stream().map(EncodedTable::of).toList());
    }

    private List<String> differences(List<Table> desired, List<EncodedTable> encoded) {
        Rulesets.Listing listing = read(desired.stream().map(Table::id).toList());
        List<String> differences = new ArrayList<>();
        for (EncodedTable table : encoded) {
            EncodedTable other = listing.tables().get(table.id());
            if (other == null) {
                differences.add("the table " + table.id() + " is missing");
            } else {
                differences.addAll(table.differences(other));
            }
        }
        verified = listing.generation()
                .filter(_ -> differences.isEmpty())
                .map(current -> new VerifiedTables(current, List.copyOf(desired)));
        return differences;
    }

    private Rulesets.Listing read(List<Table.Id> tables) {
        try {
            return rulesets.read(tables);
        } catch (NetlinkException | MalformedMessageException e) {
            throw listingFailed(e);
        }
    }

    /**
     * Describes effects of other programs' tables that no verdict of Culvert's rules can undo; empty if there are none.
     *
     * @param ownTables every table that belongs to Culvert
     * @param marks firewall marks that the kill switch accepts; other programs must not set them
     */
    public synchronized List<String> foreign(List<Table.Id> ownTables, List<MaskedMark> marks) {
        Optional<Integer> current = rulesets.generation();
        if (current.isPresent()
                && foreignEffects.map(ForeignEffects::generation).equals(current)) {
            return foreignEffects.get().descriptions();
        }
        ForeignTables tables = new ForeignTables(marks);
        for (ListedTable table : rulesets.allTables()) {
            if (ownTables.stream().noneMatch(table::is) && !NetworkNamespaceLock.isLock(table.fullName())) {
                addForeign(table, tables);
            }
        }
        List<String> descriptions = tables.describe();
        foreignEffects = current.map(generation -> new ForeignEffects(generation, descriptions));
        return descriptions;
    }

    private void addForeign(ListedTable table, ForeignTables tables) {
        try {
            tables.add(
                    table.fullName(),
                    rulesets.rules(table).values().stream()
                            .flatMap(List::stream)
                            .toList(),
                    rulesets.maps(table));
        } catch (NetlinkException | MalformedMessageException e) {
            if (rulesets.allTables().contains(table)) {
                tables.addUnknown(table.fullName(), e);
            }
        }
    }

    /** Returns the existing tables of the families that Culvert uses, of any program. */
    public synchronized List<Table.Id> tables() {
        try {
            return rulesets.tables();
        } catch (NetlinkException | MalformedMessageException e) {
            throw listingFailed(e);
        }
    }

    /** Removes those of these tables that exist. */
    public synchronized void remove(List<Table.Id> tables) {
        List<Table.Id> existing = new ArrayList<>(tables);
        existing.retainAll(tables());
        if (!existing.isEmpty()) {
            RulesetTransaction transaction = new RulesetTransaction();
            existing.forEach(transaction::delete);
            execute(transaction);
        }
    }

    /** Returns the packet counts of the rules with a counter, by the rule's comment, in order. */
    public synchronized Map<String, Long> counters(Table.Id table) {
        try {
            return rulesets.counters(table);
        } catch (NetlinkException | MalformedMessageException e) {
            throw listingFailed(e);
        }
    }

    /**
     * Loads the user's own rules, in nft's syntax, as one transaction, into the network namespace of the calling
     * thread.
     *
     * @throws ProblemException of kind INPUT with nft's message, if the rules are invalid; then nothing is changed
     * @throws ProblemException of kind MACHINE if libnftables is not installed
     */
    public void load(Path file, String rules) {
        LibNftables.run(rules).ifPresent(error -> {
            throw new ProblemException(Problem.input(
                    Location.file(file),
                    "invalid nftables rules: " + error.strip(),
                    "test the file with 'nft --check --file'"));
        });
    }

    @Override
    public synchronized void close() {
        rulesets.close();
    }

    private void addLargeSets(EncodedTable table) {
        for (EncodedSet set : table.sets().values()) {
            if (isLarge(set)) {
                int size = set.elements().size();
                int from = 0;
                while (from < size) {
                    int to = Math.min(from + MAX_ELEMENTS_PER_TRANSACTION, size);
                    // An interval must never be without its end.
                    if (to < size && set.elements().isEnd(to)) {
                        to++;
                    }
                    execute(new RulesetTransaction().addElements(table.id(), set, from, to));
                    from = to;
                }
            }
        }
    }

    private static boolean isLarge(EncodedTable table) {
        return table.sets().values().stream().anyMatch(Nftables::isLarge);
    }

    private static boolean isLarge(EncodedSet set) {
        return set.elements().size() > MAX_ELEMENTS_PER_TRANSACTION && set.timeout() == 0;
    }

    private static EncodedTable withoutLargeSets(EncodedTable table) {
        Map<String, EncodedSet> sets = new TreeMap<>(table.sets());
        sets.replaceAll((_, set) -> isLarge(set) ? set.withoutElements() : set);
        return table.withSets(sets);
    }

    private void execute(RulesetTransaction transaction) {
        rulesets.execute(transaction).ifPresent(refusal -> {
            throw refused(refusal);
        });
    }

    private static ProblemException refused(RulesetTransaction.Refusal refusal) {
        return new ProblemException(Problem.failure(
                LOCATION,
                "the kernel refused the ruleset: " + refusal,
                "run 'culvert check' to find missing requirements"));
    }

    static ProblemException listingFailed(RuntimeException cause) {
        ProblemException problem = new ProblemException(Problem.failure(
                LOCATION,
                "cannot list the tables: " + cause.getMessage(),
                "run 'culvert check' to find missing requirements"));
        problem.initCause(cause);
        return problem;
    }
}
