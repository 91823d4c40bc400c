// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Routing rules without conditions, as those that the kernel itself adds. */
public final class LookupRules {

    private LookupRules() {}

    /** Returns a rule that looks up a table for all packets. */
    public static LookupRule lookup(Family family, long preference, long table) {
        return new LookupRule(
                family,
                preference,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                false,
                new LookupRule.Action.LookupTable(table, OptionalInt.empty(), OptionalLong.empty()),
                false);
    }
}
