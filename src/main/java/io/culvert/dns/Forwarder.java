package io.culvert.dns;

import io.culvert.ip.Prefix;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/**
 * Asks the servers of a list in turn, round and round while some are only silent, until one answers or patience ends. Who
 * answered last is asked first, so that a dead first server costs its time only once.
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

    /** Whether a question with this id is waiting for its answer now. */
    boolean isAsking(Question question, int id) {
        return exchange.isAsking(question, id);
    }

    /** The answer; where all servers only refuse or fail, the last one's word for it. */
    Message ask(Question question) throws NoAnswerException {
        List<InetSocketAddress> servers = upstreams.servers();
        if (servers.isEmpty()) {
            throw new NoAnswerException(ExtendedErrorCodeOption.NOT_READY, "there is no DNS server to ask");
        }
        long deadline = System.nanoTime() + patience.all().toNanos();
        List<String> reasons = new ArrayList<>();
        boolean silent;
        do {
            silent = false;
            reasons.clear();
            List<Message> failures = new ArrayList<>();
            int start = first.get();
            for (int i = 0; i < servers.size(); i++) {
                int chosen = (start + i) % servers.size();
                InetSocketAddress server = servers.get(chosen);
                Duration time = shorter(patience.server(), Duration.ofNanos(deadline - System.nanoTime()));
                try {
                    Message answer = exchange.ask(question, server, upstreams.egress(), time);
                    if (isFinal(answer)) {
                        first.set(chosen);
                        return answer;
                    }
                    failures.add(answer);
                } catch (SocketTimeoutException _) {
                    silent = true;
                    reasons.add(Prefix.text(server.getAddress()) + " is silent");
                } catch (IOException e) {
                    reasons.add(String.valueOf(e.getMessage()));
                }
            }
            if (!failures.isEmpty()) {
                return failures.getLast();
            }
        } while (silent && System.nanoTime() - deadline < 0);
        throw new NoAnswerException(
                silent ? ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY : ExtendedErrorCodeOption.NETWORK_ERROR,
                String.join("; ", reasons));
    }

    private static boolean isFinal(Message answer) {
        int code = answer.getRcode();
        return code == Rcode.NOERROR || code == Rcode.NXDOMAIN;
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
