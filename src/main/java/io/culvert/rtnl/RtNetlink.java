// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.netlink.NetlinkMessage;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/** Constants and helpers for all messages of rtnetlink (include/uapi/linux/rtnetlink.h). */
final class RtNetlink {

    static final int RTM_NEWLINK = 16;
    static final int RTM_DELLINK = 17;
    static final int RTM_GETLINK = 18;
    static final int RTM_NEWADDR = 20;
    static final int RTM_DELADDR = 21;
    static final int RTM_GETADDR = 22;
    static final int RTM_NEWROUTE = 24;
    static final int RTM_DELROUTE = 25;
    static final int RTM_GETROUTE = 26;
    static final int RTM_NEWRULE = 32;
    static final int RTM_DELRULE = 33;
    static final int RTM_GETRULE = 34;

    static final int AF_UNSPEC = 0;

    private RtNetlink() {}

    /** Returns a zeroed structure in the machine's byte order. */
    static ByteBuffer struct(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    }

    static ByteBuffer read(byte[] payload) {
        return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
    }

    /** Returns an address of the family; empty for a wrong length, or a family other than IP. */
    static Optional<InetAddress> address(int family, byte[] bytes) {
        try {
            return switch (family) {
                case 2 -> bytes.length == 4 ? Optional.of(Inet4Address.getByAddress(bytes)) : Optional.empty();
                // InetAddress would convert an IPv4-mapped address to an IPv4 one.
                case 10 ->
                    bytes.length == 16 ? Optional.of(Inet6Address.getByAddress(null, bytes, -1)) : Optional.empty();
                default -> Optional.empty();
            };
        } catch (UnknownHostException e) {
            throw new AssertionError("the lengths were checked", e);
        }
    }

    /**
     * Returns the family of a message of this type; empty for another type or family.
     *
     * @param header the length of the message's header, which begins with the family
     */
    static Optional<Family> family(NetlinkMessage message, int type, int header) {
        return message.type() != type || message.payload().length < header
                ? Optional.empty()
                : Arrays.stream(Family.values())
                        .filter(family -> family.number() == message.payload()[0])
                        .findFirst();
    }

    /** Returns a prefix of the family; empty if it is none. */
    static Optional<Prefix> prefix(Family family, int length, Optional<byte[]> address) {
        return address.filter(_ -> length <= family.bits())
                .flatMap(bytes -> address(family.number(), bytes))
                .map(it -> new Prefix(it, length));
    }

    /** Returns the unspecified address of a family. */
    static Optional<InetAddress> unspecified(int family) {
        return address(family, new byte[family == 2 ? 4 : 16]);
    }
}
