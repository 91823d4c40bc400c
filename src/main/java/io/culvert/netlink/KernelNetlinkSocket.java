// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import io.culvert.linux.Errno;
import io.culvert.linux.KernelSocket;
import io.culvert.linux.SystemCallException;
import io.culvert.linux.WakeUp;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A netlink socket in the network namespace in which the calling thread opened it. */
public final class KernelNetlinkSocket implements NetlinkSocket {

    /** {@code AF_NETLINK}, {@code SOCK_RAW} (include/linux/socket.h, net.h). */
    private static final int AF_NETLINK = 16;

    private static final int SOCK_RAW = 3;

    /** include/uapi/linux/netlink.h. */
    private static final int NETLINK_ROUTE = 0;

    private static final int NETLINK_NETFILTER = 12;
    private static final int NETLINK_GENERIC = 16;

    /** {@code NFNLGRP_NFTABLES} (include/uapi/linux/netfilter/nfnetlink.h). */
    private static final int NFTABLES_GROUP = 7;

    /** {@code SOL_NETLINK} (include/linux/socket.h) and its options (include/uapi/linux/netlink.h). */
    private static final int SOL_NETLINK = 270;

    private static final int NETLINK_ADD_MEMBERSHIP = 1;
    private static final int NETLINK_CAP_ACK = 10;
    private static final int NETLINK_EXT_ACK = 11;
    private static final int NETLINK_GET_STRICT_CHK = 12;

    /** {@code SOL_SOCKET} and its options (include/uapi/asm-generic/socket.h). */
    private static final int SOL_SOCKET = 1;

    private static final int SO_SNDBUF = 7;
    private static final int SO_RCVBUF = 8;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SO_RCVBUFFORCE = 33;

    /** The size of the receive buffer, for a burst of notifications; the usual default is a fifth of it. */
    private static final int RECEIVE_BUFFER = 1 << 20;

    /**
     * The maximum number of requests in one batch. All of them may fail: the usual default receive buffer holds 250
     * acknowledgements (measured), and those with a message are larger.
     */
    private static final int MAX_BATCH_REQUESTS = 128;

    /** The maximum size of a batch, a third of the usual default send buffer. */
    private static final int MAX_BATCH_BYTES = 1 << 16;

    /**
     * The size of the buffer for dumps: the kernel fills no datagram of a dump beyond this ({@code netlink_recvmsg} in
     * net/netlink/af_netlink.c).
     */
    private static final int DUMP_BUFFER = 1 << 15;

    /**
     * The size of the buffer for notifications: a single one may be larger, such as a link with many virtual functions.
     */
    private static final int NOTIFICATION_BUFFER = 1 << 17;

    private static final int DUMP_ATTEMPTS = 5;

    private final KernelSocket socket;
    private final WakeUp wakeUp = new WakeUp();
    private final int portId;
    private final byte[] buffer;
    private int sequence;
    private int sendBuffer;

