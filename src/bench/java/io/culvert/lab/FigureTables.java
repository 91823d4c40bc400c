// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.lab.Comparison.DataPath;
import io.culvert.lab.Comparison.Metric;
import java.nio.file.Path;
import java.util.List;

/** The tables that a run prints and writes into the documentation. */
record FigureTables(BenchMachine machine, Measurements measurements, Comparisons comparisons, ProcessMemory memory) {

    private static final String HEADER = "| | Culvert | compared with | ratio |\n|---|---|---|---|\n";

    /** What README.md shows; docs/figures.md has all. */
    private static final List<Metric> SUMMARY = List.of(
            Comparison.TUNNEL_UP,
            DataPath.DOWN.of(Comparison.TAILSCALE_CLIENT),
            DataPath.UP.of(Comparison.TAILSCALE_CLIENT),
            DataPath.LATENCY.of(Comparison.TAILSCALE_CLIENT),
            Comparison.TAILSCALE_SEQUENCE,
            Comparison.TAILSCALE_START,
            Comparison.SOCKS,
            DataPath.DOWN.of(Comparison.WIREGUARD_CLIENT));

    /**
     * Prints all figures and writes them to target/bench.json.
     *
     * @param update whether to write them to README.md and docs/figures.md, too, if all were measured
     */
    void publish(boolean update) {
        String all = HEADER + comparisons.rows(Comparison.ALL);
        System.out.println("\n" + all + "\n" + memory.table());
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
        MarkedTable.replace(figures, "comparison", all + source);
        MarkedTable.replace(figures, "memory", memory.table() + source);
        MarkedTable.replace(Path.of("README.md"), "figures", HEADER + comparisons.rows(SUMMARY) + source);
    }
}
