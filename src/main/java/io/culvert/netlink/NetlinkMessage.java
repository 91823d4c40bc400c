// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

/**
 * A netlink message without the parts of its header that the socket sets: length, sequence number and port id.
 *
 * @param type {@code nlmsg_type} (include/uapi/linux/netlink.h, rtnetlink.h)
 * @param flags {@code nlmsg_flags}
 * @param payload the family's header and its attributes
 * @param portId the port id of the socket that caused the message, 0 for the kernel; 0 in a request
 */
@SuppressWarnings("ArrayRecordComponent") // The payload is created once and only read.
public record NetlinkMessage(int type, int flags, byte[] payload, int portId) {

    public static final int NLM_F_REQUEST = 0x1;
    public static final int NLM_F_MULTI = 0x2;
    public static final int NLM_F_ACK = 0x4;
    public static final int NLM_F_ROOT = 0x100;
    public static final int NLM_F_MATCH = 0x200;
    public static final int NLM_F_DUMP = NLM_F_ROOT | NLM_F_MATCH;
    public static final int NLM_F_REPLACE = 0x100;
    public static final int NLM_F_EXCL = 0x200;
    public static final int NLM_F_CREATE = 0x400;
    public static final int NLM_F_APPEND = 0x800;

    public NetlinkMessage(int type, int flags, byte[] payload) {
        this(type, flags, payload, 0);
    }
}
