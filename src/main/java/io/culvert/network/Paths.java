package io.culvert.network;

import io.culvert.ip.Family;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import java.net.InetAddress;
import java.util.Optional;
import java.util.OptionalInt;

/** Ways that the kernel would take now: {@code ip route get}. */
public final class Paths {

    private static final int RTA_MARK = 16;

    private final NetlinkSocket socket;

    public Paths(NetlinkSocket socket) {
        this.socket = socket;
    }

    /**
     * What the way to an address carries: the route's own limit, else the link's.
     *
     * @param mark of the packet; 0 for none
     * @return in bytes; empty where there is no way
     */
    public OptionalInt mtu(InetAddress destination, long mark) {
        try {
            return socket.ask(question(destination, mark)).stream()
                    .filter(message ->
                            message.type() == RtNetlink.RTM_NEWROUTE && message.payload().length >= KernelRoute.HEADER)
                    .map(message -> Attributes.parse(message.payload(), KernelRoute.HEADER))
                    .flatMap(route -> route
                            .nested(KernelRoute.RTA_METRICS)
                            .number(KernelRoute.RTAX_MTU)
                            .or(() -> route.number(KernelRoute.RTA_OIF).flatMap(this::linkMtu))
                            .stream())
                    .mapToInt(Long::intValue)
                    .findFirst();
        } catch (NetlinkException _) {
            return OptionalInt.empty();
        }
    }

    private static NetlinkMessage question(InetAddress destination, long mark) {
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

    private Optional<Long> linkMtu(long index) {
        return Snapshot.read(socket, KernelLink.list(), KernelLink::decode).stream()
                .filter(link -> link.index() == index)
                .map(link -> (long) link.mtu())
                .findFirst();
    }
}
