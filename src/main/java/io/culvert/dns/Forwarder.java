// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/**
 * Queries the servers of a list round-robin until one responds or the timeout expires. Late responses of servers
 * queried earlier are accepted too, so that a slow server counts. The server that responded last is queried first, so
 * that an unresponsive first server costs its timeout only once. A server of the other address family comes second, after
 * a shorter time, as one family often works while the other does not.
 */
final class Forwarder {

    /** RFC 8305, section 5: the recommended delay before the other address family is tried. */
    private static final Duration HEAD_START = Duration.ofMillis(250);

    private final DnsExchange exchange = new DnsExchange();
    private final AtomicInteger preferredServer = new AtomicInteger();
    private final Upstreams upstreams;
    private final Timeouts timeouts;

    Forwarder(Upstreams upstreams, Timeouts timeouts) {
        this.upstreams = upstreams;
        this.timeouts = timeouts;
    }

    /** Returns whether a query with this id is waiting for its response. */
    boolean isPending(DnsQuery query, int id) {
        return exchange.isPending(query, id);
    }

    /** Returns the response; if all servers refuse or fail, the last one's failure response. */
    Message query(DnsQuery query) throws NoResponseException {
        return query(query, timeouts.total());
    }

    /** Returns the response, with another timeout for all servers together. */
    Message query(DnsQuery query, Duration timeout) throws NoResponseException {
        if (upstreams.servers().isEmpty()) {
            throw new NoResponseException(ExtendedErrorCodeOption.NOT_READY, "no DNS server is configured");
        }
        try (DnsExchange.Attempts attempts = exchange.prepare(query, upstreams.egress())) {
            return new QueryRounds(query, attempts, System.nanoTime() + timeout.toNanos()).run();
        }
    }

    /**
     * Returns the servers in the order of a query.
     *
     * @param first the index of the server that is queried first
     */
    static List<InetSocketAddress> order(List<InetSocketAddress> servers, int first) {
        List<InetSocketAddress> order = new ArrayList<>(servers);
        Collections.rotate(order, -first);
        IntStream.range(1, order.size())
                .filter(index -> family(order.get(index)) != family(order.getFirst()))
                .findFirst()
                .ifPresent(index -> order.add(1, order.remove(index)));
        return List.copyOf(order);
    }

    private static Family family(InetSocketAddress server) {
        return Family.of(server.getAddress());
    }

    /** The state of one query. */
    private final class QueryRounds {

        private final List<InetSocketAddress> servers = order(upstreams.servers(), preferredServer.get());
        private final DnsQuery query;
        private final DnsExchange.Attempts attempts;
        private final long deadline;
        private final SequencedMap<InetSocketAddress, Message> failureResponses = new LinkedHashMap<>();
        private final SequencedMap<InetSocketAddress, String> reasons = new LinkedHashMap<>();
        private boolean tcpTimedOut;

        private QueryRounds(DnsQuery query, DnsExchange.Attempts attempts, long deadline) {
            this.query = query;
            this.attempts = attempts;
            this.deadline = deadline;
        }

        Message run() throws NoResponseException {
            for (int attempt = 0; timeLeft().isPositive(); attempt++) {
                InetSocketAddress server = servers.get(attempt % servers.size());
                boolean isLastOfRound = attempt % servers.size() == servers.size() - 1;
                send(server);
                Optional<Message> response = awaitReply(server, isLastOfRound);
                if (response.isPresent()) {
                    return response.get();
                }
                if (isLastOfRound) {
                    if (!attempts.isWaiting() && !tcpTimedOut) {
                        break;
                    }
                    tcpTimedOut = false;
                }
            }
            if (!failureResponses.isEmpty()) {
                return failureResponses.sequencedValues().getLast();
            }
            throw new NoResponseException(
                    timeLeft().isPositive()
                            ? ExtendedErrorCodeOption.NETWORK_ERROR
                            : ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY,
                    String.join("; ", reasons.values()));
        }

        private void send(InetSocketAddress server) {
            if (failureResponses.containsKey(server)) {
                return;
            }
            try {
                attempts.send(server);
                reasons.put(server, noResponse(server));
            } catch (IOException e) {
                reasons.put(server, String.valueOf(e.getMessage()));
            }
        }

        /** Waits for this server until it is the next one's turn; at the end of a round for all that were queried. */
        private Optional<Message> awaitReply(InetSocketAddress server, boolean isLastOfRound) {
            long until = System.nanoTime()
                    + Timeouts.shorter(timeoutBeforeNext(server), timeLeft()).toNanos();
            while (isLastOfRound ? attempts.isWaiting() : attempts.isWaitingFor(server)) {
                Optional<DnsExchange.Reply> reply = attempts.await(Duration.ofNanos(until - System.nanoTime()));
                if (reply.isEmpty()) {
                    break;
                }
                Optional<Message> response = process(reply.get());
                if (response.isPresent()) {
                    return response;
                }
            }
            return Optional.empty();
        }

        private Duration timeoutBeforeNext(InetSocketAddress server) {
            boolean isOtherFamilyNext =
                    server.equals(servers.getFirst()) && servers.size() > 1 && family(servers.get(1)) != family(server);
            return isOtherFamilyNext ? Timeouts.shorter(HEAD_START, timeouts.perServer()) : timeouts.perServer();
        }

        private Optional<Message> process(DnsExchange.Reply reply) {
            InetSocketAddress server = reply.server();
            try {
                Message response = complete(reply);
                if (isFinal(response)) {
                    preferredServer.set(upstreams.servers().indexOf(server));
                    return Optional.of(response);
                }
                failureResponses.put(server, response);
            } catch (SocketTimeoutException _) {
                tcpTimedOut = true;
                reasons.put(server, noResponse(server));
            } catch (IOException e) {
                reasons.put(server, String.valueOf(e.getMessage()));
            }
            return Optional.empty();
        }

        private Message complete(DnsExchange.Reply reply) throws IOException {
            return switch (reply) {
                case DnsExchange.Reply.Failure failure -> throw failure.cause();
                case DnsExchange.Reply.Answer(InetSocketAddress server, Message message) ->
                    message.getHeader().getFlag(Flags.TC)
                            ? exchange.queryByTcp(query, server, upstreams.egress(), tcpTimeout())
                            : message;
            };
        }

        /** Returns a timeout that suffices for a slow server and leaves time for the next one. */
        private Duration tcpTimeout() {
            Duration remaining = timeLeft();
            Duration half = remaining.dividedBy(2);
            return servers.size() == 1
                    ? remaining
                    : Timeouts.shorter(
                            remaining, half.compareTo(timeouts.perServer()) < 0 ? timeouts.perServer() : half);
        }

        private Duration timeLeft() {
            return Duration.ofNanos(deadline - System.nanoTime());
        }
    }

    private static String noResponse(InetSocketAddress server) {
        return "no response from " + Prefix.text(server.getAddress());
    }

    private static boolean isFinal(Message response) {
        int code = response.getRcode();
        return code == Rcode.NOERROR || code == Rcode.NXDOMAIN;
    }
}
