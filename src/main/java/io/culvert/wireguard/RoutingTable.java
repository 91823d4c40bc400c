package io.culvert.wireguard;

/** The {@code Table=} of a file. */
public sealed interface RoutingTable {

    /** Absent or {@code auto}: full tunnels get their own table and rules, other prefixes go to main. */
    record Auto() implements RoutingTable {}

    /** No routes at all. */
    record Off() implements RoutingTable {}

    /** @param number 1 to 4294967295 */
    record Numbered(long number) implements RoutingTable {}
}
