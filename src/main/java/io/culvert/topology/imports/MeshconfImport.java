package io.culvert.topology.imports;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.topology.imports.Draft.Call;
import io.culvert.topology.imports.Draft.Node;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.SecretKey;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/** Imports the database of wg-meshconf: a full mesh with one row per peer, which includes its private key. */
public final class MeshconfImport {

    private static final int USUAL_PORT = 51820;

    private static final List<String> LOST =
            List.of("FwMark", "DNS", "MTU", "Table", "PreUp", "PostUp", "PreDown", "PostDown");

    private record Row(Map<String, String> cells, int number) {

        /** Returns the cell of a column, empty where it has none. */
        String cell(String column) {
            String text = cells.getOrDefault(column, "").strip();
            return text.equals("None") ? "" : text;
        }
    }

    private final Path file;
    private final Draft draft;
    private final List<Problem> problems = new ArrayList<>();

    private MeshconfImport(Path file, Path keyDirectory) {
        this.file = file;
        this.draft = new Draft("mesh", keyDirectory);
    }

    /** Returns whether a text begins like such a database. */
    public static boolean recognises(String text) {
        return text.lines()
                .findFirst()
                .map(line -> line.replace("\"", "").startsWith("Name,Address,"))
                .orElse(false);
    }

    /**
     * Imports a database.
     *
     * @param keyDirectory the directory of the secret key files
     */
    public static Imported of(Path file, String text, Path keyDirectory) {
        MeshconfImport made = new MeshconfImport(file, keyDirectory);
        List<List<String>> records = Csv.of(text);
        List<String> header = records.getFirst();
        Map<Node, Row> rows = new LinkedHashMap<>();
        for (int i = 1; i < records.size(); i++) {
            Map<String, String> cells = new LinkedHashMap<>();
            for (int column = 0; column < Math.min(header.size(), records.get(i).size()); column++) {
                cells.put(header.get(column).strip(), records.get(i).get(column));
            }
            Row row = new Row(cells, i);
            made.node(row).ifPresent(node -> rows.put(node, row));
        }
        made.keepalives(rows);
        made.draft.linkAll();
        boolean broken =
                made.problems.stream().anyMatch(problem -> problem.kind().isError());
        return new Imported(broken ? "" : made.draft.yaml(), broken ? Map.of() : made.draft.keys(), made.problems);
    }

    private Optional<Node> node(Row row) {
        String name = row.cell("Name");
        Optional<SecretKey> key = read(row, "PrivateKey", SecretKey::parse);
        if (key.isEmpty()) {
            return Optional.empty();
        }
        Node node = draft.node(Keys.publicOf(key.get()), name);
        draft.ownKey(node, key.get());
        each(row, "Address", text -> node.addresses.add(Prefix.parse(text)));
        each(row, "AllowedIPs", text -> node.routes.add(Prefix.parse(text).network()));
        node.routes.removeIf(route -> {
            node.exit |= route.isDefault();
            return route.isDefault();
        });
        int port = number(row, "ListenPort").orElse(USUAL_PORT);
        node.listenPort = OptionalInt.of(port);
        read(row, "Endpoint", Host::parse)
                .ifPresent(host ->
                        node.calls.put("", new Call(Optional.of(new Endpoint(host, port)), OptionalInt.empty())));
        List<String> lost =
                LOST.stream().filter(column -> !row.cell(column).isEmpty()).toList();
        if (!lost.isEmpty()) {
            problems.add(Problem.warning(
                    Place.file(file),
                    "'" + name + "': not supported in a network file: " + String.join(", ", lost),
                    "check whether you need it"));
        }
        return Optional.of(node);
    }

    /** Converts keepalive intervals, which are settings of the sender there, and of endpoints in a network file. */
    private void keepalives(Map<Node, Row> rows) {
        Map<Node, OptionalInt> seconds = new LinkedHashMap<>();
        rows.forEach((node, row) -> seconds.put(node, number(row, "PersistentKeepalive")));
        if (seconds.values().stream().allMatch(OptionalInt::isEmpty)) {
            return;
        }
        rows.keySet().forEach(called -> {
            Optional<Endpoint> endpoint =
                    Optional.ofNullable(called.calls.remove("")).flatMap(Call::endpoint);
            seconds.forEach((caller, keepalive) -> {
                if (!caller.equals(called)) {
                    called.calls.put(caller.name, new Call(endpoint, keepalive));
                }
            });
        });
    }

    private OptionalInt number(Row row, String column) {
        Optional<Integer> number = row.cell(column).isEmpty() ? Optional.empty() : read(row, column, Integer::valueOf);
        return number.isPresent() ? OptionalInt.of(number.get()) : OptionalInt.empty();
    }

    private void each(Row row, String column, Consumer<String> use) {
        Stream.of(row.cell(column).split(","))
                .map(String::strip)
                .filter(text -> !text.isEmpty())
                .forEach(text -> {
                    try {
                        use.accept(text);
                    } catch (IllegalArgumentException e) {
                        wrong(row, column, e);
                    }
                });
    }

    private <T> Optional<T> read(Row row, String column, Function<String, T> parse) {
        String text = row.cell(column);
        if (text.isEmpty()) {
            if (column.equals("PrivateKey")) {
                problems.add(Problem.input(
                        Place.file(file),
                        "'" + row.cell("Name") + "' has no PrivateKey",
                        "run 'wg-meshconf init', or delete the row"));
            }
            return Optional.empty();
        }
        try {
            return Optional.of(parse.apply(text));
        } catch (IllegalArgumentException e) {
            wrong(row, column, e);
            return Optional.empty();
        }
    }

    private void wrong(Row row, String column, IllegalArgumentException e) {
        String why = e instanceof NumberFormatException ? "not a number" : String.valueOf(e.getMessage());
        problems.add(Problem.input(
                Place.file(file),
                "row " + row.number() + ", " + column + ": " + why,
                "correct the value in that file"));
    }
}
