// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Measurement.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeasurementsTest {

    private static final String TEXT = "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n";

    @TempDir
    Path directory;

    @Test
    void updating_replaces_the_table_and_nothing_else() throws IOException {
        Path file = Files.writeString(directory.resolve("README.md"), TEXT);
        Measurements measurements = new Measurements();
        measurements.add(Measurement.of(Metric.UP, Measurement.NATIVE, 30, 28.4, 90));
        measurements.add(Measurement.of(Metric.UP, Measurement.JVM, 600));
        measurements.add(Measurement.of(Metric.UP, "wg-quick", 120));
        measurements.add(Measurement.of(Metric.LEAKS, Measurement.NATIVE, 0));

        assertThat(measurements.updateTable(file)).isTrue();

        assertThat(Files.readString(file))
                .startsWith("before\n<!-- figures -->\n| | native |")
                .contains("| `tunnel up` of one file, userspace WireGuard | 30 ms | 600 ms | wg-quick 120 ms |\n")
                .contains("replies outside the tunnel during a start, at 40 requests a second | 0 |  |  |\n")
                .contains("Medians of 3 rounds")
                .endsWith("\n<!-- /figures -->\nafter\n")
                .doesNotContain("old");
    }

    @Test
    void a_run_without_the_native_program_keeps_the_table() throws IOException {
        Path file = Files.writeString(directory.resolve("README.md"), TEXT);
        Measurements measurements = new Measurements();
        measurements.add(Measurement.of(Metric.UP, Measurement.JVM, 600));

        assertThat(measurements.updateTable(file)).isFalse();

        assertThat(Files.readString(file)).isEqualTo(TEXT);
    }
}
