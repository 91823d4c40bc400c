// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The results of a run: written as lines of JSON, and as the table in docs/figures.md. */
final class Measurements {

    private static final Path JSON = Path.of("target/bench.json");
    private final List<Measurement> measurements = new ArrayList<>();

    /** Adds and prints a result. */
    void add(Measurement measurement) {
        measurements.add(measurement);
        System.out.printf(
                "  %-76s %-12s %8s (%.1f)%n",
                measurement.metric(), measurement.program(), measurement.text(), measurement.least());
    }

    /** Writes one line for the machine, then one for each measurement and comparison. */
    void write(BenchMachine machine, Comparisons comparisons) {
        try {
            Files.writeString(
                    JSON,
                    Stream.of(
                                    Stream.of(machine.json().toString()),
                                    measurements.stream()
                                            .map(measurement ->
                                                    measurement.json().toString()),
                                    comparisons.json())
                            .flatMap(lines -> lines)
                            .collect(joining("\n", "", "\n")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns whether both the native program and the one for the JVM were measured. */
    boolean complete() {
        return Stream.of(Measurement.NATIVE, Measurement.JVM)
                .allMatch(program -> measurements.stream()
                        .anyMatch(measurement -> measurement.program().equals(program)));
    }

    /** Returns the Markdown table. */
    String table() {
        StringBuilder table = new StringBuilder("| | native | JVM | others |\n|---|---|---|---|\n");
        for (Measurement.Metric metric : Measurement.Metric.values()) {
            String others = measurements.stream()
                    .filter(measurement -> measurement.metric() == metric && !isCulvert(measurement))
                    .map(measurement -> measurement.program() + " " + measurement.text())
                    .collect(joining(", "));
            table.append("| %s | %s | %s | %s |%n"
                    .formatted(metric, cell(metric, Measurement.NATIVE), cell(metric, Measurement.JVM), others));
        }
        return table.toString();
    }

    /** Returns the number of rounds. */
    int rounds() {
        return measurements.stream().mapToInt(Measurement::rounds).max().orElse(0);
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
}
