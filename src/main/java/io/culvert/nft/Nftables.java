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
 * The tables of one network namespace: that of the thread which opened this. Every change is one transaction, and is read
 * back. Any thread may call; one is served at a time.
 */
public final class Nftables implements AutoCloseable {

    /**
     * As many elements as fit any socket buffer. Where the buffer cannot be raised (a user namespace), the kernel refuses a
     * transaction of more than {@code net.core.wmem_max}, by default 208 KiB, with EMSGSIZE.
     */
    private static final int ELEMENTS_AT_ONCE = 1000;

    private static final Place PLACE = Place.machine("nftables");

    /** The tables that the kernel was found to have, and when. */
    private record Found(int generation, List<Table> tables) {}

    /** What other programs' tables were found to do, and when. */
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
     * @throws ProblemException of kind MACHINE when libnftables is not installed or the kernel has no netfilter
     */
    public static Nftables open() {
        return open("libnftables.so.1");
    }

    static Nftables open(String library) {
        try {
            LibNftables.load(library);
        } catch (UnsatisfiedLinkError e) {
            ProblemException problem = new ProblemException(Problem.machine(
                    Place.machine(library), "is not installed", "install it: the Debian package is libnftables1"));
            problem.initCause(e);
            throw problem;
        }
        // Asked first, because the library ends the whole process where the socket does not open.
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
     * Tries whether everything the guard is made of works here, without leaving a trace.
     *
     * @return what is missing, with the cure; empty when all is well
     */
    public Optional<Problem> probe() {
        return NftSupport.probe(this::attempt);
    }

    /**
     * Replaces these tables, whether they are there or not, in one transaction, and reads them back. When the kernel refuses,
     * everything is as before. Only where a transaction with all elements of a large set is too large for the socket do the
     * elements follow in further ones.
     *
     * @throws ProblemException of kind FAILURE when refused, or when the kernel has something else afterwards
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
                    "the kernel took the rules, but has others now: " + String.join(", ", differences),
                    "look for another program that changes them"));
        }
    }

    /** Whether the kernel has exactly these tables; others beside them do not count. */
    public boolean matches(List<Table> desired) {
        return differences(desired).isEmpty();
    }

    /** How what the kernel has differs from these tables, in sentences without a full stop; empty when it does not. */
    public synchronized List<String> differences(List<Table> desired) {
        Optional<Integer> before = rulesets.generation();
        if (before.isPresent() && found.equals(before.map(now -> new Found(now, desired)))) {
            return List.of();
        }
        List<String> differences = listedDifferences(desired);
        // Of what changed while it was listed nothing is known.
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
     * What tables of other programs do that no verdict of ours can undo, a sentence each; empty where there is nothing.
     *
     * @param ours every table that is not of another program
     * @param marks of packets that may leave; others are not to set them
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
            return List.of("foreign table '" + table + "' cannot be looked at");
        }
        try {
            return tables.find(table, run("list table " + table));
        } catch (ProblemException e) {
            return rulesets.allTables().contains(table)
                    ? List.of("foreign table '" + table + "' cannot be looked at: " + e.getMessage())
                    : List.of();
        }
    }

    /** The tables that are there, of the families we use, whoever made them. */
    public synchronized List<Table.Id> tables() {
        try {
            return rulesets.tables();
        } catch (NetlinkException e) {
            throw new ProblemException(Problem.failure(
                    PLACE, "its tables cannot be listed: " + e.getMessage(), "'culvert check' says what is missing"));
        }
    }

    /** Removes these tables where they are there. */
    public void remove(List<Table.Id> tables) {
        List<Table.Id> present = new ArrayList<>(tables);
        present.retainAll(tables());
        if (!present.isEmpty()) {
            run(NftJson.remove(present));
        }
    }

    /** How many packets came as far as the counter of each rule that has one, by the rule's comment, in order. */
    public Map<String, Long> counters(Table.Id table) {
        return listing(table).packets();
    }

    /**
     * Carries out somebody's own rules, in nft's own language, as one transaction.
     *
     * @throws ProblemException of kind INPUT with nft's words, where it does not take them; then nothing has changed
     */
    public void load(Path file, String rules) {
        attempt(rules).ifPresent(complaint -> {
            throw new ProblemException(Problem.input(
                    Place.file(file),
                    "nft does not take it: " + complaint.strip(),
                    "try it with 'nft --check --file'"));
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

    /** Runs commands; the answer is the library's complaint, empty when it has none. */
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
                PLACE, "refused: " + firstError(complaint), "'culvert check' says what this machine lacks"));
    }

    /** The library's first error without its place, which is one in our JSON. */
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
