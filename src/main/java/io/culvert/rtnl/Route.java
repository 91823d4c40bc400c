// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A route of Culvert, in one family.
 *
 * @param destination with host bits cleared
 * @param table 1 to 4294967295; main is 254
 * @param link the outgoing interface; empty only for a route without a next hop
 * @param mtu in bytes, if the route limits it
 * @param metric lower is better; 0 for the kernel's default
 */
public record Route(
        Type type,
        Prefix destination,
        long table,
        Optional<String> link,
        Optional<InetAddress> gateway,
        OptionalInt mtu,
        long metric) {

    /** Creates a route with the kernel's default metric. */
    public Route(
            Type type,
            Prefix destination,
            long table,
            Optional<String> link,
            Optional<InetAddress> gateway,
            OptionalInt mtu) {
        this(type, destination, table, link, gateway, mtu, 0);
    }

    public Route {
        destination = destination.network();
    }

    /** {@code RT_TABLE_MAIN} (include/uapi/linux/rtnetlink.h). */
    public static final long MAIN = 254;

    /**
     * The metric of routes in the main table of lower priority than a connected network with the same prefix: higher than that of
     * NetworkManager and networkd, so that a laptop that returns home reaches its own network directly, without a
     * running program.
     */
    public static final long BEHIND_CONNECTED = 51820;

    /** {@code rtm_type} (include/uapi/linux/rtnetlink.h). */
    public enum Type {
        UNICAST,
        UNREACHABLE,
        /** The lookup continues with the next rule. */
        THROW
    }

    public static Route unreachable(Prefix destination, long table) {
        return new Route(Type.UNREACHABLE, destination, table, Optional.empty(), Optional.empty(), OptionalInt.empty());
    }

    /** Returns an exception from a wider route of the same table. */
    public static Route throwRoute(Prefix destination, long table) {
        return new Route(Type.THROW, destination, table, Optional.empty(), Optional.empty(), OptionalInt.empty());
    }

    public static Route through(String link, Prefix destination, long table) {
        return new Route(Type.UNICAST, destination, table, Optional.of(link), Optional.empty(), OptionalInt.empty());
    }

    /** Returns this route with another metric. */
    public Route metric(long other) {
        return new Route(type, destination, table, link, gateway, mtu, other);
    }

    /**
     * Compares without the generated method of a record, which is slow until it is compiled: routes are keys of large
     * sets.
     */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Route route
                && type == route.type
                && table == route.table
                && metric == route.metric
                && destination.equals(route.destination)
                && link.equals(route.link)
                && gateway.equals(route.gateway)
                && mtu.equals(route.mtu);
    }

    /** Uses table and destination only, in which almost all routes differ. */
    @Override
    public int hashCode() {
        return 31 * destination.hashCode() + Long.hashCode(table);
    }

    public Family family() {
        return destination.family();
    }
}
