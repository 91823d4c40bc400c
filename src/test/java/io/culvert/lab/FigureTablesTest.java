// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Measurement.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FigureTablesTest {

    @TempDir
    Path directory;

    @Test
    void updating_replaces_the_table_and_nothing_else() throws IOException {
        Path page = Files.writeString(
                directory.resolve("README.md"), "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n");

        MarkedTable.replace(page, "figures", "new\n");

        assertThat(page).hasContent("before\n<!-- figures -->\nnew\n<!-- /figures -->\nafter\n");
    }

    @Test
    void the_table_has_medians_by_program() {
        Measurements measurements = new Measurements();
        measurements.add(Measurement.of(Metric.UP, Measurement.NATIVE, 30, 28.4, 90));
        measurements.add(Measurement.of(Metric.UP, Measurement.JVM, 600));
        measurements.add(Measurement.of(Metric.UP, "wg-quick", 120));
        measurements.add(Measurement.of(Metric.LEAKS, Measurement.NATIVE, 0));

        assertThat(measurements.complete()).isTrue();
        assertThat(measurements.table())
                .startsWith("| | native |")
                .contains("| `tunnel up` of one file, userspace WireGuard | 30 ms | 600 ms | wg-quick 120 ms |\n")
                .contains("replies outside the tunnel during a start, at 40 requests a second | 0 |  |  |\n");
    }

    @Test
    void a_run_without_the_native_program_is_incomplete() {
        Measurements measurements = new Measurements();
        measurements.add(Measurement.of(Metric.UP, Measurement.JVM, 600));

        assertThat(measurements.complete()).isFalse();
    }

    @Test
    void a_comparison_has_the_ratio_of_the_medians() {
        Comparisons comparisons = new Comparisons();
        comparisons.add(Comparison.SOCKS, 90, 100);
        comparisons.add(Comparison.SOCKS, 50, 40);
        comparisons.add(Comparison.SOCKS, 96, 120);

        assertThat(comparisons.rows(List.of(Comparison.SOCKS)))
                .isEqualTo("| SOCKS5 proxy, download, one TCP stream | 90 Mbit/s | the same path without the proxy:"
                        + " 100 Mbit/s | 0.90 |\n");
        assertThat(comparisons.complete()).isFalse();
    }
}
