// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.imports;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.networkfile.imports.NetworkFileBuilder.Call;
import io.culvert.networkfile.imports.NetworkFileBuilder.Node;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
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

    private static final int DEFAULT_PORT = 51820;

    private static final List<String> UNSUPPORTED =
            List.of("FwMark", "DNS", "MTU", "Table", "PreUp", "PostUp", "PreDown", "PostDown");

    private record Row(Map<String, String> cells, int number) {

        /** Returns the cell of a column, empty where it has none. */
        String cell(String column) {
            String text = cells.getOrDefault(column, "").strip();
            return text.equals("None") ? "" : text;
        }
    }

    private final Path file;
    private final NetworkFileBuilder builder;
    private final List<Problem> problems = new ArrayList<>();

    private MeshconfImport(Path file, Path keyDirectory) {
        this.file = file;
        this.builder = new NetworkFileBuilder("mesh", keyDirectory);
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
    public static ImportResult of(Path file, String text, Path keyDirectory) {
        MeshconfImport importer = new MeshconfImport(file, keyDirectory);
        List<List<String>> records = Csv.of(text);
        List<String> header = records.getFirst();
        Map<Node, Row> rows = new LinkedHashMap<>();
        for (int i = 1; i < records.size(); i++) {
            Map<String, String> cells = new LinkedHashMap<>();
            for (int column = 0; column < Math.min(header.size(), records.get(i).size()); column++) {
                cells.put(header.get(column).strip(), records.get(i).get(column));
            }
            Row row = new Row(cells, i);
            importer.node(row).ifPresent(node -> rows.put(node, row));
        }
        importer.keepalives(rows);
        importer.builder.linkAll();
        boolean hasErrors =
                importer.problems.stream().anyMatch(problem -> problem.kind().isError());
        return new ImportResult(
                hasErrors ? "" : importer.builder.yaml(),
                hasErrors ? Map.of() : importer.builder.keys(),
                importer.problems);
    }

    private Optional<Node> node(Row row) {
        String name = row.cell("Name");
        Optional<SecretKey> key = read(row, "PrivateKey", SecretKey::parse);
        if (key.isEmpty()) {
            return Optional.empty();
        }
        Node node = builder.node(KeyGenerator.publicOf(key.get()), name);
        builder.ownKey(node, key.get());
        forEachItem(row, "Address", text -> node.addresses.add(Prefix.parse(text)));
        forEachItem(
                row, "AllowedIPs", text -> node.routes.add(Prefix.parse(text).network()));
        node.routes.removeIf(route -> {
            node.exit |= route.isDefault();
            return route.isDefault();
        });
        int port = number(row, "ListenPort").orElse(DEFAULT_PORT);
        node.listenPort = OptionalInt.of(port);
        read(row, "Endpoint", Host::parse)
                .ifPresent(host -> node.endpointsByPeer.put(
                        "", new Call(Optional.of(new Endpoint(host, port)), OptionalInt.empty())));
        List<String> unsupported = UNSUPPORTED.stream()
                .filter(column -> !row.cell(column).isEmpty())
                .toList();
        if (!unsupported.isEmpty()) {
            problems.add(Problem.warning(
                    Location.file(file),
                    "'" + name + "': not supported in a network file: " + String.join(", ", unsupported),
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
        rows.keySet().forEach(target -> {
            Optional<Endpoint> endpoint =
                    Optional.ofNullable(target.endpointsByPeer.remove("")).flatMap(Call::endpoint);
            seconds.forEach((peer, keepalive) -> {
                if (!peer.equals(target)) {
                    target.endpointsByPeer.put(peer.name, new Call(endpoint, keepalive));
                }
            });
        });
    }

    private OptionalInt number(Row row, String column) {
        Optional<Integer> number = row.cell(column).isEmpty() ? Optional.empty() : read(row, column, Integer::valueOf);
        return number.isPresent() ? OptionalInt.of(number.get()) : OptionalInt.empty();
    }

    private void forEachItem(Row row, String column, Consumer<String> use) {
        Stream.of(row.cell(column).split(","))
                .map(String::strip)
                .filter(text -> !text.isEmpty())
                .forEach(text -> {
                    try {
                        use.accept(text);
                    } catch (IllegalArgumentException e) {
                        reportInvalid(row, column, e);
                    }
                });
    }

    private <T> Optional<T> read(Row row, String column, Function<String, T> parse) {
        String text = row.cell(column);
        if (text.isEmpty()) {
            if (column.equals("PrivateKey")) {
                problems.add(Problem.input(
                        Location.file(file),
                        "'" + row.cell("Name") + "' has no PrivateKey",
                        "run 'wg-meshconf init', or delete the row"));
            }
            return Optional.empty();
        }
        try {
            return Optional.of(parse.apply(text));
        } catch (IllegalArgumentException e) {
            reportInvalid(row, column, e);
            return Optional.empty();
        }
    }

    private void reportInvalid(Row row, String column, IllegalArgumentException e) {
        String why = e instanceof NumberFormatException ? "not a number" : String.valueOf(e.getMessage());
        problems.add(Problem.input(
                Location.file(file),
                "row " + row.number() + ", " + column + ": " + why,
                "correct the value in that file"));
    }
}
