// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import java.net.InetAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** The kernel's neighbour tables: the hosts on the links of this machine (include/uapi/linux/neighbour.h). */
public final class Neighbours {

    private static final int RTM_NEWNEIGH = 28;
    private static final int RTM_DELNEIGH = 29;
    private static final int RTM_GETNEIGH = 30;

    /** {@code RTNLGRP_LINK}, {@code _NEIGH}, {@code _IPV4_IFADDR}, {@code _IPV4_ROUTE}, and those of IPv6. */
    private static final List<Integer> GROUPS = List.of(1, 3, 5, 7, 9, 11);

    /** {@code sizeof(struct ndmsg)}: family (1), padding (3), link (4), state (2), flags (1), type (1). */
    private static final int HEADER = 12;

    private static final int NDA_DST = 1;
    private static final int NDA_LLADDR = 2;

    /** {@code NTF_USE}: as if a packet were sent to the neighbour, so that the kernel resolves it. */
    private static final int USE = 1;

    private static final int REACHABLE = 0x02;
    private static final int FAILED = 0x20;
    private static final int NOARP = 0x40;
    private static final int PERMANENT = 0x80;

    private final NetlinkSocket socket;

    /**
     * An entry of the neighbour table.
     *
     * @param hardwareAddress its hardware address in hexadecimal; empty if unknown
     * @param state {@code NUD_*}
     */
    public record Neighbour(int link, InetAddress address, String hardwareAddress, int state) {

        /** Returns whether the address has been confirmed recently. */
        public boolean isReachable() {
            return (state & (REACHABLE | NOARP | PERMANENT)) != 0;
        }

        /** Returns whether the resolution failed. */
        public boolean hasFailed() {
            return (state & FAILED) != 0;
        }
    }

    public Neighbours(NetlinkSocket socket) {
        this.socket = socket;
    }

    /** Opens a socket for notifications of everything that may change the path to a neighbour. */
    public static NetlinkSocket events() {
        return KernelNetlinkSocket.routeEvents(GROUPS);
    }

    /** Returns all known neighbours; none if the kernel refuses. */
    public List<Neighbour> read() {
        try {
            return socket.dump(new NetlinkMessage(RTM_GETNEIGH, 0, new byte[HEADER])).stream()
                    .flatMap(message -> decode(message).stream())
                    .toList();
        } catch (NetlinkException _) {
            return List.of();
        }
    }

    /** Makes the kernel resolve an address. The result comes as an event. */
    public void solicit(int link, InetAddress address) {
        byte[] header = RtNetlink.struct(HEADER)
                .put(0, (byte) Family.of(address).number())
                .putInt(4, link)
                .put(10, (byte) USE)
                .array();
        var _ = socket.execute(List.of(new NetlinkMessage(
                RTM_NEWNEIGH,
                NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_REPLACE,
                AttributeWriter.after(header)
                        .bytes(NDA_DST, address.getAddress())
                        .toByteArray())));
    }

    /** Returns whether a notification is about a neighbour, new or deleted. */
    public static boolean isNeighbour(NetlinkMessage event) {
        return event.type() == RTM_NEWNEIGH || event.type() == RTM_DELNEIGH;
    }

    /** Returns the neighbour in a response or a notification. */
    public static Optional<Neighbour> decode(NetlinkMessage message) {
        if (!isNeighbour(message) || message.payload().length < HEADER) {
            return Optional.empty();
        }
        var header = RtNetlink.read(message.payload());
        Attributes attributes = Attributes.parse(message.payload(), HEADER);
        return attributes
                .bytes(NDA_DST)
                .flatMap(bytes -> RtNetlink.address(header.get(0), bytes))
                .map(address -> new Neighbour(
                        header.getInt(4),
                        address,
                        attributes
                                .bytes(NDA_LLADDR)
                                .map(bytes -> HexFormat.ofDelimiter(":").formatHex(bytes))
                                .orElse(""),
                        Short.toUnsignedInt(header.getShort(8))));
    }
}
