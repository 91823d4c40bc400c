// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

/** The value of {@code Table=}. */
public sealed interface RoutingTable {

    /** Absent or {@code auto}: default routes go to a table with its own rules, other prefixes to the main table. */
    record Auto() implements RoutingTable {}

    /** {@code off}: no routes are added. */
    record Off() implements RoutingTable {}

    /**
     * The table of this number.
     *
     * @param number 1 to 4294967295
     */
    record Numbered(long number) implements RoutingTable {}
}
