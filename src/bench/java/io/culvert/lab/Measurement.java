// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.util.Arrays;
import java.util.Locale;

/**
 * A result of the benchmarks for one program.
 *
 * @param metric the metric
 * @param program the program
 * @param median of the rounds, in the metric's unit
 * @param least the minimum of the rounds
 */
record Measurement(Metric metric, String program, double median, double least, int rounds) {

    static final String NATIVE = "native";
    static final String JVM = "JVM";

    /** The metrics, in the order of the table. */
    enum Metric {
        UP("`tunnel up` of one file, userspace WireGuard", "ms"),
        WIREGUARD("of which: userspace WireGuard alone, until its socket replies", "ms"),
        KILL_SWITCH("start of `up` to the kill switch (goal: 10 ms native, 80 ms on the JVM)", "ms"),
        FIRST_ANSWER("start of `up` to the first reply to another container through the tunnel", "ms"),
        LAST_LEAK("start of `up` to the last reply to another container outside the tunnel", "ms"),
        LEAKS("replies outside the tunnel during a start, at 40 requests a second", ""),
        READY("reading the configuration to \"ready\"", "ms"),
        READY_WITH_BYPASSES("the same with 10 000 bypass entries (goal: 200 ms)", "ms"),
        IDLE("CPU time in ten idle seconds", "ms"),
        RENDER("`mesh render` of one node in a full mesh of 1 000 (goal: 50 ms)", "ms"),
        RENDER_MEMORY("peak memory of this", "MB"),
        RENDER_ALL("`mesh render --all` of the same network (goal: 20 s)", "s"),
        RENDER_ALL_MEMORY("peak memory of this", "MB"),
        PEERS("`mesh up`: additional time for 1 000 peers (goal: 50 ms more than wg)", "ms"),
        MOVE("a peer is plugged into the LAN: time until its traffic uses it", "ms"),
        PAUSE("transfer moves to a LAN: longest pause (goal: 2 s)", "ms"),
        PAUSE_BACK("LAN is unplugged during a transfer: longest pause (goal: 2 s)", "ms"),
        DETECTION("the server in use dies under traffic: until it is given up (goal: 2 s)", "ms"),
        DETECTION_99("the same, 99th percentile; the slowest of less than 100 rounds", "ms"),
        RECOVERY("the server in use dies: until traffic leaves by the next server (goal: 2.5 s)", "ms"),
        RECOVERY_99("the same, 99th percentile; the slowest of less than 100 rounds", "ms");

        private final String text;
        private final String unit;

        Metric(String text, String unit) {
            this.text = text;
            this.unit = unit;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static Measurement of(Metric metric, String program, double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Measurement(metric, program, sorted[sorted.length / 2], sorted[0], sorted.length);
    }

    /** Returns the 99th percentile in place of the median. */
    static Measurement percentile99(Metric metric, String program, double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Measurement(
                metric, program, sorted[(int) Math.ceil(sorted.length * 0.99) - 1], sorted[0], sorted.length);
    }

    /** Returns the median with its unit. */
    String text() {
        return String.format(
                        Locale.ROOT,
                        median < 10 && median != Math.rint(median) ? "%.1f %s" : "%.0f %s",
                        median,
                        metric.unit)
                .strip();
    }

    JsonObject json() {
        return Json.createObjectBuilder()
                .add("what", metric.name().toLowerCase(java.util.Locale.ROOT))
                .add("text", metric.toString())
                .add("who", program)
                .add("unit", metric.unit)
                .add("median", median)
                .add("least", least)
                .add("rounds", rounds)
                .build();
    }
}
