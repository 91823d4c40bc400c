// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;
import java.util.OptionalLong;

/**
 * A rule of any program's table, as listed by the kernel.
 *
 * @param handle the kernel's number of it, unique in its table
 * @param comment empty if it has none
 */
public record TableRule(long handle, String comment, List<Expression> expressions) {

    public TableRule {
        expressions = List.copyOf(expressions);
    }

    /** Returns the number of packets that its counter has counted; empty if it has none. */
    OptionalLong packets() {
        return expressions.stream()
                .filter(expression -> expression.name().equals("counter"))
                .map(counter -> counter.number(NfTables.NFTA_COUNTER_PACKETS))
                .flatMapToLong(OptionalLong::stream)
                .findFirst();
    }
}
