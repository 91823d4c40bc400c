package io.culvert.lab;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.util.Arrays;
import java.util.Locale;

/**
 * What was measured of one program.
 *
 * @param what the kind of figure
 * @param who the program
 * @param median of the rounds, in the kind's unit
 * @param least of the rounds
 */
record Figure(What what, String who, double median, double least, int rounds) {

    static final String NATIVE = "native";
    static final String JVM = "JVM";

    /** The kinds, in the order in which they are shown. */
    enum What {
        UP("`tunnel up` of one file, userspace WireGuard", "ms"),
        WIREGUARD("of this the userspace WireGuard alone, until its socket answers", "ms"),
        FIRST_ANSWER("start of `up` to a neighbour's first request answered through the tunnel", "ms"),
        LAST_LEAK("start of `up` to a neighbour's last request answered with the real address", "ms"),
        LEAKS("such requests in a start, at 40 a second", ""),
        READY("plan to \"ready\"", "ms"),
        READY_WITH_HOLES("the same with 10 000 bypass entries", "ms"),
        IDLE("processor time in ten idle seconds", "ms"),
        RENDER("`mesh render` of one node of 1 000, each linked with all (goal: 300 ms)", "ms"),
        RENDER_MEMORY("memory of this, at most", "MB"),
        RENDER_ALL("`mesh render --all` of the same network (goal: 20 s)", "s"),
        RENDER_ALL_MEMORY("memory of this, at most", "MB"),
        PEERS("`mesh up`: what 1 000 peers take more than one (goal: 500 ms more than wg)", "ms"),
        MOVE("a peer's cable is in: time until its traffic goes there", "ms"),
        PAUSE("a transfer moves to a LAN: longest pause (goal: 2 s)", "ms"),
        PAUSE_BACK("a LAN is unplugged under a transfer: longest pause (goal: 2 s)", "ms");

        private final String text;
        private final String unit;

        What(String text, String unit) {
            this.text = text;
            this.unit = unit;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static Figure of(What what, String who, double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Figure(what, who, sorted[sorted.length / 2], sorted[0], sorted.length);
    }

    /** The median for people. */
    String text() {
        return String.format(
                        Locale.ROOT,
                        median < 10 && median != Math.rint(median) ? "%.1f %s" : "%.0f %s",
                        median,
                        what.unit)
                .strip();
    }

    JsonObject json() {
        return Json.createObjectBuilder()
                .add("what", what.name().toLowerCase(java.util.Locale.ROOT))
                .add("text", what.toString())
                .add("who", who)
                .add("unit", what.unit)
                .add("median", median)
                .add("least", least)
                .add("rounds", rounds)
                .build();
    }
}
