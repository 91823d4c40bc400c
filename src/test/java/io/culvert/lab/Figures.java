package io.culvert.lab;

import static java.util.stream.Collectors.joining;

import jakarta.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** All figures of a run: as lines of JSON, and as the table in docs/figures.md. */
final class Figures {

    private static final Path JSON = Path.of("target/bench.json");
    private static final String BEGIN = "<!-- figures -->\n";
    private static final String END = "<!-- /figures -->";

    private final List<Figure> figures = new ArrayList<>();
    private final LocalDate date = LocalDate.now(ZoneOffset.UTC);
    private final int cores = Runtime.getRuntime().availableProcessors();

    /** Keeps it, and shows it. */
    void add(Figure figure) {
        figures.add(figure);
        System.out.printf("  %-76s %-12s %8s (%.1f)%n", figure.what(), figure.who(), figure.text(), figure.least());
    }

    /** One line for the run, then one for each figure. */
    void write() {
        String run = Json.createObjectBuilder()
                .add("date", date.toString())
                .add("cores", cores)
                .add("kernel", System.getProperty("os.version"))
                .build()
                .toString();
        write(
                JSON,
                Stream.concat(
                                Stream.of(run),
                                figures.stream().map(figure -> figure.json().toString()))
                        .collect(joining("\n", "", "\n")));
    }

    /**
     * Puts the table between the file's markers and changes nothing else.
     *
     * @return whether it was; a run in which one of our programs was not measured does not replace one in which both were
     */
    boolean putInto(Path file) {
        boolean whole = Stream.of(Figure.NATIVE, Figure.JVM)
                .allMatch(
                        who -> figures.stream().anyMatch(figure -> figure.who().equals(who)));
        if (whole) {
            try {
                String text = Files.readString(file);
                int begin = text.indexOf(BEGIN) + BEGIN.length();
                write(file, text.substring(0, begin) + table() + text.substring(text.indexOf(END, begin)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return whole;
    }

    private String table() {
        StringBuilder table = new StringBuilder("| | native | JVM | others |\n|---|---|---|---|\n");
        for (Figure.What what : Figure.What.values()) {
            String others = figures.stream()
                    .filter(figure -> figure.what() == what && !isOurs(figure))
                    .map(figure -> figure.who() + " " + figure.text())
                    .collect(joining(", "));
            table.append("| %s | %s | %s | %s |%n"
                    .formatted(what, cell(what, Figure.NATIVE), cell(what, Figure.JVM), others));
        }
        return table.append(String.format(
                        Locale.ROOT,
                        "\nMedians of %d rounds on %d cores, %s.\n",
                        figures.stream().mapToInt(Figure::rounds).max().orElse(0),
                        cores,
                        date))
                .toString();
    }

    private String cell(Figure.What what, String who) {
        return find(what, who).map(Figure::text).orElse("");
    }

    private Optional<Figure> find(Figure.What what, String who) {
        return figures.stream()
                .filter(figure -> figure.what() == what && figure.who().equals(who))
                .findFirst();
    }

    private static boolean isOurs(Figure figure) {
        return figure.who().equals(Figure.NATIVE) || figure.who().equals(Figure.JVM);
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
