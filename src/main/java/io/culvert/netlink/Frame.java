// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A message with its complete header, as it is sent (include/uapi/linux/netlink.h, {@code struct nlmsghdr}).
 *
 * @param portId the port id of the socket that caused it; 0 in a request and for the kernel
 */
@SuppressWarnings("ArrayRecordComponent") // Created once and only read, like the message it becomes.
record Frame(int type, int flags, int sequence, int portId, byte[] payload) {

    /** {@code NLMSG_HDRLEN}: length, type, flags, sequence number, port id. */
    static final int HEADER_LENGTH = 16;

    static final int NLMSG_ERROR = 2;
    static final int NLMSG_DONE = 3;

    /** The dump was interrupted: the kernel changed something meanwhile, so the list may be wrong. */
    static final int NLM_F_DUMP_INTR = 0x10;

    static byte[] encode(List<Frame> frames) {
        ByteBuffer buffer = ByteBuffer.allocate(
                        frames.stream().mapToInt(Frame::alignedLength).sum())
                .order(ByteOrder.nativeOrder());
        for (Frame frame : frames) {
            int start = buffer.position();
            buffer.putInt(HEADER_LENGTH + frame.payload.length)
                    .putShort((short) frame.type)
                    .putShort((short) frame.flags)
                    .putInt(frame.sequence)
                    .putInt(frame.portId)
                    .put(frame.payload)
                    .position(start + frame.alignedLength());
        }
        return buffer.array();
    }

    /** Parses the frames of a datagram; a length beyond the end of the datagram stops the parsing there. */
    static List<Frame> parse(byte[] datagram, int length) {
        ByteBuffer buffer = ByteBuffer.wrap(datagram, 0, length).order(ByteOrder.nativeOrder());
        List<Frame> frames = new ArrayList<>();
        int start = 0;
        while (start + HEADER_LENGTH <= length) {
            int total = buffer.getInt(start);
            if (total < HEADER_LENGTH || total > length - start) {
                break;
            }
            frames.add(new Frame(
                    Short.toUnsignedInt(buffer.getShort(start + 4)),
                    Short.toUnsignedInt(buffer.getShort(start + 6)),
                    buffer.getInt(start + 8),
                    buffer.getInt(start + 12),
                    Arrays.copyOfRange(datagram, start + HEADER_LENGTH, start + total)));
            start += align(total);
        }
        return frames;
    }

    /** Returns this request with a request for an acknowledgement, also if it succeeds. */
    Frame withAcknowledgement() {
        return new Frame(type, flags | NetlinkMessage.NLM_F_ACK, sequence, portId, payload);
    }

    int alignedLength() {
        return align(HEADER_LENGTH + payload.length);
    }

    NetlinkMessage toMessage() {
        return new NetlinkMessage(type, flags, payload, portId);
    }

    private static int align(int length) {
        return (length + 3) & ~3;
    }
}
