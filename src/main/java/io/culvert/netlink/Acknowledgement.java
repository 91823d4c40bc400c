// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import io.culvert.netlink.NetlinkSocket.Outcome;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Parses the kernel's acknowledgement of a request, with its extended part
 * (Documentation/userspace-api/netlink/intro.rst).
 */
final class Acknowledgement {

    /** {@code NLM_F_CAPPED}: the acknowledgement contains the header of the request only. */
    private static final int CAPPED = 0x100;

    /** {@code NLM_F_ACK_TLVS}: attributes follow. */
    private static final int ATTRIBUTES = 0x200;

    private static final int NLMSGERR_ATTR_MSG = 1;
    private static final int NLMSGERR_ATTR_OFFS = 2;

    private Acknowledgement() {}

    /** Parses a frame of type {@code NLMSG_ERROR}, or the {@code NLMSG_DONE} that ends a dump. */
    static Outcome parse(Frame frame) {
        byte[] payload = frame.payload();
        ByteBuffer buffer = ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
        int errno = payload.length >= 4 ? Math.abs(buffer.getInt(0)) : 0;
        if ((frame.flags() & ATTRIBUTES) == 0) {
            return new Outcome(errno, "", -1);
        }
        Attributes attributes = Attributes.parse(payload, attributesOffset(frame, buffer));
        return new Outcome(
                errno,
                attributes.string(NLMSGERR_ATTR_MSG).orElse(""),
                attributes.number(NLMSGERR_ATTR_OFFS).map(Long::intValue).orElse(-1));
    }

    private static int attributesOffset(Frame frame, ByteBuffer buffer) {
        if (frame.type() == Frame.NLMSG_DONE) {
            return 4;
        }
        if ((frame.flags() & CAPPED) != 0 || buffer.capacity() < 8) {
            return 4 + Frame.HEADER_LENGTH;
        }
        // The acknowledgement contains the whole request, which starts with its length. An invalid length leads past
        // the end.
        long request = Integer.toUnsignedLong(buffer.getInt(4));
        return (int) Math.min(4 + (request + 3 & ~3L), buffer.capacity());
    }
}
