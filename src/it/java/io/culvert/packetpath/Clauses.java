// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import java.util.HashMap;
import java.util.Map;

/**
 * Propositions as circuits of and-gates, which are written as clauses for a solver (DIMACS, by Tseitin's encoding). A
 * proposition is the number of a gate or an unknown; negative for its opposite.
 */
final class Clauses implements Logic<Integer> {

    private static final int YES = 1;

    private final StringBuilder gates = new StringBuilder();
    private final Map<Long, Integer> known = new HashMap<>();
    private int last = YES;
    private int count;

    @Override
    public Integer yes() {
        return YES;
    }

    @Override
    public Integer no() {
        return -YES;
    }

    @Override
    public Integer not(Integer a) {
        return -a;
    }

    @Override
    public Integer and(Integer a, Integer b) {
        if (a == -YES || b == -YES || a == -b) {
            return -YES;
        }
        if (a == YES || a.equals(b)) {
            return b;
        }
        if (b == YES) {
            return a;
        }
        int first = Math.min(a, b);
        int second = Math.max(a, b);
        return known.computeIfAbsent(((long) first << Integer.SIZE) | Integer.toUnsignedLong(second), _ -> {
            int gate = ++last;
            clause(-gate, first);
            clause(-gate, second);
            clause(gate, -first, -second);
            return gate;
        });
    }

    @Override
    public Integer or(Integer a, Integer b) {
        return -and(-a, -b);
    }

    @Override
    public Integer unknown() {
        return ++last;
    }

    @Override
    public boolean isNo(Integer a) {
        return a == -YES;
    }

    @Override
    public boolean isYes(Integer a) {
        return a == YES;
    }

    private void clause(int... literals) {
        for (int literal : literals) {
            gates.append(literal).append(' ');
        }
        gates.append("0\n");
        count++;
    }

    /** Returns the problem whether a proposition is true of any packet. */
    String problem(Integer proposition) {
        return "p cnf " + last + ' ' + (count + 2) + '\n' + gates + YES + " 0\n" + proposition + " 0\n";
    }
}
