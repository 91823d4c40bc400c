package io.culvert.nft;

import io.culvert.linux.NetlinkProtocol;
import io.culvert.netlink.NetlinkException;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
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
    private static final int ELEMENTS_AT_ONCE = 1000;

    private static final Place PLACE = Place.machine("nftables");

    /** The tables that the kernel had at a generation of the ruleset. */
    private record Found(int generation, List<Table> tables) {}

    /** The effects of other programs' tables at a generation of the ruleset. */
    private record Foreign(int generation, List<String> sentences) {}

    private final long context;
    private final Rulesets rulesets;
    private Optional<Found> found = Optional.empty();
    private Optional<Foreign> foreign = Optional.empty();
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
                    Place.machine(library), "not installed", "install libnftables (Debian: libnftables1)"));
            problem.initCause(e);
            throw problem;
        }
        // Checked first, because the library ends the whole process if the socket cannot be opened.
        int errno = NetlinkProtocol.errnoOfOpening(NetlinkProtocol.NETFILTER);
        if (errno != 0) {
            throw new ProblemException(NftSupport.noNetfilter(errno));
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
        return NftSupport.probe(this::attempt);
    }

    /**
     * Replaces these tables, whether they exist or not, in one transaction, and verifies them. If the kernel refuses,
     * nothing is changed. Only if a transaction with all elements of a large set is too large for the socket, the
     * elements follow in further transactions.
     *
     * @throws ProblemException of kind FAILURE if the kernel refuses, or has something else afterwards
     */
    public void apply(List<Table> tables) {
        List<Table.Id> present = tables();
        Optional<String> refusal = attempt(NftJson.replace(tables, present));
        if (refusal.isPresent() && tables.stream().anyMatch(Nftables::isLarge)) {
            run(NftJson.replace(tables.stream().map(Nftables::withoutLargeSets).toList(), present));
            for (Table table : tables) {
                for (NamedSet set : table.sets()) {
                    if (isLarge(set)) {
                        addInSteps(
                                table.id(),
                                set.name(),
                                Listing.of(alone(table.id(), set)).elements(set.name()));
                    }
                }
            }
        } else if (refusal.isPresent()) {
            throw refused(refusal.get());
        }
        List<String> differences = differences(tables);
        if (!differences.isEmpty()) {
            throw new ProblemException(Problem.failure(
                    PLACE,
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
        Optional<Integer> before = rulesets.generation();
        if (before.isPresent() && found.equals(before.map(now -> new Found(now, desired)))) {
            return List.of();
        }
        List<String> differences = listedDifferences(desired);
        // Nothing is known of what changed during the listing.
        found = before.filter(_ -> differences.isEmpty() && before.equals(rulesets.generation()))
                .map(now -> new Found(now, List.copyOf(desired)));
        return differences;
    }

    private List<String> listedDifferences(List<Table> desired) {
        List<Table.Id> present = tables();
        List<String> differences = new ArrayList<>();
        for (Table table : desired) {
            if (present.contains(table.id())) {
                differences.addAll(Listing.of(table).differences(listing(table.id())));
            } else {
                differences.add("the table " + table.id() + " is missing");
            }
        }
        return differences;
    }

    /**
     * Describes effects of other programs' tables that no verdict of Culvert's rules can undo; empty if there are none.
     *
     * @param ours every table that belongs to Culvert
     * @param marks firewall marks that the kill switch accepts; other programs must not set them
     */
    public synchronized List<String> foreign(List<Table.Id> ours, LongPredicate marks) {
        Optional<Integer> now = rulesets.generation();
        if (now.isPresent() && foreign.map(Foreign::generation).equals(now)) {
            return foreign.get().sentences();
        }
        List<String> own = ours.stream().map(Table.Id::toString).toList();
        ForeignTables tables = new ForeignTables(marks);
        List<String> sentences = new ArrayList<>();
        for (String table : rulesets.allTables()) {
            if (!own.contains(table) && !NetworkClaim.isClaim(table)) {
                sentences.addAll(foreign(table, tables));
            }
        }
        foreign = now.map(generation -> new Foreign(generation, List.copyOf(sentences)));
        return List.copyOf(sentences);
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
                    PLACE,
                    "cannot list the tables: " + e.getMessage(),
                    "run 'culvert check' to find missing" + " requirements"));
        }
    }

    /** Removes those of these tables that exist. */
    public void remove(List<Table.Id> tables) {
        List<Table.Id> present = new ArrayList<>(tables);
        present.retainAll(tables());
        if (!present.isEmpty()) {
            run(NftJson.remove(present));
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
        attempt(rules).ifPresent(complaint -> {
            throw new ProblemException(Problem.input(
                    Place.file(file),
                    "invalid nftables rules: " + complaint.strip(),
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

    private Listing listing(Table.Id table) {
        return Listing.parse(run("list table " + table));
    }

    private void addInSteps(Table.Id table, String set, List<JsonValue> elements) {
        for (int from = 0; from < elements.size(); from += ELEMENTS_AT_ONCE) {
            int to = Math.min(from + ELEMENTS_AT_ONCE, elements.size());
            run(NftJson.add(table, set, elements.subList(from, to)));
        }
    }

    private static Table alone(Table.Id table, NamedSet set) {
        return new Table(table, List.of(set), List.of());
    }

    private static boolean isLarge(Table table) {
        return table.sets().stream().anyMatch(Nftables::isLarge);
    }

    private static boolean isLarge(NamedSet set) {
        return set.elements().size() > ELEMENTS_AT_ONCE && set.timeoutSeconds() == 0;
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
        Optional<String> refusal = attempt(commands);
        if (refusal.isPresent()) {
            throw refused(refusal.get());
        }
        String output = LibNftables.nft_ctx_get_output_buffer(context);
        return output == null ? "" : output;
    }

    /** Runs commands; returns the library's error, empty on success. */
    private synchronized Optional<String> attempt(String commands) {
        if (closed) {
            throw new IllegalStateException("closed");
        }
        if (LibNftables.nft_run_cmd_from_buffer(context, commands) == 0) {
            return Optional.empty();
        }
        String errors = LibNftables.nft_ctx_get_error_buffer(context);
        return Optional.of(errors == null ? "" : errors);
    }

    private static ProblemException refused(String complaint) {
        return new ProblemException(Problem.failure(
                PLACE,
                "the kernel refused the ruleset: " + firstError(complaint),
                "run 'culvert check' to find" + " missing requirements"));
    }

    /** Returns the library's first error without its location, which is one in the generated JSON. */
    static String firstError(String complaint) {
        return complaint
                .lines()
                .filter(line -> !line.isBlank())
                .map(line -> line.replaceFirst("^.*?[Ee]rror: ", ""))
                .findFirst()
                .orElse("no reason given")
                .strip();
    }
}
