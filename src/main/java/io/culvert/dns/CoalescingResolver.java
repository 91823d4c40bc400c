// SPDX-License-Identifier: Apache-2.0
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
final class CoalescingResolver implements Resolver {

    private final Map<DnsQuery, CompletableFuture<Message>> pending = new ConcurrentHashMap<>();
    private final Resolver delegate;
    private final Duration timeout;

    /** @param timeout how long a second query waits for the response to the first */
    CoalescingResolver(Resolver delegate, Duration timeout) {
        this.delegate = delegate;
        this.timeout = timeout;
    }

    @Override
    public Message resolve(DnsQuery query) throws NoResponseException {
        return join(query)
                .orElseThrow(() -> new NoResponseException(
                        ExtendedErrorCodeOption.NO_REACHABLE_AUTHORITY, "the same query is still unanswered"));
    }

    /** Returns empty if the same query was in flight already and its response did not arrive in time. */
    Optional<Message> join(DnsQuery query) throws NoResponseException {
        CompletableFuture<Message> ownFuture = new CompletableFuture<>();
        CompletableFuture<Message> first = pending.putIfAbsent(query, ownFuture);
        if (first != null) {
            return await(query, first);
        }
        try {
            Message response = delegate.resolve(query);
            ownFuture.complete(response);
            return Optional.of(response);
        } catch (NoResponseException | RuntimeException e) {
            pending.remove(query, ownFuture);
            ownFuture.completeExceptionally(Cancellation.isCurrentTaskCancelled() ? new CancellationException() : e);
            throw e;
        } finally {
            pending.remove(query, ownFuture);
        }
    }

    /** If the first query is dropped because its client sends too many, another one takes its place. */
    private Optional<Message> await(DnsQuery query, CompletableFuture<Message> first) throws NoResponseException {
        CompletableFuture<Message> response = first.copy();
        Cancellation.addAction(() -> response.cancel(false));
        try {
            return Optional.of(response.get(timeout.toMillis(), TimeUnit.MILLISECONDS));
        } catch (CancellationException _) {
            return Optional.empty();
        } catch (TimeoutException _) {
            return Optional.empty();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CancellationException) {
                return join(query);
            }
            if (e.getCause() instanceof NoResponseException noAnswer) {
                throw new NoResponseException(noAnswer.extendedCode(), noAnswer.reason());
            }
            throw new NoResponseException(ExtendedErrorCodeOption.OTHER, String.valueOf(e.getCause()));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
