// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.audit.Violation.JudgedLayers;
import io.culvert.net.Family;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What may pass a network namespace.
 *
 * @param uplinks the links that lead out of it
 * @param outgoing what local processes may send by them
 * @param forwarded what is forwarded by them
 * @param incoming what local processes get
 * @param violations what the promise does not list
 * @param foreign rules and tables of other programs, a sentence each
 */
public record AuditReport(
        List<String> uplinks,
        List<Opening> outgoing,
        List<Opening> forwarded,
        List<Opening> incoming,
        List<Violation> violations,
        List<String> foreign) {

    public AuditReport {
        uplinks = List.copyOf(uplinks);
        outgoing = List.copyOf(outgoing);
        forwarded = List.copyOf(forwarded);
        incoming = List.copyOf(incoming);
        violations = List.copyOf(violations);
        foreign = List.copyOf(foreign);
    }

    /** Returns the report with more of other programs. */
    public AuditReport withForeign(List<String> sentences) {
        return new AuditReport(
                uplinks,
                outgoing,
                forwarded,
                incoming,
                violations,
                Stream.concat(foreign.stream(), sentences.stream()).toList());
    }

    public boolean isClean() {
        return violations.isEmpty();
    }

    private List<Violation> violations(JudgedLayers layers) {
        return violations.stream().filter(it -> it.layers() == layers).toList();
    }

    /** Returns the report in plain words. */
    public String text() {
        List<String> lines = new ArrayList<>();
        for (String uplink : uplinks) {
            section(lines, "By " + uplink + ", local processes may send", outgoing, uplink);
        }
        for (String uplink : uplinks) {
            section(lines, "By " + uplink + " is forwarded", forwarded, uplink);
        }
        Set<String> links = new LinkedHashSet<>(uplinks);
        incoming.forEach(opening -> links.add(opening.link()));
        for (String link : links) {
            section(lines, "Through " + link + ", local processes get", incoming, link);
        }
        lines.add("Each layer alone:");
        for (JudgedLayers layers : List.of(JudgedLayers.ROUTING, JudgedLayers.NFTABLES)) {
            List<Violation> found = violations(layers);
            lines.add("  " + layers + ": " + (found.isEmpty() ? "blocks all else" : "NOT SUFFICIENT"));
            found.forEach(violation -> add(lines, violation));
        }
        if (!foreign.isEmpty()) {
            lines.add("Of other programs:");
            foreign.forEach(sentence -> lines.add("  " + sentence));
        }
        List<Violation> found = violations(JudgedLayers.BOTH);
        if (!found.isEmpty()) {
            lines.add("NOT ALLOWED by the settings:");
            found.forEach(violation -> add(lines, violation));
        }
        lines.add(
                isClean() ? "Nothing else may leave." : "Packets may leave or come in that the settings do not allow.");
        return String.join("\n", lines);
    }

    private void section(List<String> lines, String title, List<Opening> all, String link) {
        List<Opening> openings =
                all.stream().filter(it -> it.link().equals(link)).toList();
        lines.add(title + ":");
        for (Opening opening : openings) {
            lines.add("  " + opening.from().map(from -> "from " + from + ": ").orElse("") + opening.sentence() + " ("
                    + families(opening.families()) + ")");
            opening.rules().forEach(rule -> lines.add("    " + rule));
        }
        boolean isAll = violations(JudgedLayers.BOTH).isEmpty();
        if (!isAll) {
            lines.add("  and what is listed below as not allowed");
        } else {
            lines.add(openings.isEmpty() ? "  nothing" : "  nothing else");
        }
    }

    private static void add(List<String> lines, Violation violation) {
        lines.add("  " + violation.sentence());
        violation.path().forEach(step -> lines.add("    " + step));
    }

    private static String families(List<Family> families) {
        return families.stream().map(Family::text).collect(Collectors.joining(", "));
    }

    public JsonObject toJson() {
        JsonArrayBuilder found = Json.createArrayBuilder();
        violations.forEach(violation -> found.add(Json.createObjectBuilder()
                .add("layers", violation.layers().name().toLowerCase(Locale.ROOT))
                .add("sentence", violation.sentence())
                .add("path", Json.createArrayBuilder(violation.path()))));
        return Json.createObjectBuilder()
                .add("clean", isClean())
                .add("uplinks", Json.createArrayBuilder(uplinks))
                .add("outgoing", json(outgoing))
                .add("forwarded", json(forwarded))
                .add("incoming", json(incoming))
                .add("violations", found)
                .add("foreign", Json.createArrayBuilder(foreign))
                .build();
    }

    private static JsonArrayBuilder json(List<Opening> openings) {
        JsonArrayBuilder array = Json.createArrayBuilder();
        for (Opening opening : openings) {
            JsonObjectBuilder object = Json.createObjectBuilder().add("link", opening.link());
            Optional<String> from = opening.from();
            from.ifPresent(link -> object.add("from", link));
            array.add(object.add("allowed", opening.sentence())
                    .add(
                            "families",
                            Json.createArrayBuilder(opening.families().stream()
                                    .map(Family::text)
                                    .toList()))
                    .add("rules", Json.createArrayBuilder(opening.rules())));
        }
        return array;
    }
}
