// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.lab.Comparison.Metric;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The tables that a run prints and writes into the documentation. */
record FigureTables(BenchMachine machine, Measurements measurements, Comparisons comparisons, ProcessMemory memory) {

    private static final String HEADER = "| | Culvert | compared with | ratio |\n|---|---|---|---|\n";

    /** What README.md shows; docs/figures.md has all. */
    private static final List<Metric> SUMMARY = List.of(
            Metric.TAILSCALE_DOWN,
            Metric.TAILSCALE_UP,
            Metric.TAILSCALE_LATENCY,
            Metric.TAILSCALE_SEQUENCE,
            Metric.TAILSCALE_START,
            Metric.SOCKS,
            Metric.WIREGUARD_DOWN);

    /**
     * Prints all figures and writes them to target/bench.json.
     *
     * @param update whether to write them to README.md and docs/figures.md, too, if all were measured
     */
    void publish(boolean update) {
        String dataPath = HEADER + comparisons.rows(Arrays.asList(Metric.values()));
        System.out.println("\n" + dataPath + "\n" + memory.table());
        measurements.write(machine, comparisons);
        if (!update) {
            return;
        }
        if (!measurements.complete() || !comparisons.complete()) {
            System.out.println(
                    "the documentation keeps its figures: the native program ('make native') and Tailscale are"
                            + " needed for all of them");
            return;
        }
        String source = "\nMedians on " + machine + ".\n";
        Path figures = Path.of("docs/figures.md");
        MarkedTable.replace(figures, "figures", measurements.table() + source);
        MarkedTable.replace(figures, "data path", dataPath + source);
        MarkedTable.replace(figures, "memory", memory.table() + source);
        MarkedTable.replace(Path.of("README.md"), "figures", HEADER + summary() + source);
    }

    private String summary() {
        StringBuilder rows = new StringBuilder();
        tunnelUp().ifPresent(rows::append);
        return rows.append(comparisons.rows(SUMMARY)).toString();
    }

    private Optional<String> tunnelUp() {
        return measurements
                .find(Measurement.Metric.UP, Measurement.NATIVE)
                .flatMap(culvert -> measurements
                        .find(Measurement.Metric.UP, "wg-quick")
                        .map(other -> "| a tunnel from a file, userspace WireGuard | %s | wg-quick: %s | %.2f |%n"
                                .formatted(culvert.text(), other.text(), culvert.median() / other.median())));
    }
}
