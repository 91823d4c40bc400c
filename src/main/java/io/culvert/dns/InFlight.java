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

/** Sends identical concurrent queries only once; all of them get the same response. */
final class InFlight implements Resolving {

    private final Map<Question, CompletableFuture<Message>> pending = new ConcurrentHashMap<>();
    private final Resolving resolving;
    private final Duration timeout;

    /** @param timeout how long a second query waits for the response to the first */
    InFlight(Resolving resolving, Duration timeout) {
        this.resolving = resolving;
        this.timeout = timeout;
    }

    @Override
    public Message answer(Question question) throws NoAnswerException {
        return join(question)
                .orElseThrow(() -> new NoAnswerException(
                        ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY, "the same query is still unanswered"));
    }

    /** Returns empty if the same query was in flight already and its response did not arrive in time. */
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

    /** If the first query is dropped because its client sends too many, another one takes its place. */
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
