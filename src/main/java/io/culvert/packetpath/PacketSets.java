// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import jdd.bdd.BDD;

/**
 * Sets of packets as binary decision diagrams: a proposition is the set of the packets of which it is true. Equal sets have
 * the same number.
 *
 * <p>Diagrams are never released; one instance serves one evaluation.
 */
public final class PacketSets implements Logic<Integer> {

    private static final int INITIAL_NODES = 30_000;
    private static final int CACHE_SIZE = 20_000;

    private final BDD diagrams = new Diagrams();

    /** Otherwise the library allocates its stacks again for each variable, of which there are thousands. */
    private static final class Diagrams extends BDD {

        Diagrams() {
            super(INITIAL_NODES, CACHE_SIZE);
        }

        @Override
        public int createVar() {
            // As BDD.createVar computes it.
            int needed = 6 * (num_vars + 1) + 1;
            if (work_stack.length < needed) {
                work_stack = Arrays.copyOf(work_stack, 2 * needed);
            }
            return super.createVar();
        }
    }

    /** In the order of their creation, which is that of the diagrams. */
    private final List<Integer> variables = new ArrayList<>();

    /** How many of them are in use; the others are those of an earlier evaluation. */
    private int used;

    @Override
    public Integer yes() {
        return diagrams.getOne();
    }

    @Override
    public Integer no() {
        return diagrams.getZero();
    }

    @Override
    public Integer and(Integer a, Integer b) {
        return diagrams.ref(diagrams.and(a, b));
    }

    @Override
    public Integer or(Integer a, Integer b) {
        return diagrams.ref(diagrams.or(a, b));
    }

    @Override
    public Integer not(Integer a) {
        return diagrams.ref(diagrams.not(a));
    }

    @Override
    public Integer choose(Integer condition, Integer then, Integer otherwise) {
        return then.equals(otherwise) ? then : diagrams.ref(diagrams.ite(condition, then, otherwise));
    }

    @Override
    public Integer unknown() {
        if (used == variables.size()) {
            variables.add(diagrams.createVar());
        }
        used++;
        return variables.get(used - 1);
    }

    /** Returns how many propositions are unknown so far. */
    public int unknowns() {
        return used;
    }

    /**
     * Forgets all unknown propositions but the first ones: further ones are the same again. So another evaluation, which begins
     * with these, takes most of its diagrams from this one. Sets of both are comparable as {@link #projection}s on the first ones.
     */
    public void forgetUnknowns(int first) {
        used = first;
    }

    @Override
    public boolean isNo(Integer a) {
        return a == diagrams.getZero();
    }

    @Override
    public boolean isYes(Integer a) {
        return a == diagrams.getOne();
    }

    /** Returns whether every packet of one set is in another one. */
    public boolean isSubset(Integer set, Integer of) {
        return isNo(and(set, not(of)));
    }

    /** Returns the packets that agree with one of a set in these variables, whatever they have in others. */
    Integer projection(Integer set, Set<Integer> kept) {
        Integer others = yes();
        for (int variable = variables.size() - 1; variable >= 0; variable--) {
            if (!kept.contains(variables.get(variable))) {
                others = and(others, variables.get(variable));
            }
        }
        return diagrams.ref(diagrams.exists(set, others));
    }

    /** Returns a set in another logic. */
    <B> B in(Logic<B> logic, Integer set, Function<Integer, B> variable) {
        return in(logic, set, variable, new HashMap<>());
    }

    private <B> B in(Logic<B> logic, int node, Function<Integer, B> variable, Map<Integer, B> known) {
        if (node <= diagrams.getOne()) {
            return node == diagrams.getOne() ? logic.yes() : logic.no();
        }
        B translated = known.get(node);
        if (translated == null) {
            translated = logic.choose(
                    variable.apply(variables.get(diagrams.getVar(node))),
                    in(logic, diagrams.getHigh(node), variable, known),
                    in(logic, diagrams.getLow(node), variable, known));
            known.put(node, translated);
        }
        return translated;
    }

    /** Returns a packet of a set: of each variable, whether it is true. Empty if the set has none. */
    public Optional<Example> example(Integer set) {
        return isNo(set)
                ? Optional.empty()
                : Optional.of(new Example(diagrams.oneSat(set, new int[diagrams.numberOfVariables()])));
    }

    /** One packet of a set. Variables that do not matter are false. */
    public final class Example {

        private final int[] values;

        private Example(int[] values) {
            this.values = values;
        }

        /** Returns the value of a proposition on this packet. */
        public boolean value(Integer proposition) {
            int node = proposition;
            while (node > diagrams.getOne()) {
                boolean isTrue = values[diagrams.getVar(node)] == 1;
                node = isTrue ? diagrams.getHigh(node) : diagrams.getLow(node);
            }
            return node == diagrams.getOne();
        }

        /** Returns the value of a number, the most significant bit first. */
        public byte[] value(List<Integer> number) {
            byte[] bytes = new byte[(number.size() + Byte.SIZE - 1) / Byte.SIZE];
            int padding = bytes.length * Byte.SIZE - number.size();
            for (int i = 0; i < number.size(); i++) {
                if (value(number.get(i))) {
                    int bit = i + padding;
                    bytes[bit / Byte.SIZE] |= (byte) (0x80 >> (bit % Byte.SIZE));
                }
            }
            return bytes;
        }
    }
}
