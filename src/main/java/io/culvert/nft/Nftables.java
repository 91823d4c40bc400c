// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.NetlinkProtocol;
import io.culvert.netlink.NetlinkException;
import jakarta.json.JsonValue;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongPredicate;

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

    private final long context;
    private final Rulesets rulesets;
    private Optional<VerifiedTables> verified = Optional.empty();
    private Optional<ForeignEffects> foreignEffects = Optional.empty();
    private boolean closed;

    private Nftables(long context, Rulesets rulesets) {
        this.context = context;
        this.rulesets = rulesets;
    }

    /**
     * Opens the tables of the calling thread's network namespace.
     *
     * @throws ProblemException of kind MACHINE if libnftables is not installed or the kernel has no netfilter
     */
    public static Nftables open() {
        return open("libnftables.so.1");
    }

    static Nftables open(String library) {
        try {
            LibNftables.load(library);
        } catch (UnsatisfiedLinkError e) {
            ProblemException problem = new ProblemException(Problem.machine(
                    Location.machine(library), "not installed", "install libnftables (Debian: libnftables1)"));
            problem.initCause(e);
            throw problem;
        }
        // Checked first, because the library ends the whole process if the socket cannot be opened.
        int errno = NetlinkProtocol.checkSupport(NetlinkProtocol.NETFILTER);
        if (errno != 0) {
            throw new ProblemException(NftSupport.netfilterMissing(errno));
        }
        long context = LibNftables.nft_ctx_new(0);
        LibNftables.nft_ctx_output_set_flags(context, LibNftables.OUTPUT_JSON | LibNftables.OUTPUT_NUMERIC);
        LibNftables.nft_ctx_buffer_output(context);
        LibNftables.nft_ctx_buffer_error(context);
        return new Nftables(context, Rulesets.open());
    }

    /**
     * Checks whether the kernel supports everything that the kill switch needs, without leaving anything behind.
     *
     * @return what is missing, with a hint; empty if nothing is
     */
    public Optional<Problem> probe() {
        return NftSupport.probe(this::tryRun);
    }

    /**
     * Replaces these tables, whether they exist or not, in one transaction, and verifies them. If the kernel refuses,
     * nothing is changed. Only if a transaction with all elements of a large set is too large for the socket, the
     * elements follow in further transactions.
     *
     * @throws ProblemException of kind FAILURE if the kernel refuses, or has something else afterwards
     */
    public void apply(List<Table> tables) {
        List<Table.Id> existing = tables();
        Optional<String> error = tryRun(NftJson.replace(tables, existing));
        if (error.isPresent() && tables.stream().anyMatch(Nftables::isLarge)) {
            run(NftJson.replace(tables.stream().map(Nftables::withoutLargeSets).toList(), existing));
            for (Table table : tables) {
                for (NamedSet set : table.sets()) {
                    if (isLarge(set)) {
                        addElementsInBatches(
                                table.id(),
                                set.name(),
                                TableListing.of(tableWithOnly(table.id(), set)).elements(set.name()));
                    }
                }
            }
        } else if (error.isPresent()) {
            throw refusal(error.get());
        }
        List<String> differences = differences(tables);
        if (!differences.isEmpty()) {
            throw new ProblemException(Problem.failure(
                    LOCATION,
                    "the ruleset differs after it was applied: " + String.join(", ", differences),
                    "find the other program that changes nftables"));
        }
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
        List<String> differences = listDifferences(desired);
        // Nothing is known of what changed during the listing.
        verified = generation
                .filter(_ -> differences.isEmpty() && generation.equals(rulesets.generation()))
                .map(current -> new VerifiedTables(current, List.copyOf(desired)));
        return differences;
    }

    private List<String> listDifferences(List<Table> desired) {
        List<Table.Id> existing = tables();
        List<String> differences = new ArrayList<>();
        for (Table table : desired) {
            if (existing.contains(table.id())) {
                differences.addAll(TableListing.of(table).differences(listing(table.id())));
            } else {
                differences.add("the table " + table.id() + " is missing");
            }
        }
        return differences;
    }

    /**
     * Describes effects of other programs' tables that no verdict of Culvert's rules can undo; empty if there are none.
     *
     * @param ownTables every table that belongs to Culvert
     * @param marks firewall marks that the kill switch accepts; other programs must not set them
     */
    public synchronized List<String> foreign(List<Table.Id> ownTables, LongPredicate marks) {
        Optional<Integer> current = rulesets.generation();
        if (current.isPresent()
                && foreignEffects.map(ForeignEffects::generation).equals(current)) {
            return foreignEffects.get().descriptions();
        }
        List<String> ownNames = ownTables.stream().map(Table.Id::toString).toList();
        ForeignTables tables = new ForeignTables(marks);
        List<String> descriptions = new ArrayList<>();
        for (String table : rulesets.allTables()) {
            if (!ownNames.contains(table) && !NetworkNamespaceLock.isLock(table)) {
                descriptions.addAll(foreign(table, tables));
            }
        }
        foreignEffects = current.map(generation -> new ForeignEffects(generation, List.copyOf(descriptions)));
        return List.copyOf(descriptions);
    }

    private List<String> foreign(String table, ForeignTables tables) {
        if (!table.matches("[A-Za-z0-9_./ -]+")) {
            return List.of("foreign table '" + table + "' cannot be listed");
        }
        try {
            return tables.find(table, run("list table " + table));
        } catch (ProblemException e) {
            return rulesets.allTables().contains(table)
                    ? List.of("foreign table '" + table + "' cannot be listed: " + e.getMessage())
                    : List.of();
        }
    }

    /** Returns the existing tables of the families that Culvert uses, of any program. */
    public synchronized List<Table.Id> tables() {
        try {
            return rulesets.tables();
        } catch (NetlinkException e) {
            throw new ProblemException(Problem.failure(
                    LOCATION,
                    "cannot list the tables: " + e.getMessage(),
                    "run 'culvert check' to find missing" + " requirements"));
        }
    }

    /** Removes those of these tables that exist. */
    public void remove(List<Table.Id> tables) {
        List<Table.Id> existing = new ArrayList<>(tables);
        existing.retainAll(tables());
        if (!existing.isEmpty()) {
            run(NftJson.remove(existing));
        }
    }

    /** Returns the packet counts of the rules with a counter, by the rule's comment, in order. */
    public Map<String, Long> counters(Table.Id table) {
        return listing(table).packets();
    }

    /**
     * Loads the user's own rules, in nft's syntax, as one transaction.
     *
     * @throws ProblemException of kind INPUT with nft's message, if the rules are invalid; then nothing is changed
     */
    public void load(Path file, String rules) {
        tryRun(rules).ifPresent(error -> {
            throw new ProblemException(Problem.input(
                    Location.file(file),
                    "invalid nftables rules: " + error.strip(),
                    "test the file with 'nft --check --file'"));
        });
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            rulesets.close();
            LibNftables.nft_ctx_free(context);
        }
    }

    private TableListing listing(Table.Id table) {
        return TableListing.parse(run("list table " + table));
    }

    private void addElementsInBatches(Table.Id table, String set, List<JsonValue> elements) {
        for (int from = 0; from < elements.size(); from += MAX_ELEMENTS_PER_TRANSACTION) {
            int to = Math.min(from + MAX_ELEMENTS_PER_TRANSACTION, elements.size());
            run(NftJson.add(table, set, elements.subList(from, to)));
        }
    }

    private static Table tableWithOnly(Table.Id table, NamedSet set) {
        return new Table(table, List.of(set), List.of());
    }

    private static boolean isLarge(Table table) {
        return table.sets().stream().anyMatch(Nftables::isLarge);
    }

    private static boolean isLarge(NamedSet set) {
        return set.elements().size() > MAX_ELEMENTS_PER_TRANSACTION && set.timeoutSeconds() == 0;
    }

    private static Table withoutLargeSets(Table table) {
        return new Table(
                table.id(),
                table.sets().stream()
                        .map(set -> isLarge(set) ? set.withElements(List.of()) : set)
                        .toList(),
                table.chains());
    }

    private synchronized String run(String commands) {
        Optional<String> error = tryRun(commands);
        if (error.isPresent()) {
            throw refusal(error.get());
        }
        String output = LibNftables.nft_ctx_get_output_buffer(context);
        return output == null ? "" : output;
    }

    /** Runs commands; returns the library's error, empty on success. */
    private synchronized Optional<String> tryRun(String commands) {
        if (closed) {
            throw new IllegalStateException("closed");
        }
        if (LibNftables.nft_run_cmd_from_buffer(context, commands) == 0) {
            return Optional.empty();
        }
        String errors = LibNftables.nft_ctx_get_error_buffer(context);
        return Optional.of(errors == null ? "" : errors);
    }

    private static ProblemException refusal(String error) {
        return new ProblemException(Problem.failure(
                LOCATION,
                "the kernel refused the ruleset: " + firstError(error),
                "run 'culvert check' to find" + " missing requirements"));
    }

    /** Returns the library's first error without its location, which is one in the generated JSON. */
    static String firstError(String error) {
        return error.lines()
                .filter(line -> !line.isBlank())
                .map(line -> line.replaceFirst("^.*?[Ee]rror: ", ""))
                .findFirst()
                .orElse("no reason given")
                .strip();
    }
}
