// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.diagnostics.Log;
import io.culvert.net.Endpoint;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import io.culvert.wireguard.device.DeviceState.PeerState;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * The status page: complete without JavaScript, which only replaces its parts by those of a newer page, and sends requests.
 *
 * @param audit the report of {@code culvert audit}; empty if there is none
 */
record StatusPage(
        ExitNodeFigures figures,
        JsonObject audit,
        List<EventLog.Event> events,
        List<History.Point> hour,
        List<History.Point> day,
        Instant now) {

    private static final int SHOWN_EVENTS = 40;

    /** Returns the page; scripts and styles have this nonce (Content Security Policy 3, section 7.1). */
    String html(String template, String nonce) {
        return template.replace("{{nonce}}", nonce)
                .replace("{{title}}", escaped(status().state() + " – Culvert"))
                .replace("{{state}}", state())
                .replace("{{picture}}", picture())
                .replace("{{server}}", server())
                .replace("{{history}}", history())
                .replace("{{clients}}", clients())
                .replace("{{killSwitch}}", killSwitch())
                .replace("{{processes}}", processes())
                .replace("{{events}}", latestEvents());
    }

    private StatusReport status() {
        return figures.status();
    }

    private String state() {
        State state = status().state();
        return "<p class=\"state " + kind() + "\"><strong>" + state + "</strong></p><p>" + explanation(state) + "</p>"
                + list(status().problems());
    }

    /** Returns whether traffic gets through, nothing can leave, or something may. */
    private String kind() {
        return switch (status().state()) {
            case CONNECTED -> "good";
            case DEGRADED, CONNECTING, PAUSED, FAILING_OVER -> "waiting";
            case BLOCKED, STOPPED, UNRESPONSIVE, EXPOSED -> "bad";
        };
    }

    private static String explanation(State state) {
        return switch (state) {
            case CONNECTED -> "Traffic goes through the tunnel.";
            case DEGRADED ->
                "Traffic goes through the tunnel, with much loss or delay, or a part of the plan could not be applied.";
            case CONNECTING -> "Waiting for the server. What needs the tunnel is blocked.";
            case PAUSED -> "Disconnected as requested. What needs the tunnel is blocked.";
            case FAILING_OVER ->
                "The server does not respond, and another one is being tried. What needs the tunnel is blocked.";
            case BLOCKED -> "What needs the tunnel is blocked.";
            case EXPOSED -> "A layer of the kill switch is not in effect.";
            case STOPPED, UNRESPONSIVE -> "The exit node does not respond.";
        };
    }

    /** Returns the path from client to internet; what it shows is also in the sections below. */
    private String picture() {
        boolean flows = status().healthy();
        String[][] stations = {
            {"clients", peers().isEmpty() ? "" : peers().size() + " peers"},
            {"exit node", status().implementation()},
            {"server", shortened(status().server())},
            {"internet", flows ? "reachable" : "blocked"},
        };
        StringBuilder svg = new StringBuilder("<svg viewBox=\"0 0 640 120\" role=\"img\" aria-label=\""
                + "clients, exit node, server, internet: " + (flows ? "connected" : "the tunnel is blocked") + "\">");
        for (int number = 0; number < stations.length; number++) {
            int x = 5 + number * 165;
            if (number > 0) {
                boolean passes = number == 1 || flows;
                svg.append("<line class=\"" + (passes ? "flows" : "blocked") + "\" x1=\"" + (x - 30)
                        + "\" y1=\"45\" x2=\"" + x + "\" y2=\"45\"/>");
            }
            svg.append("<rect x=\"" + x + "\" y=\"15\" width=\"135\" height=\"60\" rx=\"8\"/>")
                    .append(text(x + 67, 41, "name", stations[number][0]))
                    .append(text(x + 67, 60, "detail", stations[number][1]));
        }
        return svg.append(text(318, 105, "detail", path())).append("</svg>").toString();
    }

    private static String text(int x, int y, String kind, String text) {
        return "<text x=\"" + x + "\" y=\"" + y + "\" class=\"" + kind + "\">" + escaped(text) + "</text>";
    }

    private static String shortened(String server) {
        int end = server.indexOf(" (");
        String address = end < 0 ? server : server.substring(0, end);
        return address.length() > 22 ? address.substring(0, 21) + "…" : address;
    }

    private String path() {
        String rate = hour.isEmpty()
                ? ""
                : rate(hour.getLast().receivedRate()) + " received, "
                        + rate(hour.getLast().sentRate()) + " sent";
        return List.of(rate, status().path()).stream()
                .filter(part -> !part.isEmpty())
                .collect(Collectors.joining("; "));
    }

    private String server() {
        SequencedMap<String, String> rows = new LinkedHashMap<>();
        rows.put("Server", status().server());
        rows.put("Latest handshake", status().handshake().map(this::ago).orElse("never"));
        rows.put(
                "Transfer",
                StatusReport.bytes(status().receivedBytes()) + " received, " + StatusReport.bytes(status().sentBytes())
                        + " sent");
        rows.put("Path", status().path().isEmpty() ? "not measured yet" : status().path());
        rows.put("Files", String.join(", ", status().configuration().files()));
        if (status().facts().forwardedPort().enabled()) {
            rows.put("Forwarded port", status().facts().forwardedPort().toString());
        }
        rows.put("Mesh", status().mesh());
        StringBuilder html = new StringBuilder("<dl>");
        rows.forEach((name, value) -> html.append("<dt>" + name + "</dt><dd>" + escaped(value) + "</dd>"));
        return html.append("</dl>").toString();
    }

    private String history() {
        return chart("Received, last hour", hour, History.Point::receivedRate, StatusPage::rate)
                + chart("Sent, last hour", hour, History.Point::sentRate, StatusPage::rate)
                + chart("Round trip, last hour", hour, History.Point::roundTripMillis, StatusPage::millis)
                + chart("Received, last day", day, History.Point::receivedRate, StatusPage::rate)
                + chart("Sent, last day", day, History.Point::sentRate, StatusPage::rate)
                + chart("Round trip, last day", day, History.Point::roundTripMillis, StatusPage::millis);
    }

    /** Formats a value. */
    private interface Format {
        String of(double value);
    }

    private static String chart(
            String title, List<History.Point> points, ToDoubleFunction<History.Point> value, Format format) {
        double max = points.stream().mapToDouble(value).max().orElse(0);
        String caption = points.isEmpty()
                ? "no samples yet"
                : "now " + format.of(value.applyAsDouble(points.getLast())) + ", at most " + format.of(max);
        StringBuilder line = new StringBuilder();
        for (int number = 0; number < points.size(); number++) {
            double x = points.size() == 1 ? 0 : 300.0 * number / (points.size() - 1);
            double y = max == 0 ? 48 : 48 - 46 * value.applyAsDouble(points.get(number)) / max;
            line.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y));
        }
        return "<figure><figcaption>" + title + ": " + caption
                + "</figcaption><svg class=\"chart\" viewBox=\"0 0 300 50\""
                + " preserveAspectRatio=\"none\" aria-hidden=\"true\"><polyline points=\""
                + line.toString().strip()
                + "\"/></svg></figure>";
    }

    private List<PeerState> peers() {
        return figures.devices().entrySet().stream()
                .filter(device -> !device.getKey().equals(figures.tunnel()))
                .flatMap(device -> device.getValue().peers().stream())
                .toList();
    }

    private String clients() {
        if (peers().isEmpty()) {
            return "<p>" + escaped(status().mesh()) + "</p>";
        }
        return "<table><thead><tr><th scope=\"col\">Addresses</th><th scope=\"col\">Endpoint</th>"
                + "<th scope=\"col\">Latest handshake</th><th scope=\"col\">Received</th><th scope=\"col\">Sent</th></tr></thead><tbody>"
                + peers().stream()
                        .map(peer -> "<tr><th scope=\"row\">"
                                + escaped(peer.allowedIps().stream()
                                        .map(Object::toString)
                                        .collect(Collectors.joining(", ")))
                                + "</th><td>"
                                + escaped(peer.endpoint()
                                        .map(at -> Endpoint.of(at).toString())
                                        .orElse("none"))
                                + "</td><td>"
                                + peer.lastHandshake().map(this::ago).orElse("never")
                                + "</td><td>" + StatusReport.bytes(peer.receivedBytes()) + "</td><td>"
                                + StatusReport.bytes(peer.sentBytes()) + "</td></tr>")
                        .collect(Collectors.joining())
                + "</tbody></table>";
    }

    private String killSwitch() {
        StringBuilder html = new StringBuilder("<ul>");
        status().killSwitch()
                .forEach((layer, active) -> html.append("<li>" + escaped(layer) + ": "
                        + (active ? "active" : "<strong>NOT IN EFFECT</strong>") + "</li>"));
        status().leakTest()
                .ifPresent(test -> html.append("<li>leak test: " + test.verdict() + " " + ago(test.time()) + " ("
                        + escaped(test.totals()) + ")</li>"));
        html.append("</ul>");
        if (audit.containsKey("clean")) {
            html.append("<h3>Audit</h3><p>"
                    + (audit.getBoolean("clean")
                            ? "Nothing else may leave than this:"
                            : "<strong>Packets may leave or come in that the settings do not allow.</strong>")
                    + "</p>");
            html.append(list(audit.getJsonArray("violations").getValuesAs(JsonObject.class).stream()
                    .map(violation -> violation.getString("sentence"))
                    .toList()));
            html.append("<h4>May be sent by local processes</h4>" + openings("outgoing"));
            html.append("<h4>Is forwarded</h4>" + openings("forwarded"));
            html.append("<h4>May come in</h4>" + openings("incoming"));
        }
        return html.toString();
    }

    private String openings(String direction) {
        List<String> sentences = audit.getJsonArray(direction).getValuesAs(JsonObject.class).stream()
                .map(opening -> opening.getString("link") + ": " + opening.getString("allowed") + " ("
                        + opening.getJsonArray("families").getValuesAs(JsonString.class).stream()
                                .map(JsonString::getString)
                                .collect(Collectors.joining(", "))
                        + ")")
                .toList();
        return sentences.isEmpty() ? "<p>nothing</p>" : list(sentences);
    }

    private String processes() {
        return status().children().isEmpty()
                ? "<p>none</p>"
                : list(status().children().entrySet().stream()
                        .map(child -> child.getKey() + ": " + child.getValue())
                        .toList());
    }

    private String latestEvents() {
        List<EventLog.Event> latest = events.subList(Math.max(0, events.size() - SHOWN_EVENTS), events.size());
        return "<ol reversed>"
                + latest.reversed().stream()
                        .map(event -> "<li class=\"" + (event.level() == Log.Level.INFO ? "info" : "warn")
                                + "\"><time datetime=\""
                                + event.time() + "\">"
                                + event.time()
                                        .truncatedTo(ChronoUnit.SECONDS)
                                        .toString()
                                        .replace("T", " ")
                                + "</time> " + (event.level() == Log.Level.INFO ? "" : event.level() + ": ")
                                + escaped(event.line()) + "</li>")
                        .collect(Collectors.joining())
                + "</ol>";
    }

    private static String list(Collection<String> sentences) {
        return sentences.isEmpty()
                ? ""
                : sentences.stream()
                        .map(sentence -> "<li>" + escaped(sentence) + "</li>")
                        .collect(Collectors.joining("", "<ul>", "</ul>"));
    }

    private String ago(Instant time) {
        return StatusReport.ago(Duration.between(time, now));
    }

    private static String rate(double bytesPerSecond) {
        return StatusReport.bytes(Math.round(bytesPerSecond)) + "/s";
    }

    private static String millis(double value) {
        return Math.round(value) + " ms";
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                // Not to be taken for a place in the template.
                .replace("{", "&#123;");
    }
}
