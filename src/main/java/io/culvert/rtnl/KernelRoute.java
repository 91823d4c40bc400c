// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.MalformedMessageException;
import io.culvert.netlink.NetlinkMessage;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A route, as listed by the kernel.
 *
 * @param type {@code rtm_type}
 * @param metric lower is better
 * @param mtu 0 if the route does not limit it
 * @param hops one, or several for a multipath route; none if the route has no next hop
 * @param plain without anything that Culvert's own routes never have, such as a source
 * @param message the listing message; sent back with the type for deletion, it identifies exactly this route
 */
record KernelRoute(
        int type,
        int protocol,
        Prefix destination,
        long table,
        long metric,
        int mtu,
        List<Hop> hops,
        boolean plain,
        NetlinkMessage message) {

    /**
     * A next hop of a route.
     *
     * @param link the index of the link
     * @param isUsable whether its link is up and has a carrier
     */
    record Hop(int link, Optional<InetAddress> gateway, boolean isUsable) {}

    /**
     * {@code sizeof(struct rtmsg)}: family, lengths of destination and source, type of service, table, protocol, scope,
     * type, flags (4).
     */
    static final int HEADER = 12;

    /** {@code sizeof(struct rtnexthop)}: length (2), flags, weight, link (4). */
    private static final int HOP_HEADER = 8;

    static final int RTN_UNICAST = 1;
    private static final int RTN_LOCAL = 2;
    private static final int RTN_BROADCAST = 3;
    private static final int RTN_ANYCAST = 4;
    private static final int RTN_MULTICAST = 5;
    private static final int RTN_BLACKHOLE = 6;
    static final int RTN_UNREACHABLE = 7;
    private static final int RTN_PROHIBIT = 8;
    static final int RTN_THROW = 9;

    private static final int RT_SCOPE_LINK = 253;

    /** Marks a cache entry, which is not a route. */
    private static final int RTM_F_CLONED = 0x200;

    private static final int RTNH_F_DEAD = 1;
    private static final int RTNH_F_LINKDOWN = 16;
    private static final int RTNH_F_ONLINK = 4;

    static final int RTA_DST = 1;
    private static final int RTA_SRC = 2;
    private static final int RTA_IIF = 3;
    static final int RTA_OIF = 4;
    private static final int RTA_GATEWAY = 5;
    private static final int RTA_PRIORITY = 6;
    static final int RTA_PREFSRC = 7;
    static final int RTA_METRICS = 8;
    private static final int RTA_MULTIPATH = 9;
    private static final int RTA_TABLE = 15;
    private static final int RTA_VIA = 18;
    private static final int RTA_ENCAP = 22;
    private static final int RTA_ENCAP_TYPE = 21;
    private static final int RTA_NH_ID = 30;
    private static final int RTA_FLOWLABEL = 31;
    static final int RTAX_MTU = 2;

    /** Returns the default metric; IPv6's is {@code IP6_RT_PRIO_USER} (include/uapi/linux/ipv6_route.h). */
    private static long defaultMetric(Family family) {
        return family == Family.IPV4 ? 0 : 1024;
    }

    /** Returns the request that lists Culvert's routes of both families; kernels before 4.20 list all routes. */
    static NetlinkMessage listOurs() {
        return new NetlinkMessage(
                RtNetlink.RTM_GETROUTE,
                0,
                RtNetlink.struct(HEADER).put(5, (byte) Ownership.PROTOCOL).array());
    }

    /**
     * Returns the request that lists Culvert's routes in a table, of both families; kernels before 4.20 list all
     * routes.
     */
    static NetlinkMessage listOurs(long table) {
        return new NetlinkMessage(
                RtNetlink.RTM_GETROUTE,
                0,
                AttributeWriter.after(RtNetlink.struct(HEADER)
                                .put(5, (byte) Ownership.PROTOCOL)
                                .array())
                        .u32(RTA_TABLE, table)
                        .toByteArray());
    }

    /** Returns the request that lists the routes of a table, of both families; kernels before 4.20 list all routes. */
    static NetlinkMessage listTable(long table) {
        return new NetlinkMessage(
                RtNetlink.RTM_GETROUTE,
                0,
                AttributeWriter.after(new byte[HEADER]).u32(RTA_TABLE, table).toByteArray());
    }

    /** Returns the request that lists the routes of all tables, of both families. */
    static NetlinkMessage listAll() {
        return new NetlinkMessage(RtNetlink.RTM_GETROUTE, 0, new byte[HEADER]);
    }

    /** Decodes a route of another program; empty for a route of Culvert, of which there may be thousands. */
    static Optional<KernelRoute> decodeForeign(NetlinkMessage message) {
        return decode(message, true);
    }

    static Optional<KernelRoute> decode(NetlinkMessage message) {
        return decode(message, false);
    }

    private static Optional<KernelRoute> decode(NetlinkMessage message, boolean foreign) {
        byte[] payload = message.payload();
        if (message.type() != RtNetlink.RTM_NEWROUTE || payload.length < HEADER) {
            return Optional.empty();
        }
        var header = RtNetlink.read(payload);
        if (foreign && Byte.toUnsignedInt(header.get(5)) == Ownership.PROTOCOL) {
            return Optional.empty();
        }
        int family = header.get(0);
        int length = Byte.toUnsignedInt(header.get(1));
        Attributes attributes = Attributes.parse(payload, HEADER);
        Optional<InetAddress> destination = length == 0
                ? RtNetlink.unspecified(family)
                : attributes.bytes(RTA_DST).flatMap(bytes -> RtNetlink.address(family, bytes));
        if ((header.getInt(8) & RTM_F_CLONED) != 0
                || destination.filter(it -> length <= Family.of(it).bits()).isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new KernelRoute(
                Byte.toUnsignedInt(header.get(7)),
                Byte.toUnsignedInt(header.get(5)),
                new Prefix(destination.get(), length),
                attributes.number(RTA_TABLE, Byte.toUnsignedInt(header.get(4))),
                attributes.number(RTA_PRIORITY, 0),
                attributes.has(RTA_METRICS)
                        ? (int) attributes.nested(RTA_METRICS).number(RTAX_MTU, 0)
                        : 0,
                hops(family, header.getInt(8), attributes),
                header.get(2) == 0
                        && header.get(3) == 0
                        && !attributes.hasAny(
                                RTA_SRC, RTA_IIF, RTA_PREFSRC, RTA_MULTIPATH, RTA_VIA, RTA_ENCAP, RTA_NH_ID),
                message));
    }

    /**
     * Decodes a route of any program as the kernel evaluates it; empty for another family or a cache entry.
     *
     * @throws MalformedMessageException if it is not known which packets it is for
     */
    static Optional<LookupRoute> decodeLookup(NetlinkMessage message) {
        byte[] payload = message.payload();
        Optional<Family> family = RtNetlink.family(message, RtNetlink.RTM_NEWROUTE, HEADER);
        if (family.isEmpty() || (RtNetlink.read(payload).getInt(8) & RTM_F_CLONED) != 0) {
            return Optional.empty();
        }
        KernelRoute route =
                decode(message).orElseThrow(() -> new MalformedMessageException("a route without its destination"));
        Attributes attributes = Attributes.parse(payload, HEADER);
        int sourceLength = Byte.toUnsignedInt(payload[2]);
        Prefix source = sourceLength == 0
                ? Prefix.all(family.get())
                : RtNetlink.prefix(family.get(), sourceLength, attributes.bytes(RTA_SRC))
                        .orElseThrow(() -> new MalformedMessageException("a route without its source"));
        LookupRoute.Kind kind = kind(route.type);
        return Optional.of(new LookupRoute(
                family.get(),
                route.table,
                kind,
                route.destination,
                source,
                route.metric,
                Byte.toUnsignedInt(payload[3]),
                attributes
                        .bytes(RTA_PREFSRC)
                        .flatMap(bytes -> RtNetlink.address(family.get().number(), bytes)),
                route.hops.stream()
                        .map(hop -> new LookupRoute.Hop(hop.link, hop.gateway, hop.isUsable))
                        .toList(),
                route.type >= RTN_UNICAST
                        && route.type <= RTN_THROW
                        && isUnderstood(attributes)
                        && (kind != LookupRoute.Kind.UNICAST || !route.hops.isEmpty())));
    }

    private static LookupRoute.Kind kind(int type) {
        return switch (type) {
            case RTN_LOCAL -> LookupRoute.Kind.LOCAL;
            case RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST -> LookupRoute.Kind.BROADCAST;
            case RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT -> LookupRoute.Kind.BLOCK;
            case RTN_THROW -> LookupRoute.Kind.THROW;
            default -> LookupRoute.Kind.UNICAST;
        };
    }

    /**
     * Returns whether a route, or a hop, has nothing that may send packets elsewhere: an encapsulation, or an attribute of a
     * newer kernel. The hops of a nexthop object are listed, unless net.ipv4.nexthop_compat_mode is 0.
     */
    private static boolean isUnderstood(Attributes attributes) {
        return !attributes.hasAny(RTA_ENCAP, RTA_ENCAP_TYPE)
                && attributes.all().stream().allMatch(attribute -> attribute.type() <= RTA_FLOWLABEL)
                && attributes
                        .bytes(RTA_MULTIPATH)
                        .filter(multipath -> !listedHops(multipath).stream()
                                .map(ListedHop::attributes)
                                .allMatch(KernelRoute::isUnderstood))
                        .isEmpty();
    }

    private static List<Hop> hops(int family, int flags, Attributes attributes) {
        List<Hop> hops = new ArrayList<>();
        attributes
                .number(RTA_OIF)
                .ifPresent(link -> hops.add(new Hop(link.intValue(), gateway(family, attributes), isUsable(flags))));
        attributes
                .bytes(RTA_MULTIPATH)
                .ifPresent(multipath -> listedHops(multipath)
                        .forEach(hop -> hops.add(
                                new Hop(hop.link(), gateway(family, hop.attributes()), isUsable(hop.flags())))));
        return hops;
    }

    /** A {@code struct rtnexthop} with its attributes. */
    private record ListedHop(int link, int flags, Attributes attributes) {}

    private static List<ListedHop> listedHops(byte[] multipath) {
        var buffer = RtNetlink.read(multipath);
        List<ListedHop> hops = new ArrayList<>();
        int start = 0;
        while (start + HOP_HEADER <= multipath.length) {
            int length = Short.toUnsignedInt(buffer.getShort(start));
            if (length < HOP_HEADER || start + length > multipath.length) {
                break;
            }
            hops.add(new ListedHop(
                    buffer.getInt(start + 4),
                    buffer.get(start + 2),
                    Attributes.parse(Arrays.copyOfRange(multipath, start, start + length), HOP_HEADER)));
            start += (length + 3) & ~3;
        }
        return hops;
    }

    static Optional<InetAddress> gateway(int family, Attributes attributes) {
        return attributes
                .bytes(RTA_GATEWAY)
                .flatMap(bytes -> RtNetlink.address(family, bytes))
                // An IPv4 route with an IPv6 gateway: family (2), then the address.
                .or(() -> attributes
                        .bytes(RTA_VIA)
                        .filter(via -> via.length > 2)
                        .flatMap(via -> RtNetlink.address(
                                RtNetlink.read(via).getShort(0), Arrays.copyOfRange(via, 2, via.length))));
    }

    private static boolean isUsable(int flags) {
        return (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) == 0;
    }

    boolean isOurs() {
        return protocol == Ownership.PROTOCOL;
    }

    /**
     * Returns the route in the terms of a desired state.
     *
     * @param names of links, by index
     * @return empty if these cannot express it
     */
    Optional<Route> route(Map<Integer, String> names) {
        if (!plain || hops.size() > 1) {
            return Optional.empty();
        }
        long explicitMetric = metric == defaultMetric(destination.family()) ? 0 : metric;
        OptionalInt explicitMtu = mtu == 0 ? OptionalInt.empty() : OptionalInt.of(mtu);
        if (type == RTN_UNREACHABLE || type == RTN_THROW) {
            // Here the kernel lists the loopback interface for IPv6, and none for IPv4.
            Route.Type routeType = type == RTN_THROW ? Route.Type.THROW : Route.Type.UNREACHABLE;
            return Optional.of(new Route(
                    routeType, destination, table, Optional.empty(), Optional.empty(), explicitMtu, explicitMetric));
        }
        if (type != RTN_UNICAST || hops.isEmpty()) {
            return Optional.empty();
        }
        Hop hop = hops.getFirst();
        return Optional.ofNullable(names.get(hop.link()))
                .map(name -> new Route(
                        Route.Type.UNICAST,
                        destination,
                        table,
                        Optional.of(name),
                        hop.gateway(),
                        explicitMtu,
                        explicitMetric));
    }

    /** Returns the command that deletes it, in the syntax of iproute2. */
    String deletion(Map<Integer, String> names) {
        return route(names)
                .map(IpSyntax::delete)
                .orElseGet(() -> IpSyntax.ip(destination.family()) + " route delete "
                        + IpSyntax.destination(destination) + " table " + IpSyntax.table(table) + " protocol "
                        + protocol);
    }

    /**
     * Returns the message of a route of Culvert.
     *
     * @param link the index of the route's link; empty if it has none
     */
    static NetlinkMessage message(Route route, OptionalInt link) {
        boolean unicast = route.type() == Route.Type.UNICAST;
        boolean onLink = unicast && route.gateway().isEmpty() && route.family() == Family.IPV4;
        AttributeWriter writer = AttributeWriter.after(RtNetlink.struct(HEADER)
                        .put(0, (byte) route.family().number())
                        .put(1, (byte) route.destination().length())
                        .put(4, (byte) (route.table() < 256 ? route.table() : 0))
                        .put(5, (byte) Ownership.PROTOCOL)
                        .put(6, (byte) (onLink ? RT_SCOPE_LINK : 0))
                        .put(7, (byte) type(route.type()))
                        // Otherwise the kernel looks up the gateway first, which Culvert's own blocking rules make
                        // unreachable.
                        .putInt(8, route.gateway().isPresent() ? RTNH_F_ONLINK : 0)
                        .array())
                .u32(RTA_TABLE, route.table());
        if (!route.destination().isDefault()) {
            writer.bytes(RTA_DST, route.destination().address().getAddress());
        }
        if (route.metric() != 0) {
            writer.u32(RTA_PRIORITY, route.metric());
        }
        link.ifPresent(index -> writer.u32(RTA_OIF, index));
        route.gateway().ifPresent(gateway -> writer.bytes(RTA_GATEWAY, gateway.getAddress()));
        route.mtu().ifPresent(mtu -> writer.nested(RTA_METRICS, metrics -> metrics.u32(RTAX_MTU, mtu)));
        return new NetlinkMessage(RtNetlink.RTM_NEWROUTE, 0, writer.toByteArray());
    }

    private static int type(Route.Type type) {
        return switch (type) {
            case UNICAST -> RTN_UNICAST;
            case UNREACHABLE -> RTN_UNREACHABLE;
            case THROW -> RTN_THROW;
        };
    }

    /** Formats the route in the syntax of iproute2. */
    String text(Map<Integer, String> names) {
        StringBuilder text = new StringBuilder(IpSyntax.ip(destination.family()))
                .append(" route ")
                .append(IpSyntax.destination(destination));
        for (Hop hop : hops) {
            hop.gateway().ifPresent(gateway -> text.append(" via ").append(Prefix.text(gateway)));
            Optional.ofNullable(names.get(hop.link()))
                    .ifPresent(name -> text.append(" dev ").append(name));
        }
        return text.append(" table ").append(IpSyntax.table(table)).toString();
    }
}
