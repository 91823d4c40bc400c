// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.NetlinkMessage;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * An address on a link, as listed by the kernel.
 *
 * @param link the index of the link
 * @param global whether its scope is {@code global}, unlike that of a link-local address
 * @param protocol the program that set it; 0 if the kernel does not report it (before 5.18) or the program did not set it
 * @param message the listing message; sent back with the type for deletion, it identifies exactly this address
 */
record KernelAddress(
        int link, Prefix address, boolean pointToPoint, boolean global, int protocol, NetlinkMessage message) {

    /** {@code sizeof(struct ifaddrmsg)}: family, prefix length, flags, scope, index (4). */
    private static final int HEADER = 8;

    /** include/uapi/linux/if_addr.h. */
    private static final int IFA_ADDRESS = 1;

    private static final int IFA_LOCAL = 2;
    private static final int IFA_FLAGS = 8;
    private static final int IFA_RT_PRIORITY = 9;
    private static final int IFA_PROTO = 11;

    /** Disables duplicate address detection: the address is used at once, and the link has no other node. */
    private static final int IFA_F_NODAD = 0x02;

    /** Returns the request that lists the addresses of both families. */
    static NetlinkMessage list() {
        return new NetlinkMessage(RtNetlink.RTM_GETADDR, 0, new byte[HEADER]);
    }

    static Optional<KernelAddress> decode(NetlinkMessage message) {
        if (message.type() != RtNetlink.RTM_NEWADDR || message.payload().length < HEADER) {
            return Optional.empty();
        }
        var header = RtNetlink.read(message.payload());
        int family = header.get(0);
        int length = Byte.toUnsignedInt(header.get(1));
        Attributes attributes = Attributes.parse(message.payload(), HEADER);
        Optional<InetAddress> peerAddress =
                attributes.bytes(IFA_ADDRESS).flatMap(bytes -> RtNetlink.address(family, bytes));
        // On a point-to-point link, the own address is the local one, and the other one is that of the peer.
        return attributes
                .bytes(IFA_LOCAL)
                .flatMap(bytes -> RtNetlink.address(family, bytes))
                .or(() -> peerAddress)
                .filter(localAddress -> length <= Family.of(localAddress).bits())
                .map(localAddress -> new KernelAddress(
                        header.getInt(4),
                        new Prefix(localAddress, length),
                        peerAddress.isPresent() && !peerAddress.get().equals(localAddress),
                        header.get(3) == 0,
                        attributes.number(IFA_PROTO).orElse(0L).intValue(),
                        message));
    }

    /** Returns whether the message is about an address of IPv4 or IPv6. */
    static boolean isOfFamily(NetlinkMessage message) {
        return RtNetlink.family(message, RtNetlink.RTM_NEWADDR, HEADER).isPresent();
    }

    /**
     * Returns whether Culvert set it, by its protocol; kernels before 5.18 have none, and the link's owner decides.
     *
     * @param ourLinks the indices of Culvert's links
     */
    boolean isOurs(Set<Integer> ourLinks) {
        return protocol == Ownership.PROTOCOL || (protocol == 0 && global && ourLinks.contains(link));
    }

    /**
     * Returns the address in the terms of a desired state.
     *
     * @param names of links, by index
     * @return empty if these cannot express it
     */
    Optional<LinkAddress> linkAddress(Map<Integer, String> names) {
        return pointToPoint
                ? Optional.empty()
                : Optional.ofNullable(names.get(link)).map(name -> new LinkAddress(name, address));
    }

    /** Returns the command that deletes it, in the syntax of iproute2. */
    String deletion(Map<Integer, String> names) {
        return IpSyntax.delete(new LinkAddress(names.getOrDefault(link, "if" + link), address));
    }

    /**
     * Returns the message of an address of Culvert on a link; kernels before 5.18 ignore the protocol. Its connected
     * route has a metric behind that of an equal network on another link.
     */
    static NetlinkMessage message(Prefix address, int link) {
        byte[] bytes = address.address().getAddress();
        AttributeWriter writer = AttributeWriter.after(RtNetlink.struct(HEADER)
                        .put(0, (byte) address.family().number())
                        .put(1, (byte) address.length())
                        .putInt(4, link)
                        .array())
                .bytes(IFA_LOCAL, bytes)
                .bytes(IFA_ADDRESS, bytes);
        if (address.family() == Family.IPV6) {
            writer.u32(IFA_FLAGS, IFA_F_NODAD);
        }
        if (!address.isHost()) {
            writer.u32(IFA_RT_PRIORITY, Route.BEHIND_CONNECTED);
        }
        return new NetlinkMessage(
                RtNetlink.RTM_NEWADDR,
                0,
                writer.u8(IFA_PROTO, Ownership.PROTOCOL).toByteArray());
    }
}
