// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Route lookups in the kernel, as of {@code ip route get}. The MTUs of links are read once only. */
public final class RouteLookup {

    private static final int RTA_MARK = 16;

    /** The offset of {@code rtm_type} in {@code struct rtmsg}. */
    private static final int TYPE_OFFSET = 7;

    private final NetlinkSocket socket;

    private final Map<Long, Long> mtus = new HashMap<>();

    /**
     * The next hop to a destination.
     *
     * @param link the index of the output link
     * @param gateway empty if the address is on the link itself
     * @param source the source address that the kernel would choose
     */
    public record Hop(int link, Optional<InetAddress> gateway, Optional<InetAddress> source) {}

    public RouteLookup(NetlinkSocket socket) {
        this.socket = socket;
    }

    /**
     * Returns the MTU of the path to an address: the limit of the route, else that of the link.
     *
     * @param mark of the packet; 0 for none
     * @return in bytes; empty if there is no route
     */
    public OptionalInt mtu(InetAddress destination, long mark) {
        return lookUp(destination, mark)
                .map(RouteLookup::attributes)
                .flatMap(route -> route.nested(KernelRoute.RTA_METRICS)
                        .number(KernelRoute.RTAX_MTU)
                        .or(() -> route.number(KernelRoute.RTA_OIF).flatMap(this::linkMtu)))
                .map(mtu -> OptionalInt.of(mtu.intValue()))
                .orElse(OptionalInt.empty());
    }

    /**
     * Returns the next hop to an address.
     *
     * @param mark of the packet; 0 for none
     * @return empty if there is no route, and if the address is this machine's own
     */
    public Optional<Hop> hop(InetAddress destination, long mark) {
        int family = Family.of(destination).number();
        return lookUp(destination, mark)
                .filter(message -> message.payload()[TYPE_OFFSET] == KernelRoute.RTN_UNICAST)
                .map(RouteLookup::attributes)
                .flatMap(route -> route.number(KernelRoute.RTA_OIF)
                        .map(link -> new Hop(
                                link.intValue(),
                                KernelRoute.gateway(family, route),
                                route.bytes(KernelRoute.RTA_PREFSRC)
                                        .flatMap(bytes -> RtNetlink.address(family, bytes)))));
    }

    private static Attributes attributes(NetlinkMessage route) {
        return Attributes.parse(route.payload(), KernelRoute.HEADER);
    }

    private Optional<NetlinkMessage> lookUp(InetAddress destination, long mark) {
        try {
            return socket.query(query(destination, mark)).stream()
                    .filter(message ->
                            message.type() == RtNetlink.RTM_NEWROUTE && message.payload().length >= KernelRoute.HEADER)
                    .findFirst();
        } catch (NetlinkException _) {
            return Optional.empty();
        }
    }

    private static NetlinkMessage query(InetAddress destination, long mark) {
        Family family = Family.of(destination);
        AttributeWriter writer = AttributeWriter.after(RtNetlink.struct(KernelRoute.HEADER)
                        .put(0, (byte) family.number())
                        .put(1, (byte) family.bits())
                        .array())
                .bytes(KernelRoute.RTA_DST, destination.getAddress());
        if (mark != 0) {
            writer.u32(RTA_MARK, mark);
        }
        return new NetlinkMessage(RtNetlink.RTM_GETROUTE, 0, writer.toByteArray());
    }

    /** Reads the MTUs of all links at once, for a thousand lookups on the same link. */
    private Optional<Long> linkMtu(long index) {
        if (mtus.isEmpty()) {
            KernelSnapshot.read(socket, KernelLink.list(), KernelLink::decode)
                    .forEach(link -> mtus.put((long) link.index(), (long) link.mtu()));
        }
        return Optional.ofNullable(mtus.get(index));
    }
}
