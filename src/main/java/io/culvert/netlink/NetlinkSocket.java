package io.culvert.netlink;

import java.time.Duration;
import java.util.List;

/**
 * A conversation with the kernel: really ({@code KernelNetlinkSocket}), or scripted in a test. Not safe for use by
 * several threads at once.
 */
public interface NetlinkSocket extends AutoCloseable {

    /**
     * Sends the requests, each with {@code NLM_F_REQUEST} added, in as few system calls as the receive buffer allows, and
     * waits until all of them are carried out. A batch is not a transaction: requests behind a failed one are carried out all
     * the same.
     *
     * @return one outcome a request, in order
     */
    List<Outcome> execute(List<NetlinkMessage> requests);

    /**
     * Sends one request, with {@code NLM_F_REQUEST|NLM_F_DUMP} added, and collects the answers; a dump that the kernel
     * marks as interrupted ({@code NLM_F_DUMP_INTR}) is repeated, at most a few times.
     *
     * @throws NetlinkException when the kernel refuses
     */
    List<NetlinkMessage> dump(NetlinkMessage request);

    /**
     * Sends one request for a single object, with {@code NLM_F_REQUEST|NLM_F_ACK} added, and collects the answers.
     *
     * @throws NetlinkException when the kernel refuses
     */
    List<NetlinkMessage> ask(NetlinkMessage request);

    /**
     * Waits for notifications of the groups that the socket was opened for.
     *
     * @return the notifications of one datagram; empty when nothing came within the time or {@link #wake} was called. When notifications were lost
     *     ({@code ENOBUFS}) the answer is a single message of type {@link #OVERRUN}: everything must be read anew.
     */
    List<NetlinkMessage> receive(Duration atMost);

    /** Ends the wait in {@link #receive}, or the next one; the one method that any thread may call at any time. */
    void wake();

    /** This socket's port id, as it stands in {@link NetlinkMessage#portId()} of the notifications that it causes. */
    int portId();

    @Override
    void close();

    /** {@code NLMSG_OVERRUN} (include/uapi/linux/netlink.h). */
    int OVERRUN = 4;

    /**
     * What became of a request.
     *
     * @param errno 0 when it was carried out
     * @param message the kernel's own words (extended acknowledgement); often empty
     * @param offset the byte of the request the kernel objects to; -1 where it does not say
     */
    record Outcome(int errno, String message, int offset) {

        public static final Outcome DONE = new Outcome(0, "", -1);

        public boolean done() {
            return errno == 0;
        }
    }
}
