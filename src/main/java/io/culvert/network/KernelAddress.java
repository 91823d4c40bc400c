package io.culvert.network;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.NetlinkMessage;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * An address as the kernel tells of it.
 *
 * @param link index
 * @param global of scope {@code global}: not the kernel's own link-local one
 * @param protocol who set it; 0 where the kernel does not say (before 5.18) or nobody said
 * @param message as it came; sent back with the type for deletion, it names exactly this address
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

    /** No duplicate address detection: the address is used at once, and nobody else is on the link. */
    private static final int IFA_F_NODAD = 0x02;

    /** Both families. */
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
        Optional<InetAddress> far = attributes.bytes(IFA_ADDRESS).flatMap(bytes -> RtNetlink.address(family, bytes));
        // On a point-to-point link the own address is the local one and the other is the far end.
        return attributes
                .bytes(IFA_LOCAL)
                .flatMap(bytes -> RtNetlink.address(family, bytes))
                .or(() -> far)
                .filter(own -> length <= Family.of(own).bits())
                .map(own -> new KernelAddress(
                        header.getInt(4),
                        new Prefix(own, length),
                        far.isPresent() && !far.get().equals(own),
                        header.get(3) == 0,
                        attributes.number(IFA_PROTO).orElse(0L).intValue(),
                        message));
    }

    /**
     * Whether it is ours, by its own mark; kernels before 5.18 keep none, but then the mark of the link tells.
     *
     * @param ourLinks indices
     */
    boolean ours(Set<Integer> ourLinks) {
        return protocol == Ownership.PROTOCOL || (protocol == 0 && global && ourLinks.contains(link));
    }

    /**
     * In our own terms.
     *
     * @param names of links, by index
     * @return empty where our terms cannot say it
     */
    Optional<LinkAddress> linkAddress(Map<Integer, String> names) {
        return pointToPoint
                ? Optional.empty()
                : Optional.ofNullable(names.get(link)).map(name -> new LinkAddress(name, address));
    }

    /** How to remove it, in the syntax of iproute2. */
    String deletion(Map<Integer, String> names) {
        return IpSyntax.delete(new LinkAddress(names.getOrDefault(link, "if" + link), address));
    }

    /**
     * An address on a link, marked as ours; kernels before 5.18 ignore the mark. The route that it brings gives way to a
     * network of other links with the same prefix.
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
