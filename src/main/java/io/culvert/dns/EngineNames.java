package io.culvert.dns;

import java.time.Duration;
import java.util.Optional;
import org.xbill.DNS.Message;

/**
 * Resolves names by the container engine's resolver. Docker's forwards names that it does not know from inside the
 * container (moby: daemon/libnetwork/resolver.go, forwardExtDNS), where such a query is redirected to our stub: our own
 * query comes back. It is answered by the tunnel's servers, and never sent to the container engine again.
 */
final class EngineNames implements Answering {

    /** The container engine answers from memory; what takes longer is being forwarded, perhaps to this stub. */
    private static final Duration FROM_MEMORY = Duration.ofMillis(300);

    private final Forwarder engine;
    private final InFlight asked;
    private final Resolving others;

    EngineNames(Forwarder engine, Resolving others) {
        this.engine = engine;
        this.asked = new InFlight(engine::ask, FROM_MEMORY);
        this.others = others;
    }

    @Override
    public Message answer(Question question, int id) throws NoAnswerException {
        // Docker forwards the message unchanged, with its id. With a new id, the query is found as one in
        // flight.
        if (engine.isAsking(question, id)) {
            return others.answer(question);
        }
        Question plain = Question.plain(question.name(), question.type());
        Optional<Message> answer = asked.join(plain);
        return answer.isPresent() ? answer.get() : others.answer(question);
    }
}
