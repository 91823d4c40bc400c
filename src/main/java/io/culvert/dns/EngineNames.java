package io.culvert.dns;

import java.time.Duration;
import java.util.Optional;
import org.xbill.DNS.Message;

/**
 * The container engine's own resolver, for names that it may know. Docker's forwards what it does not know from inside of the
 * container (moby: daemon/libnetwork/resolver.go, forwardExtDNS), where such a query is redirected to our stub: the query
 * that we sent comes back to us. It is answered by the tunnel's servers, and never sent to the engine again.
 */
final class EngineNames implements Answering {

    /** The engine answers from memory; what takes longer is forwarded, perhaps to us. */
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
        // Docker forwards the very message, id included. An engine that chooses a new id meets its own question in
        // flight.
        if (engine.isAsking(question, id)) {
            return others.answer(question);
        }
        Question plain = Question.plain(question.name(), question.type());
        Optional<Message> answer = asked.join(plain);
        return answer.isPresent() ? answer.get() : others.answer(question);
    }
}
