// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static java.util.stream.Collectors.joining;

import io.culvert.lab.Comparison.Metric;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** The comparisons of a run, collected round by round. */
final class Comparisons {

    /** The figures of Culvert and of the peer, by round. */
    private record Rounds(List<Double> culvert, List<Double> peer) {}

    private final Map<Metric, Rounds> rounds = new LinkedHashMap<>();

    /** Adds the figures of one round. */
    void add(Metric metric, double culvert, double peer) {
        Rounds all = rounds.computeIfAbsent(metric, _ -> new Rounds(new ArrayList<>(), new ArrayList<>()));
        all.culvert().add(culvert);
        all.peer().add(peer);
    }

    private Stream<Comparison> all() {
        return Comparison.ALL.stream().filter(rounds::containsKey).map(this::comparison);
    }

    private Comparison comparison(Metric metric) {
        Rounds all = Objects.requireNonNull(rounds.get(metric));
        return new Comparison(
                metric, median(all.culvert()), median(all.peer()), all.culvert().size());
    }

    /** Returns the lines of JSON, one for each metric. */
    Stream<String> json() {
        return all().map(comparison -> comparison.json().toString());
    }

    /** Returns the rows of a Markdown table of some metrics. */
    String rows(List<Metric> metrics) {
        return all().filter(comparison -> metrics.contains(comparison.metric()))
                .map(Comparison::row)
                .collect(joining());
    }

    /** Returns whether every metric was measured. */
    boolean complete() {
        return rounds.keySet().containsAll(Comparison.ALL);
    }

    static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
