// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.net.Family;
import io.culvert.packetpath.PacketPath.Departure;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.PlanExamples;
import io.culvert.rtnl.RoutingState.StateLink;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Has the solver Z3 confirm what the decision diagrams find: an error of one engine is seen by the other one. No packet that
 * the solver lets out is missing in the diagrams' set, and what the diagrams give as examples leaves by the solver, too.
 */
@NamespaceTest
class SecondSolverTest {

    static Stream<String> examples() {
        return PlanExamples.all().keySet().stream().sorted();
    }

    @Test
    void the_solver_tells_what_is_possible_from_what_is_not() throws Exception {
        Clauses clauses = new Clauses();
        Integer a = clauses.unknown();
        Integer b = clauses.unknown();

        assertThat(isPossible(clauses, clauses.and(a, clauses.not(b)))).isTrue();
        assertThat(isPossible(clauses, clauses.and(clauses.and(a, b), clauses.not(clauses.or(a, b)))))
                .isFalse();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void no_packet_leaves_that_the_diagrams_do_not_have(String example) throws Exception {
        PlannedNamespace namespace = PlannedNamespace.of(ExitNodePlanner.plan(PlanExamples.inputsOf(example)));
        for (Family family : Family.values()) {
            PacketSets sets = new PacketSets();
            Clauses clauses = new Clauses();
            Run<Integer> first = Run.of(sets, namespace, family);
            Run<Integer> second = Run.of(clauses, namespace, family);
            Map<Integer, Integer> variables = second.variablesOf(first);
            for (StateLink link : namespace.routing().links()) {
                Integer bySets = sets.projection(first.leaves(link), new HashSet<>(variables.keySet()));
                Integer expected = sets.in(clauses, bySets, it -> variables.getOrDefault(it, clauses.no()));
                Integer bySolver = second.leaves(link);

                assertThat(isPossible(clauses, clauses.and(bySolver, clauses.not(expected))))
                        .as("a packet that only the solver lets out by %s, %s", link.name(), family)
                        .isFalse();
                assertThat(isPossible(clauses, bySolver))
                        .as("packets leave by %s, %s", link.name(), family)
                        .isEqualTo(!sets.isNo(bySets));
            }
        }
    }

    /** The packets of local processes in one of the logics. */
    private record Run<B>(
            Logic<B> logic, PacketPath<B> path, PacketFields<B> fields, B isBound, List<Departure<B>> departures) {

        static <B> Run<B> of(Logic<B> logic, PlannedNamespace namespace, Family family) {
            PacketPath<B> path = new PacketPath<>(logic, namespace.routing(), namespace.tables(), Layers.BOTH);
            PacketFields<B> fields = PacketFields.any(logic, family, path.linkBits());
            B isBound = logic.unknown();
            return new Run<>(logic, path, fields, isBound, path.send(fields, logic.yes(), isBound));
        }

        B leaves(StateLink link) {
            return logic.anyOf(departures.stream()
                    .map(departure -> path.leaving(departure, link))
                    .toList());
        }

        /** Returns the fields' variables here, by those of another run. */
        Map<Integer, B> variablesOf(Run<Integer> other) {
            Map<Integer, B> variables = new HashMap<>();
            List<B> own = fields.bits();
            List<Integer> others = other.fields.bits();
            for (int i = 0; i < own.size(); i++) {
                variables.put(others.get(i), own.get(i));
            }
            variables.put(other.isBound, isBound);
            return variables;
        }
    }

    private static boolean isPossible(Clauses clauses, Integer proposition) throws IOException, InterruptedException {
        if (clauses.isNo(proposition)) {
            return false;
        }
        Process z3 = new ProcessBuilder("z3", "-dimacs", "-in")
                .redirectErrorStream(true)
                .start();
        try (var input = z3.getOutputStream()) {
            input.write(clauses.problem(proposition).getBytes(StandardCharsets.US_ASCII));
        }
        String answer = new String(z3.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        z3.waitFor();
        assertThat(Set.of("sat", "unsat", "s SATISFIABLE", "s UNSATISFIABLE"))
                .contains(answer.lines().findFirst().orElse(""));
        return !answer.lines().findFirst().orElse("").toLowerCase(Locale.ROOT).contains("unsat");
    }
}
