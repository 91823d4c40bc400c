package io.culvert.dns;

import io.culvert.ip.Prefix;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/**
 * Queries the servers of a list round-robin until one responds or the timeout expires. Late responses of servers
 * queried earlier are accepted too, so that a slow server counts. The server that responded last is queried first, so
 * that a dead first server costs its timeout only once.
 */
final class Forwarder {

    private final Exchange exchange = new Exchange();
    private final AtomicInteger first = new AtomicInteger();
    private final Upstreams upstreams;
    private final Patience patience;

    Forwarder(Upstreams upstreams, Patience patience) {
        this.upstreams = upstreams;
        this.patience = patience;
    }

    /** Returns whether a query with this id is waiting for its response. */
    boolean isAsking(Question question, int id) {
        return exchange.isAsking(question, id);
    }

    /** Returns the response; if all servers refuse or fail, the last one's failure response. */
    Message ask(Question question) throws NoAnswerException {
        return ask(question, patience.all());
    }

    /** Returns the response, with another timeout for all servers together. */
    Message ask(Question question, Duration all) throws NoAnswerException {
        if (upstreams.servers().isEmpty()) {
            throw new NoAnswerException(ExtendedErrorCodeOption.NOT_READY, "no DNS server is configured");
        }
        try (Exchange.Attempts attempts = exchange.begin(question, upstreams.egress())) {
            return new Rounds(question, attempts, System.nanoTime() + all.toNanos()).answer();
        }
    }

    /** The state of one query. */
    private final class Rounds {

        private final List<InetSocketAddress> servers = upstreams.servers();
        private final Question question;
        private final Exchange.Attempts attempts;
        private final long deadline;
        private final SequencedMap<InetSocketAddress, Message> refusals = new LinkedHashMap<>();
        private final SequencedMap<InetSocketAddress, String> reasons = new LinkedHashMap<>();
        private boolean silentByTcp;

        private Rounds(Question question, Exchange.Attempts attempts, long deadline) {
            this.question = question;
            this.attempts = attempts;
            this.deadline = deadline;
        }

        Message answer() throws NoAnswerException {
            int start = first.get();
            for (int turn = 0; left().isPositive(); turn++) {
                InetSocketAddress server = servers.get((start + turn) % servers.size());
                boolean endsRound = turn % servers.size() == servers.size() - 1;
                send(server);
                Optional<Message> answer = listen(server, endsRound);
                if (answer.isPresent()) {
                    return answer.get();
                }
                if (endsRound) {
                    if (!attempts.isWaiting() && !silentByTcp) {
                        break;
                    }
                    silentByTcp = false;
                }
            }
            if (!refusals.isEmpty()) {
                return refusals.sequencedValues().getLast();
            }
            throw new NoAnswerException(
                    left().isPositive()
                            ? ExtendedErrorCodeOption.NETWORK_ERROR
                            : ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY,
                    String.join("; ", reasons.values()));
        }

        private void send(InetSocketAddress server) {
            if (refusals.containsKey(server)) {
                return;
            }
            try {
                attempts.send(server);
                reasons.put(server, silence(server));
            } catch (IOException e) {
                reasons.put(server, String.valueOf(e.getMessage()));
            }
        }

        /** Waits for this server until it is the next one's turn; at the end of a round for all that were queried. */
        private Optional<Message> listen(InetSocketAddress server, boolean endsRound) {
            long until = System.nanoTime() + shorter(patience.server(), left()).toNanos();
            while (endsRound ? attempts.isWaiting() : attempts.isWaitingFor(server)) {
                Optional<Exchange.Reply> reply = attempts.await(Duration.ofNanos(until - System.nanoTime()));
                if (reply.isEmpty()) {
                    break;
                }
                Optional<Message> answer = read(reply.get());
                if (answer.isPresent()) {
                    return answer;
                }
            }
            return Optional.empty();
        }

        private Optional<Message> read(Exchange.Reply reply) {
            InetSocketAddress server = reply.server();
            try {
                Message answer = whole(reply);
                if (isFinal(answer)) {
                    first.set(servers.indexOf(server));
                    return Optional.of(answer);
                }
                refusals.put(server, answer);
            } catch (SocketTimeoutException _) {
                silentByTcp = true;
                reasons.put(server, silence(server));
            } catch (IOException e) {
                reasons.put(server, String.valueOf(e.getMessage()));
            }
            return Optional.empty();
        }

        private Message whole(Exchange.Reply reply) throws IOException {
            return switch (reply) {
                case Exchange.Reply.Failure failure -> throw failure.why();
                case Exchange.Reply.Answer(InetSocketAddress server, Message message) ->
                    message.getHeader().getFlag(Flags.TC)
                            ? exchange.byTcp(question, server, upstreams.egress(), timeForTcp())
                            : message;
            };
        }

        /** Returns a timeout that suffices for a slow server and leaves time for the next one. */
        private Duration timeForTcp() {
            Duration left = left();
            Duration half = left.dividedBy(2);
            return servers.size() == 1
                    ? left
                    : shorter(left, half.compareTo(patience.server()) < 0 ? patience.server() : half);
        }

        private Duration left() {
            return Duration.ofNanos(deadline - System.nanoTime());
        }
    }

    private static String silence(InetSocketAddress server) {
        return "no response from " + Prefix.text(server.getAddress());
    }

    private static boolean isFinal(Message answer) {
        int code = answer.getRcode();
        return code == Rcode.NOERROR || code == Rcode.NXDOMAIN;
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
