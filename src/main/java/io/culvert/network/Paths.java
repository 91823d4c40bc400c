package io.culvert.network;

import io.culvert.ip.Family;
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

/** Ways that the kernel would take now: {@code ip route get}. What links carry is looked up once only. */
public final class Paths {

    private static final int RTA_MARK = 16;

    /** Of {@code struct rtmsg}: {@code rtm_type}. */
    private static final int TYPE = 7;

    private final NetlinkSocket socket;

    private final Map<Long, Long> mtus = new HashMap<>();

    /**
     * The next step of a way.
     *
     * @param link index of the link by which packets leave
     * @param gateway empty where the address is on the link itself
     * @param source which the kernel would give them
     */
    public record Hop(int link, Optional<InetAddress> gateway, Optional<InetAddress> source) {}

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
        return answer(destination, mark)
                .map(Paths::attributes)
                .flatMap(route -> route.nested(KernelRoute.RTA_METRICS)
                        .number(KernelRoute.RTAX_MTU)
                        .or(() -> route.number(KernelRoute.RTA_OIF).flatMap(this::linkMtu)))
                .map(mtu -> OptionalInt.of(mtu.intValue()))
                .orElse(OptionalInt.empty());
    }

    /**
     * Where a packet to an address would go next.
     *
     * @param mark of the packet; 0 for none
     * @return empty where there is no way, and where the address is this machine's own
     */
    public Optional<Hop> hop(InetAddress destination, long mark) {
        int family = Family.of(destination).number();
        return answer(destination, mark)
                .filter(message -> message.payload()[TYPE] == KernelRoute.RTN_UNICAST)
                .map(Paths::attributes)
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

    private Optional<NetlinkMessage> answer(InetAddress destination, long mark) {
        try {
            return socket.ask(question(destination, mark)).stream()
                    .filter(message ->
                            message.type() == RtNetlink.RTM_NEWROUTE && message.payload().length >= KernelRoute.HEADER)
                    .findFirst();
        } catch (NetlinkException _) {
            return Optional.empty();
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

    /** All at once, for a thousand ways by the same link. */
    private Optional<Long> linkMtu(long index) {
        if (mtus.isEmpty()) {
            Snapshot.read(socket, KernelLink.list(), KernelLink::decode)
                    .forEach(link -> mtus.put((long) link.index(), (long) link.mtu()));
        }
        return Optional.ofNullable(mtus.get(index));
    }
}
