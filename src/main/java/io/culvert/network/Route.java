package io.culvert.network;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import java.net.InetAddress;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A route of ours, in one family.
 *
 * @param destination with host bits cleared
 * @param table 1 to 4294967295; main is 254
 * @param link the outgoing interface; empty only for a route that leads nowhere
 * @param mtu in bytes, where the route limits it
 * @param metric lower is better; 0 for what the kernel takes where a request says nothing
 */
public record Route(
        Type type,
        Prefix destination,
        long table,
        Optional<String> link,
        Optional<InetAddress> gateway,
        OptionalInt mtu,
        long metric) {

    /** With the kernel's usual metric. */
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
     * The metric of routes in main that give way to a connected network of the same prefix: behind NetworkManager's and
     * networkd's, so that a laptop that comes home reaches its own network directly, without anybody who must notice.
     */
    public static final long BEHIND_CONNECTED = 51820;

    /** {@code rtm_type} (include/uapi/linux/rtnetlink.h). */
    public enum Type {
        UNICAST,
        UNREACHABLE,
        /** The look-up goes on with the next rule. */
        THROW
    }

    public static Route unreachable(Prefix destination, long table) {
        return new Route(Type.UNREACHABLE, destination, table, Optional.empty(), Optional.empty(), OptionalInt.empty());
    }

    /** An exception within a table's wider route. */
    public static Route exception(Prefix destination, long table) {
        return new Route(Type.THROW, destination, table, Optional.empty(), Optional.empty(), OptionalInt.empty());
    }

    public static Route through(String link, Prefix destination, long table) {
        return new Route(Type.UNICAST, destination, table, Optional.of(link), Optional.empty(), OptionalInt.empty());
    }

    /** The same with another metric. */
    public Route metric(long other) {
        return new Route(type, destination, table, link, gateway, mtu, other);
    }

    /** Written out, as routes are the keys of large sets: a record's own takes long until it is warm. */
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

    /** Hardly any two routes have the same table and destination. */
    @Override
    public int hashCode() {
        return 31 * destination.hashCode() + Long.hashCode(table);
    }

    public Family family() {
        return destination.family();
    }
}
