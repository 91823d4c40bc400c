// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.audit.MutantJudge.Judgement;
import io.culvert.audit.MutantJudge.Verdict;
import io.culvert.lab.MarkedTable;
import io.culvert.packetpath.PlanMutant;
import io.culvert.packetpath.PlanMutant.Change;
import io.culvert.plan.PlanExamples;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Every rule, route, routing rule, chain policy and element of a set of several plans is removed, widened and moved. What this
 * means is found out over all packets; what can be removed without an effect has a reason.
 *
 * <p>{@code -Dculvert.mutants.seed=N} chooses other changes; {@code -Dculvert.proof.shapes=N} takes all of them, and with
 * {@code -Dupdate=true} writes the results to docs/proof.md.
 */
class MutationTest {

    private static final long SEED = 20_261_130;

    /** Changes of each plan, where not all are taken. */
    private static final int SAMPLE = 8;

    private static final boolean IS_WHOLE = System.getProperty("culvert.proof.shapes") != null;

    @Test
    @Timeout(value = 120, unit = TimeUnit.MINUTES)
    void every_piece_of_a_plan_decides_something_or_has_another_reason() {
        long seed = Long.getLong("culvert.mutants.seed", SEED);
        Map<String, List<Judgement>> judgements = new LinkedHashMap<>();
        MutatedPlans.NAMES.forEach((plan, title) -> {
            MutantJudge judge = new MutantJudge(PlanExamples.inputsOf(plan));
            List<PlanMutant> mutants = new ArrayList<>(judge.mutants());
            if (!IS_WHOLE) {
                Collections.shuffle(mutants, new Random(seed));
                mutants.subList(SAMPLE, mutants.size()).clear();
            }
            judgements.put(title, mutants.stream().map(judge::judge).toList());
        });
        String table = table(judgements);
        System.out.printf("seed %d%n%s", seed, table);

        Set<String> deciding = new HashSet<>();
        Map<String, Set<String>> byReason = new TreeMap<>();
        List<String> unexplained = new ArrayList<>();
        for (Judgement judgement :
                judgements.values().stream().flatMap(List::stream).toList()) {
            if (judgement.mutant().change() == Change.REMOVED) {
                String name = judgement.mutant().name();
                if (judgement.verdict() != Verdict.WITHOUT_EFFECT) {
                    deciding.add(name);
                } else {
                    UnneededPieces.reason(name)
                            .ifPresentOrElse(
                                    reason -> byReason.computeIfAbsent(reason, _ -> new TreeSet<>())
                                            .add(name),
                                    () -> unexplained.add(name));
                }
            }
        }
        if (IS_WHOLE && Boolean.getBoolean("update")) {
            MarkedTable.replace(Path.of("docs/proof.md"), "mutants", table + "\n" + list(byReason));
        }
        assertThat(unexplained)
                .as("what can be removed without an effect, and has no reason")
                .isEmpty();
        if (IS_WHOLE) {
            assertThat(byReason.getOrDefault(UnneededPieces.ELSEWHERE, Set.of()))
                    .as("what decides something in another plan")
                    .allMatch(deciding::contains);
        }
    }

    /** Returns how many changes have each verdict: removed, widened and reordered pieces. */
    private static String table(Map<String, List<Judgement>> judgements) {
        List<Verdict> verdicts = List.of(Verdict.values());
        StringBuilder table = new StringBuilder("| plan | changes | ")
                .append(verdicts.stream().map(Verdict::toString).collect(Collectors.joining(" | ")))
                .append(" |\n")
                .append("|---".repeat(verdicts.size() + 2))
                .append("|\n");
        Map<String, List<Judgement>> rows = new LinkedHashMap<>(judgements);
        rows.put("all", judgements.values().stream().flatMap(List::stream).toList());
        rows.forEach((title, all) -> {
            table.append("| ").append(title).append(" | ").append(all.size()).append(" | ");
            table.append(verdicts.stream()
                            .map(verdict -> Arrays.stream(Change.values())
                                    .map(change -> String.valueOf(all.stream()
                                            .filter(it -> it.verdict() == verdict
                                                    && it.mutant().change() == change)
                                            .count()))
                                    .collect(Collectors.joining(" / ")))
                            .collect(Collectors.joining(" | ")))
                    .append(" |\n");
        });
        return table.toString();
    }

    private static String list(Map<String, Set<String>> byReason) {
        StringBuilder list = new StringBuilder("Removed without an effect on the packets that pass:\n\n");
        byReason.forEach((reason, pieces) -> list.append("- ")
                .append(reason)
                .append(": ")
                .append(pieces.size())
                .append(", such as `")
                .append(pieces.iterator().next().replace('"', '\''))
                .append("`\n"));
        return list.toString();
    }
}
