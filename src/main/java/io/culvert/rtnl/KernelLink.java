// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.NetlinkMessage;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * A link, as listed by the kernel.
 *
 * @param kind such as {@code wireguard} or {@code tun}; empty for hardware
 * @param alias empty if it has none
 * @param up whether it is set up by the administrator ({@code IFF_UP}), regardless of its carrier
 * @param carrier whether it is connected ({@code IFF_LOWER_UP}, netdevice(7))
 */
record KernelLink(int index, String name, String kind, int mtu, String alias, boolean up, boolean carrier) {

    /** {@code sizeof(struct ifinfomsg)}: family, padding, type (2), index (4), flags (4), change mask (4). */
    private static final int HEADER = 16;

    private static final int IFF_UP = 0x1;
    private static final int IFF_LOOPBACK = 0x8;
    private static final int IFF_LOWER_UP = 0x10000;

    /** include/uapi/linux/if_link.h. */
    private static final int IFLA_IFNAME = 3;

    private static final int IFLA_MTU = 4;
    private static final int IFLA_LINKINFO = 18;
    private static final int IFLA_INFO_KIND = 1;
    private static final int IFLA_IFALIAS = 20;
    private static final int IFLA_GROUP = 27;
    private static final int IFLA_NET_NS_FD = 28;
    private static final int IFLA_EXT_MASK = 29;
    private static final int IFLA_PROP_LIST = 52;
    private static final int IFLA_ALT_IFNAME = 53;
    private static final int RTEXT_FILTER_SKIP_STATS = 1 << 3;

    boolean isOurs() {
        return Ownership.isOurs(alias);
    }

    /** Returns whether it is as desired. */
    boolean satisfies(LinkSpec spec) {
        return up && mtu == spec.mtu() && alias.equals(spec.alias());
    }

    static NetlinkMessage list() {
        return new NetlinkMessage(
                RtNetlink.RTM_GETLINK,
                0,
                AttributeWriter.after(new byte[HEADER])
                        .u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)
                        .toByteArray());
    }

    static Optional<KernelLink> decode(NetlinkMessage message) {
        if (message.type() != RtNetlink.RTM_NEWLINK || message.payload().length < HEADER) {
            return Optional.empty();
        }
        var header = RtNetlink.read(message.payload());
        Attributes attributes = Attributes.parse(message.payload(), HEADER);
        return attributes
                .string(IFLA_IFNAME)
                .map(name -> new KernelLink(
                        header.getInt(4),
                        name,
                        attributes.nested(IFLA_LINKINFO).string(IFLA_INFO_KIND).orElse(""),
                        attributes.number(IFLA_MTU).map(Long::intValue).orElse(0),
                        attributes.string(IFLA_IFALIAS).orElse(""),
                        (header.getInt(8) & IFF_UP) != 0,
                        (header.getInt(8) & IFF_LOWER_UP) != 0));
    }

    /** Decodes what routing depends on. */
    static Optional<RoutingState.StateLink> decodeState(NetlinkMessage message) {
        return decode(message)
                .map(link -> new RoutingState.StateLink(
                        link.index,
                        link.name,
                        link.kind,
                        link.up,
                        (int) Attributes.parse(message.payload(), HEADER).number(IFLA_GROUP, 0),
                        (RtNetlink.read(message.payload()).getInt(8) & IFF_LOOPBACK) != 0,
                        link.alias));
    }

    /** Returns the link's alternative names. */
    static List<String> alternativeNames(NetlinkMessage message) {
        return Attributes.parse(message.payload(), HEADER).nested(IFLA_PROP_LIST).all().stream()
                .filter(property -> property.type() == IFLA_ALT_IFNAME)
                .map(property -> new String(property.value(), StandardCharsets.UTF_8).split("\0", 2)[0])
                .toList();
    }

    /** Returns the request that creates a link, unless one with this name exists. */
    static NetlinkMessage create(String name, String kind) {
        return new NetlinkMessage(
                RtNetlink.RTM_NEWLINK,
                NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_EXCL,
                AttributeWriter.after(new byte[HEADER])
                        .string(IFLA_IFNAME, name)
                        .nested(IFLA_LINKINFO, info -> info.string(IFLA_INFO_KIND, kind))
                        .toByteArray());
    }

    /**
     * Returns the request that sets the alias, by the name of the link, so that it fits in one batch with the creation.
     */
    static NetlinkMessage setAlias(String name, String alias) {
        return new NetlinkMessage(
                RtNetlink.RTM_NEWLINK,
                0,
                AttributeWriter.after(new byte[HEADER])
                        .string(IFLA_IFNAME, name)
                        .string(IFLA_IFALIAS, alias)
                        .toByteArray());
    }

    /** Returns the request that configures the link, by its index, as desired. */
    NetlinkMessage configure(LinkSpec spec) {
        return set(true, spec.mtu(), spec.alias());
    }

    /** Returns the request that restores the state of this record. */
    NetlinkMessage restore() {
        return set(up, mtu, alias);
    }

    NetlinkMessage delete() {
        return new NetlinkMessage(RtNetlink.RTM_DELLINK, 0, header(0, 0));
    }

    /** Returns the request that sets the link up with this MTU, keeping its alias. */
    NetlinkMessage setUp(int newMtu) {
        return set(true, newMtu, alias);
    }

    /** @param descriptor of the target network namespace */
    NetlinkMessage move(int descriptor, String newName) {
        return new NetlinkMessage(
                RtNetlink.RTM_NEWLINK,
                0,
                AttributeWriter.after(header(0, 0))
                        .string(IFLA_IFNAME, newName)
                        .u32(IFLA_NET_NS_FD, descriptor)
                        .toByteArray());
    }

    private NetlinkMessage set(boolean newUp, int newMtu, String newAlias) {
        AttributeWriter writer =
                AttributeWriter.after(header(newUp ? IFF_UP : 0, IFF_UP)).u32(IFLA_MTU, newMtu);
        if (newAlias.isEmpty()) {
            writer.flag(IFLA_IFALIAS); // An attribute without a value removes the alias.
        } else {
            writer.string(IFLA_IFALIAS, newAlias);
        }
        return new NetlinkMessage(RtNetlink.RTM_NEWLINK, 0, writer.toByteArray());
    }

    private byte[] header(int flags, int changed) {
        return RtNetlink.struct(HEADER)
                .putInt(4, index)
                .putInt(8, flags)
                .putInt(12, changed)
                .array();
    }
}
