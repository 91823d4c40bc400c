// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import io.culvert.linux.SystemCallException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A netlink socket: that of the kernel ({@code KernelNetlinkSocket}), or a simulated one in a test. Not thread-safe. */
public interface NetlinkSocket extends AutoCloseable {

    /**
     * Sends the requests, each with {@code NLM_F_REQUEST} added, in as few system calls as the receive buffer allows,
     * and waits until all of them are processed. A batch is not a transaction: requests after a failed one are carried
     * out, too.
     *
     * @return one outcome per request, in order
     */
    List<Outcome> execute(List<NetlinkMessage> requests);

    /** A request of a transaction that the kernel refused, which therefore changed nothing. */
    record Refusal(int index, Outcome outcome) {}

    /**
     * Sends requests that the kernel carries out as one transaction, as nfnetlink does.
     *
     * @param batch the begin message, the requests, and the end message; the kernel acknowledges neither begin nor end
     *     before Linux 6.10
     * @return the first refused message; empty if the transaction was carried out
     * @throws SystemCallException with EMSGSIZE if the batch is larger than this process may send
     */
    Optional<Refusal> executeTransaction(List<NetlinkMessage> batch);

    /**
     * Sends one request, with {@code NLM_F_REQUEST|NLM_F_DUMP} added, and collects the responses; a dump that the
     * kernel marks as interrupted ({@code NLM_F_DUMP_INTR}) is repeated a few times at most.
     *
     * @throws NetlinkException if the kernel refuses
     */
    List<NetlinkMessage> dump(NetlinkMessage request);

    /**
     * Sends one request for a single object, with {@code NLM_F_REQUEST|NLM_F_ACK} added, and collects the responses.
     *
     * @throws NetlinkException if the kernel refuses
     */
    List<NetlinkMessage> query(NetlinkMessage request);

    /**
     * Waits for notifications of the groups for which the socket was opened.
     *
     * @return the notifications of one datagram; empty if none came before the timeout, or {@link #wake} was called. If
     *     notifications were lost ({@code ENOBUFS}), a single message of type {@link #OVERRUN}: everything must be read
     *     again.
     */
    List<NetlinkMessage> receive(Duration atMost);

    /**
     * Ends the wait in {@link #receive}, or the next one. The only method that may be called from any thread at any
     * time.
     */
    void wake();

    /**
     * Returns the port id of this socket, as in {@link NetlinkMessage#portId()} of the notifications that it causes.
     */
    int portId();

    @Override
    void close();

    /** {@code NLMSG_OVERRUN} (include/uapi/linux/netlink.h). */
    int OVERRUN = 4;

    /**
     * The outcome of a request.
     *
     * @param errno 0 if it was carried out
     * @param message the kernel's own message (extended acknowledgement); often empty
     * @param offset the offset in the request of what the kernel refuses; -1 if it is not known
     */
    record Outcome(int errno, String message, int offset) {

        public static final Outcome DONE = new Outcome(0, "", -1);

        public boolean succeeded() {
            return errno == 0;
        }
    }
}
