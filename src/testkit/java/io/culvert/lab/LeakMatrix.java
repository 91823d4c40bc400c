// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** The measured leak matrix: a row per state, a column per origin, and in each of them the cells of both families. */
public final class LeakMatrix {

    /** Where the results are published. */
    static final Path PAGE = Path.of("docs/proof.md");

    private static final boolean UPDATE = Boolean.getBoolean("update");

    /** The origins that need no tailnet. */
    public static final List<TrafficOrigin> ORIGINS = List.of(
            TrafficOrigin.LOCAL,
            TrafficOrigin.SIBLING,
            TrafficOrigin.RAW_SIBLING,
            TrafficOrigin.PROXY_CLIENT,
            TrafficOrigin.WIREGUARD_CLIENT);

    /** The origins that are measured next to a client of a tailnet. */
    public static final List<TrafficOrigin> TAILNET_ORIGINS =
            List.of(TrafficOrigin.LOCAL, TrafficOrigin.SIBLING, TrafficOrigin.TAILSCALE_CLIENT);

    private final List<TrafficOrigin> origins;
    private final Map<LeakState, Map<LeakCell, LeakVerdict>> rows = new EnumMap<>(LeakState.class);

    public LeakMatrix(List<TrafficOrigin> origins) {
        this.origins = List.copyOf(origins);
    }

    public List<TrafficOrigin> origins() {
        return origins;
    }

    public void add(LeakState state, Map<LeakCell, LeakVerdict> verdicts) {
        rows.put(state, Map.copyOf(verdicts));
    }

    /** Returns how many applicable cells there are in the rows that are no positive control. */
    public long size() {
        return rows.entrySet().stream()
                .filter(row -> row.getKey().kind() != LeakState.Kind.CONTROL)
                .map(row -> row.getValue().values())
                .flatMap(Collection::stream)
                .filter(verdict -> verdict != LeakVerdict.NOT_APPLICABLE)
                .count();
    }

    /** Writes the table to docs/proof.md, between the marks of this name, if the tests run with {@code -Dupdate=true}. */
    public void publish(String name) {
        if (UPDATE) {
            String commit = CommandResult.of(List.of("git", "rev-parse", "--short", "HEAD"))
                    .outputOrFail()
                    .strip();
            MarkedTable.replace(
                    PAGE,
                    name,
                    "%s\n%d cells without the positive controls, measured on %s at commit %s.\n"
                            .formatted(table(), size(), LocalDate.now(ZoneOffset.UTC), commit));
        }
    }

    /** Returns the table as Markdown. */
    public String table() {
        StringBuilder table = new StringBuilder(header(origins));
        rows.keySet().forEach(state -> table.append(row(state)));
        return table.toString();
    }

    /** Returns the line of a measured state. */
    public String row(LeakState state) {
        Map<LeakCell, LeakVerdict> verdicts = Objects.requireNonNull(rows.get(state));
        return row(
                state,
                origins.stream()
                        .map(origin -> "`" + cells(verdicts, origin, Family.IPV4) + " "
                                + cells(verdicts, origin, Family.IPV6) + "`")
                        .toList());
    }

    /** Returns the first two lines of the table with these columns. */
    public static String header(List<TrafficOrigin> origins) {
        List<String> titles = new ArrayList<>(List.of("state"));
        origins.forEach(origin -> titles.add(origin.title()));
        return "| " + String.join(" | ", titles) + " |\n" + "|---".repeat(titles.size()) + "|\n";
    }

    /** Returns a line of the table. */
    static String row(LeakState state, List<String> columns) {
        return "| " + state.title() + " | " + String.join(" | ", columns) + " |\n";
    }

    private static String cells(Map<LeakCell, LeakVerdict> verdicts, TrafficOrigin origin, Family family) {
        return Arrays.stream(TrafficKind.values())
                .map(kind -> Objects.requireNonNull(verdicts.get(new LeakCell(origin, family, kind))))
                .map(verdict -> String.valueOf(verdict.symbol()))
                .collect(Collectors.joining());
    }
}
