// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;

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
}
