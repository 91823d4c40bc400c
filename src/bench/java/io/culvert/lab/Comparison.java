// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A figure of Culvert next to the same figure of a peer, measured in alternating rounds of one run: the ratio is valid for other
 * machines, too.
 *
 * @param culvert median of the rounds, in the metric's unit
 * @param peer the same of the peer
 */
record Comparison(Metric metric, double culvert, double peer, int rounds) {

    /** What is compared: the text in the table, the unit, and the peer. */
    record Metric(String text, String unit, String peer) {}

    /** What is measured for each kind of client, next to the same programs with plain rules. */
    enum DataPath {
        DOWN("download, one TCP stream", "Mbit/s"),
        UP("upload, one TCP stream", "Mbit/s"),
        DOWN_8("download, eight TCP streams", "Mbit/s"),
        UP_8("upload, eight TCP streams", "Mbit/s"),
        PACKETS("UDP packets of 64 bytes", "packets/s"),
        LATENCY("round trip, median", "ms"),
        LATENCY_99("round trip, 99th percentile", "ms"),
        CPU("CPU time per gigabyte, all programs of the path", "s");

        private final String text;
        private final String unit;

        DataPath(String text, String unit) {
            this.text = text;
            this.unit = unit;
        }

        Metric of(String client) {
            return new Metric(client + ", " + text, unit, "the same programs with plain rules");
        }
    }

    static final String TAILSCALE_CLIENT = "Tailscale client";
    static final String WIREGUARD_CLIENT = "WireGuard client";

    private static final String SAME_WIREGUARD = "tswg's sequence, with the same wireguard-go";

    static final Metric TUNNEL_UP = new Metric("a tunnel from a file, userspace WireGuard", "ms", "wg-quick");
    static final Metric TAILSCALE_SEQUENCE = new Metric(
            "Tailscale client, download, one TCP stream", "Mbit/s", "tswg's sequence, Debian's wireguard-go");
    static final Metric TAILSCALE_START =
            new Metric("restart until a Tailscale client can use the exit node again", "ms", SAME_WIREGUARD);
    static final Metric SOCKS_START = new Metric("restart until the SOCKS5 proxy replies", "ms", SAME_WIREGUARD);

    private static final String SWITCH = "a dead server, from its detection until traffic leaves by the next one";

    static final Metric FAILOVER = new Metric(SWITCH, "ms", "a restart of Culvert with the next file");
    static final Metric FAILOVER_WG_QUICK = new Metric(SWITCH, "ms", "wg-quick down, and up with the next file");
    static final Metric SOCKS =
            new Metric("SOCKS5 proxy, download, one TCP stream", "Mbit/s", "the same path without the proxy");

    /** All metrics, in the order of the table. */
    static final List<Metric> ALL = Stream.of(
                    Stream.of(TUNNEL_UP, FAILOVER, FAILOVER_WG_QUICK),
                    dataPath(TAILSCALE_CLIENT),
                    Stream.of(TAILSCALE_SEQUENCE, TAILSCALE_START, SOCKS_START, SOCKS),
                    dataPath(WIREGUARD_CLIENT))
            .flatMap(metrics -> metrics)
            .toList();

    private static Stream<Metric> dataPath(String client) {
        return Arrays.stream(DataPath.values()).map(figure -> figure.of(client));
    }

    double ratio() {
        return culvert / peer;
    }

    /** Returns the row of a Markdown table: what, Culvert, peer, ratio. */
    String row() {
        return "| %s | %s | %s: %s | %s |\n"
                .formatted(
                        metric.text,
                        figure(culvert),
                        metric.peer,
                        figure(peer),
                        String.format(Locale.ROOT, "%.2f", ratio()));
    }

    private String figure(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f %s" : "%.0f %s", value, metric.unit);
    }

    JsonObject json() {
        return Json.createObjectBuilder()
                .add("text", metric.text)
                .add("unit", metric.unit)
                .add("culvert", culvert)
                .add("peer", metric.peer)
                .add("peerFigure", peer)
                .add("ratio", ratio())
                .add("rounds", rounds)
                .build();
    }
}
