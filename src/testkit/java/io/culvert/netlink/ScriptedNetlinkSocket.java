// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A simulated kernel, for responses that a real kernel cannot be made to give. */
public final class ScriptedNetlinkSocket implements NetlinkSocket {

    /** The response to a request: an acknowledgement, and messages if the request queries some. */
    public record Reply(Outcome outcome, List<NetlinkMessage> messages) {

        public static Reply done(NetlinkMessage... messages) {
            return new Reply(new Outcome(0, "", -1), List.of(messages));
        }

        public static Reply refused(int errno, String message) {
            return new Reply(new Outcome(errno, message, -1), List.of());
        }
    }

    private final Function<NetlinkMessage, Reply> kernel;
    private final List<NetlinkMessage> requests = new ArrayList<>();
    private final Deque<List<NetlinkMessage>> notifications = new ArrayDeque<>();
    private boolean closed;

    public ScriptedNetlinkSocket(Function<NetlinkMessage, Reply> kernel) {
        this.kernel = kernel;
    }

    /** Asserts that every request has this type and these flags, before the script gets it. */
    public static Function<NetlinkMessage, Reply> checkRequest(
            int type, int flags, Function<NetlinkMessage, Reply> kernel) {
        return request -> {
            assertThat(request.type()).as("type").isEqualTo(type);
            assertThat(request.flags() & flags).as("flags").isEqualTo(flags);
            return kernel.apply(request);
        };
    }

    /** Returns all requests so far. */
    public List<NetlinkMessage> requests() {
        return List.copyOf(requests);
    }

    /** Adds results of the next calls of {@link #receive}, one datagram each. */
    public ScriptedNetlinkSocket notify(NetlinkMessage... datagram) {
        notifications.add(List.of(datagram));
        return this;
    }

    public boolean closed() {
        return closed;
    }

    @Override
    public List<Outcome> execute(List<NetlinkMessage> messages) {
        return messages.stream().map(request -> answer(request).outcome()).toList();
    }

    @Override
    public Optional<Refusal> executeTransaction(List<NetlinkMessage> batch) {
        for (int i = 0; i < batch.size(); i++) {
            Outcome outcome = answer(batch.get(i)).outcome();
            if (!outcome.succeeded()) {
                return Optional.of(new Refusal(i, outcome));
            }
        }
        return Optional.empty();
    }

    @Override
    public List<NetlinkMessage> query(NetlinkMessage request) {
        return messages(request);
    }

    @Override
    public List<NetlinkMessage> dump(NetlinkMessage request) {
        return messages(request);
    }

    private List<NetlinkMessage> messages(NetlinkMessage request) {
        Reply reply = answer(request);
        if (!reply.outcome().succeeded()) {
            throw new NetlinkException("netlink request of type " + request.type(), reply.outcome());
        }
        return reply.messages();
    }

    private Reply answer(NetlinkMessage request) {
        assertThat(closed).as("closed").isFalse();
        requests.add(request);
        return kernel.apply(request);
    }

    @Override
    public List<NetlinkMessage> receive(Duration atMost) {
        return notifications.isEmpty() ? List.of() : notifications.remove();
    }

    @Override
    public void wake() {
        // Nothing waits here.
    }

    @Override
    public int portId() {
        return 4711;
    }

    @Override
    public void close() {
        closed = true;
    }
}
