// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import io.culvert.linux.Errno;
import java.util.OptionalInt;

/** Looks up families of generic netlink, whose message types are assigned as they are loaded. */
public final class GenericNetlink {

    /** include/uapi/linux/genetlink.h. */
    private static final int GENL_ID_CTRL = 0x10;

    private static final int CTRL_CMD_GETFAMILY = 3;
    private static final int CTRL_VERSION = 2;
    private static final int CTRL_ATTR_FAMILY_ID = 1;
    private static final int CTRL_ATTR_FAMILY_NAME = 2;

    /** {@code sizeof(struct genlmsghdr)}. */
    public static final int HEADER = 4;

    private final NetlinkSocket socket;

    public GenericNetlink(NetlinkSocket socket) {
        this.socket = socket;
    }

    /**
     * Returns the message type of a family, such as {@code wireguard}. A query by name lets the kernel load the module;
     * a dump of all families would not.
     *
     * @return empty if the kernel has no such family
     */
    public OptionalInt findFamily(String name) {
        byte[] request = AttributeWriter.after(header(CTRL_CMD_GETFAMILY, CTRL_VERSION))
                .string(CTRL_ATTR_FAMILY_NAME, name)
                .toByteArray();
        try {
            return socket.query(new NetlinkMessage(GENL_ID_CTRL, 0, request)).stream()
                    .flatMap(response ->
                            Attributes.parse(response.payload(), HEADER).number(CTRL_ATTR_FAMILY_ID).stream())
                    .mapToInt(Long::intValue)
                    .findFirst();
        } catch (NetlinkException e) {
            if (e.errno() == Errno.ENOENT) {
                return OptionalInt.empty();
            }
            throw e;
        }
    }

    /** Returns a {@code struct genlmsghdr}: command, version, two reserved bytes. */
    public static byte[] header(int command, int version) {
        return new byte[] {(byte) command, (byte) version, 0, 0};
    }
}
