package io.culvert.dns;

import io.culvert.linux.Cancellation;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Message;

/** Asks identical questions that arrive while one is being answered only once; all of them get the same answer. */
final class InFlight implements Resolving {

    private final Map<Question, CompletableFuture<Message>> pending = new ConcurrentHashMap<>();
    private final Resolving resolving;
    private final Duration timeout;

    /** @param timeout how long a second question waits for the answer to the first */
    InFlight(Resolving resolving, Duration timeout) {
        this.resolving = resolving;
        this.timeout = timeout;
    }

    @Override
    public Message answer(Question question) throws NoAnswerException {
        return join(question)
                .orElseThrow(() -> new NoAnswerException(
                        ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY, "the same question is still unanswered"));
    }

    /** Returns empty when the question was being asked already and its answer did not come in time. */
    Optional<Message> join(Question question) throws NoAnswerException {
        CompletableFuture<Message> own = new CompletableFuture<>();
        CompletableFuture<Message> first = pending.putIfAbsent(question, own);
        if (first != null) {
            return await(question, first);
        }
        try {
            Message answer = resolving.answer(question);
            own.complete(answer);
            return Optional.of(answer);
        } catch (NoAnswerException | RuntimeException e) {
            pending.remove(question, own);
            own.completeExceptionally(Cancellation.isCancelledHere() ? new CancellationException() : e);
            throw e;
        } finally {
            pending.remove(question, own);
        }
    }

    /** Where the first one is given up, because its client asks too much, another one goes on in its place. */
    private Optional<Message> await(Question question, CompletableFuture<Message> first) throws NoAnswerException {
        CompletableFuture<Message> answer = first.copy();
        Cancellation.alsoEnd(() -> answer.cancel(false));
        try {
            return Optional.of(answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS));
        } catch (CancellationException _) {
            return Optional.empty();
        } catch (TimeoutException _) {
            return Optional.empty();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CancellationException) {
                return join(question);
            }
            if (e.getCause() instanceof NoAnswerException none) {
                throw new NoAnswerException(none.extendedCode(), none.why());
            }
            throw new NoAnswerException(ExtendedErrorCodeOption.OTHER, String.valueOf(e.getCause()));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
