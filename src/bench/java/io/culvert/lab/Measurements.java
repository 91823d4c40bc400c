// SPDX-License-Identifier: Apache-2.0
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

/** The results of a run: written as lines of JSON, and as the table in docs/figures.md. */
final class Measurements {

    private static final Path JSON = Path.of("target/bench.json");
    private static final String BEGIN = "<!-- figures -->\n";
    private static final String END = "<!-- /figures -->";

    private final List<Measurement> measurements = new ArrayList<>();
    private final LocalDate date = LocalDate.now(ZoneOffset.UTC);
    private final int cores = Runtime.getRuntime().availableProcessors();

    /** Adds and prints a result. */
    void add(Measurement measurement) {
        measurements.add(measurement);
        System.out.printf(
                "  %-76s %-12s %8s (%.1f)%n",
                measurement.metric(), measurement.program(), measurement.text(), measurement.least());
    }

    /** One line for the run, then one for each measurement. */
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
                                measurements.stream()
                                        .map(measurement -> measurement.json().toString()))
                        .collect(joining("\n", "", "\n")));
    }

    /**
     * Replaces the table between the file's markers.
     *
     * @return whether it was replaced; a run without the native or the JVM program keeps the table
     */
    boolean updateTable(Path file) {
        boolean complete = Stream.of(Measurement.NATIVE, Measurement.JVM)
                .allMatch(program -> measurements.stream()
                        .anyMatch(measurement -> measurement.program().equals(program)));
        if (complete) {
            try {
                String text = Files.readString(file);
                int begin = text.indexOf(BEGIN) + BEGIN.length();
                write(file, text.substring(0, begin) + table() + text.substring(text.indexOf(END, begin)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return complete;
    }

    private String table() {
        StringBuilder table = new StringBuilder("| | native | JVM | others |\n|---|---|---|---|\n");
        for (Measurement.Metric metric : Measurement.Metric.values()) {
            String others = measurements.stream()
                    .filter(measurement -> measurement.metric() == metric && !isCulvert(measurement))
                    .map(measurement -> measurement.program() + " " + measurement.text())
                    .collect(joining(", "));
            table.append("| %s | %s | %s | %s |%n"
                    .formatted(metric, cell(metric, Measurement.NATIVE), cell(metric, Measurement.JVM), others));
        }
        return table.append(String.format(
                        Locale.ROOT,
                        "\nMedians of %d rounds on %d cores, %s.\n",
                        measurements.stream()
                                .mapToInt(Measurement::rounds)
                                .max()
                                .orElse(0),
                        cores,
                        date))
                .toString();
    }

    private String cell(Measurement.Metric metric, String program) {
        return find(metric, program).map(Measurement::text).orElse("");
    }

    private Optional<Measurement> find(Measurement.Metric metric, String program) {
        return measurements.stream()
                .filter(measurement ->
                        measurement.metric() == metric && measurement.program().equals(program))
                .findFirst();
    }

    private static boolean isCulvert(Measurement measurement) {
        return measurement.program().equals(Measurement.NATIVE)
                || measurement.program().equals(Measurement.JVM);
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