    private KernelNetlinkSocket(int protocol, List<Integer> groups) {
        socket = KernelSocket.open(AF_NETLINK, SOCK_RAW, protocol);
        buffer = new byte[groups.isEmpty() ? DUMP_BUFFER : NOTIFICATION_BUFFER];
        try {
            setOptionIfSupported(NETLINK_EXT_ACK, 1);
            setOptionIfSupported(NETLINK_CAP_ACK, 1);
            setOptionIfSupported(NETLINK_GET_STRICT_CHK, 1);
            enlargeReceiveBuffer();
            socket.bind(address(0));
            portId = ByteBuffer.wrap(socket.localAddress(12))
                    .order(ByteOrder.nativeOrder())
                    .getInt(4);
            for (int group : groups) {
                socket.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Opens a socket for links, addresses, routes and rules. */
    public static KernelNetlinkSocket route() {
        return new KernelNetlinkSocket(NETLINK_ROUTE, List.of());
    }

    /**
     * Opens a socket for notifications about links, addresses, routes and rules.
     *
     * @param groups {@code RTNLGRP_*} (include/uapi/linux/rtnetlink.h)
     */
    public static KernelNetlinkSocket routeEvents(List<Integer> groups) {
        return new KernelNetlinkSocket(NETLINK_ROUTE, groups);
    }

    /** Opens a socket for nftables. */
    public static KernelNetlinkSocket netfilter() {
        return new KernelNetlinkSocket(NETLINK_NETFILTER, List.of());
    }

    /** Opens a socket for notifications of changes of nftables rulesets, including those of this process. */
    public static KernelNetlinkSocket rulesetEvents() {
        return new KernelNetlinkSocket(NETLINK_NETFILTER, List.of(NFTABLES_GROUP));
    }

    /** Opens a socket for families that are looked up by name, see {@link GenericNetlink}. */
    public static KernelNetlinkSocket generic() {
        return new KernelNetlinkSocket(NETLINK_GENERIC, List.of());
    }

    @Override
    public List<Outcome> execute(List<NetlinkMessage> requests) {
        List<Outcome> outcomes = new ArrayList<>(requests.size());
        List<Frame> batch = new ArrayList<>();
        int bytes = 0;
        for (NetlinkMessage request : requests) {
            Frame frame = newFrame(request, 0);
            if (batch.size() == MAX_BATCH_REQUESTS
                    || (!batch.isEmpty() && bytes + frame.alignedLength() > MAX_BATCH_BYTES)) {
                outcomes.addAll(exchange(batch));
                batch.clear();
                bytes = 0;
            }
            batch.add(frame);
            bytes += frame.alignedLength();
        }
        if (!batch.isEmpty()) {
            outcomes.addAll(exchange(batch));
        }
        return outcomes;
    }

    /**
     * Sends a batch and requests the acknowledgement of the last request only. The kernel processes them in order and
     * reports each failure without a request ({@code netlink_rcv_skb} in net/netlink/af_netlink.c); a lost report would
     * be ENOBUFS.
     */
    private List<Outcome> exchange(List<Frame> requests) {
        Frame last = requests.getLast().withAcknowledgement();
        List<Frame> frames = new ArrayList<>(requests);
        frames.set(frames.size() - 1, last);
        socket.send(Frame.encode(frames));
        Outcome[] outcomes = new Outcome[frames.size()];
        Arrays.fill(outcomes, Outcome.DONE);
        while (true) {
            for (Frame frame : receiveFrames()) {
                int index = frame.sequence() - frames.getFirst().sequence();
                // Anything else belongs to an earlier exchange.
                if (frame.type() == Frame.NLMSG_ERROR && index >= 0 && index < outcomes.length) {
                    outcomes[index] = Acknowledgement.parse(frame);
                    if (index == outcomes.length - 1) {
                        return List.of(outcomes);
                    }
                }
            }
        }
    }

    @Override
    public Optional<Refusal> executeTransaction(List<NetlinkMessage> batch) {
        List<Frame> frames = new ArrayList<>(batch.size());
        for (NetlinkMessage message : batch) {
            frames.add(newFrame(message, 0));
        }
        int last = frames.size() - 2;
        frames.set(last, frames.get(last).withAcknowledgement());
        byte[] datagram = Frame.encode(frames);
        ensureSendBuffer(datagram.length);
        socket.send(datagram);
        while (true) {
            for (Frame frame : receiveFrames()) {
                int index = frame.sequence() - frames.getFirst().sequence();
                if (frame.type() == Frame.NLMSG_ERROR && index >= 0 && index < frames.size()) {
                    Outcome outcome = Acknowledgement.parse(frame);
                    if (!outcome.succeeded()) {
                        return Optional.of(new Refusal(index, outcome));
                    }
                    if (index == last) {
                        return Optional.empty();
                    }
                }
            }
        }
    }

    /** Enlarges the send buffer, as the kernel accepts a transaction in one datagram only. */
    private void ensureSendBuffer(int bytes) {
        if (bytes <= MAX_BATCH_BYTES || bytes <= sendBuffer) {
            return;
        }
        try {
            socket.setOption(SOL_SOCKET, SO_SNDBUFFORCE, bytes);
        } catch (SystemCallException _) {
            // Without CAP_NET_ADMIN outside of a user namespace, the size is limited by net.core.wmem_max.
            socket.setOption(SOL_SOCKET, SO_SNDBUF, bytes);
        }
        sendBuffer = bytes;
    }

    @Override
    public List<NetlinkMessage> query(NetlinkMessage request) {
        return collectResponses(newFrame(request, NetlinkMessage.NLM_F_ACK)).messages();
    }

    @Override
    public List<NetlinkMessage> dump(NetlinkMessage request) {
        Responses responses;
        int attempt = 0;
        do {
            responses = collectResponses(newFrame(request, NetlinkMessage.NLM_F_DUMP));
            attempt++;
        } while (responses.interrupted() && attempt < DUMP_ATTEMPTS);
        return responses.messages();
    }

    private record Responses(List<NetlinkMessage> messages, boolean interrupted) {}

    /** Sends one request and collects the responses until the kernel marks the end. */
    private Responses collectResponses(Frame request) {
        socket.send(Frame.encode(List.of(request)));
        List<NetlinkMessage> messages = new ArrayList<>();
        boolean interrupted = false;
        while (true) {
            for (Frame frame : receiveFrames()) {
                if (frame.sequence() != request.sequence()) {
                    continue; // Left over from an exchange that an error ended.
                }
                interrupted |= (frame.flags() & Frame.NLM_F_DUMP_INTR) != 0;
                if (frame.type() == Frame.NLMSG_ERROR || frame.type() == Frame.NLMSG_DONE) {
                    Outcome outcome = Acknowledgement.parse(frame);
                    if (!outcome.succeeded()) {
                        throw new NetlinkException("netlink request of type " + request.type(), outcome);
                    }
                    return new Responses(messages, interrupted);
                }
                messages.add(frame.toMessage());
            }
        }
    }

    /** Receives frames. The kernel responds while it receives the request, so this does not wait long. */
    private List<Frame> receiveFrames() {
        int length = socket.receive(buffer);
        if (length > buffer.length) {
            throw new IllegalStateException("an answer of " + length + " bytes is too long");
        }
        return Frame.parse(buffer, length);
    }

    @Override
    public List<NetlinkMessage> receive(Duration atMost) {
        if (!socket.awaitReadable(atMost, wakeUp)) {
            return List.of();
        }
        try {
            int length = socket.receive(buffer);
            if (length <= buffer.length) {
                return Frame.parse(buffer, length).stream()
                        .map(Frame::toMessage)
                        .toList();
            }
        } catch (SystemCallException e) {
            if (e.errno() != Errno.ENOBUFS) {
                throw e;
            }
        }
        return List.of(new NetlinkMessage(OVERRUN, 0, new byte[0]));
    }

    @Override
    public void wake() {
        wakeUp.signal();
    }

    @Override
    public int portId() {
        return portId;
    }

    @Override
    public void close() {
        socket.close();
        wakeUp.close();
    }

    private Frame newFrame(NetlinkMessage message, int flags) {
        return new Frame(
                message.type(),
                message.flags() | NetlinkMessage.NLM_F_REQUEST | flags,
                ++sequence,
                0,
                message.payload());
    }

    /** Returns a {@code struct sockaddr_nl}: family, padding, port id (0: the kernel chooses), groups. */
    private static byte[] address(int portId) {
        return ByteBuffer.allocate(12)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_NETLINK)
                .putShort((short) 0)
                .putInt(portId)
                .putInt(0)
                .array();
    }

    /**
     * Sets an option that older kernels lack; without it, errors contain less and dumps contain more, which their
     * readers allow for.
     */
    private void setOptionIfSupported(int option, int value) {
        try {
            socket.setOption(SOL_NETLINK, option, value);
        } catch (SystemCallException _) {
            // See above.
        }
    }

    private void enlargeReceiveBuffer() {
        try {
            socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
        } catch (SystemCallException _) {
            // Without CAP_NET_ADMIN, the size is limited by net.core.rmem_max.
            socket.setOption(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
        }
    }
}
