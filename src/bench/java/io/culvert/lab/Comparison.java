// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.util.Locale;

/**
 * A figure of Culvert next to the same figure of a peer, measured in alternating rounds of one run: the ratio is valid for other
 * machines, too.
 *
 * @param culvert median of the rounds, in the metric's unit
 * @param peer the same of the peer
 */
record Comparison(Metric metric, double culvert, double peer, int rounds) {

    private static final String PLAIN = "the same programs with plain rules";

    /** The metrics, in the order of the table. */
    enum Metric {
        TAILSCALE_DOWN("Tailscale client, download, one TCP stream", "Mbit/s", PLAIN),
        TAILSCALE_UP("Tailscale client, upload, one TCP stream", "Mbit/s", PLAIN),
        TAILSCALE_DOWN_8("Tailscale client, download, eight TCP streams", "Mbit/s", PLAIN),
        TAILSCALE_UP_8("Tailscale client, upload, eight TCP streams", "Mbit/s", PLAIN),
        TAILSCALE_PACKETS("Tailscale client, UDP packets of 64 bytes", "packets/s", PLAIN),
        TAILSCALE_LATENCY("Tailscale client, round trip, median", "ms", PLAIN),
        TAILSCALE_LATENCY_99("Tailscale client, round trip, 99th percentile", "ms", PLAIN),
        TAILSCALE_CPU("Tailscale client, CPU time per gigabyte, all programs of the path", "s", PLAIN),
        TAILSCALE_SEQUENCE(
                "Tailscale client, download, one TCP stream", "Mbit/s", "tswg's sequence, Debian's wireguard-go"),
        TAILSCALE_START(
                "restart until a Tailscale client can use the exit node again",
                "ms",
                "tswg's sequence, with the same wireguard-go"),
        SOCKS_START("restart until the SOCKS5 proxy replies", "ms", "tswg's sequence, with the same wireguard-go"),
        SOCKS("SOCKS5 proxy, download, one TCP stream", "Mbit/s", "the same path without the proxy"),
        WIREGUARD_DOWN("WireGuard client, download, one TCP stream", "Mbit/s", PLAIN),
        WIREGUARD_UP("WireGuard client, upload, one TCP stream", "Mbit/s", PLAIN),
        WIREGUARD_DOWN_8("WireGuard client, download, eight TCP streams", "Mbit/s", PLAIN),
        WIREGUARD_UP_8("WireGuard client, upload, eight TCP streams", "Mbit/s", PLAIN),
        WIREGUARD_PACKETS("WireGuard client, UDP packets of 64 bytes", "packets/s", PLAIN),
        WIREGUARD_LATENCY("WireGuard client, round trip, median", "ms", PLAIN),
        WIREGUARD_LATENCY_99("WireGuard client, round trip, 99th percentile", "ms", PLAIN),
        WIREGUARD_CPU("WireGuard client, CPU time per gigabyte, all programs of the path", "s", PLAIN);

        private final String text;
        private final String unit;
        private final String peer;

        Metric(String text, String unit, String peer) {
            this.text = text;
            this.unit = unit;
            this.peer = peer;
        }
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
                .add("what", metric.name().toLowerCase(Locale.ROOT))
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
