// SPDX-License-Identifier: Apache-2.0
package io.culvert.requirements;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.Log;
import io.culvert.linux.HostLookup.Result;
import io.culvert.net.Host;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class ResolverWaitTest {

    private static final Host.Name NAME = new Host.Name("server.example");
    private static final Result FOUND = new Result.Found(List.of(InetAddress.ofLiteral("203.0.113.10")));
    private static final Result NONE = new Result.NoResponse("no usable response");
    private static final Duration LONG = Duration.ofMinutes(10);

    private final StringWriter output = new StringWriter();
    private final Log log = new Log(new PrintWriter(output, /* autoFlush= */ true));
    private final AtomicInteger waits = new AtomicInteger();

    private ResolverWait wait(Function<String, Result> resolver, Duration longest) {
        return new ResolverWait(log, waits::incrementAndGet, resolver, longest);
    }

    @Test
    void a_resolver_that_responds_late_is_waited_for_and_this_is_logged_once() {
        AtomicInteger attempts = new AtomicInteger();

        var results =
                wait(_ -> attempts.incrementAndGet() < 3 ? NONE : FOUND, LONG).lookUp(List.of(NAME));

        assertThat(results).containsExactlyEntriesOf(Map.of(NAME, FOUND));
        assertThat(waits).hasValue(1);
        assertThat(output.toString())
                .containsOnlyOnce("dns: server.example cannot be resolved yet (no usable response); retrying for 600 s")
                .contains("dns: the resolver responds after");
    }

    @Test
    void a_name_that_does_not_exist_is_not_waited_for() {
        AtomicInteger attempts = new AtomicInteger();

        var results = wait(
                        _ -> {
                            attempts.incrementAndGet();
                            return new Result.Nonexistent();
                        },
                        LONG)
                .lookUp(List.of(NAME));

        assertThat(results.get(NAME)).isEqualTo(new Result.Nonexistent());
        assertThat(attempts).hasValue(1);
        assertThat(output.toString()).isEmpty();
    }

    @Test
    void the_wait_ends_at_its_deadline_even_if_a_lookup_does_not() {
        CountDownLatch end = new CountDownLatch(1);

        var results = wait(_ -> await(end), Duration.ofMillis(20)).lookUp(List.of(NAME, new Host.Name("b.example")));
        end.countDown();

        assertThat(results.values()).hasSize(2).allMatch(Result.NoResponse.class::isInstance);
    }

    @Test
    void a_stop_ends_the_wait_during_a_lookup_and_between_two() {
        CountDownLatch end = new CountDownLatch(1);
        ResolverWait[] wait = new ResolverWait[1];
        wait[0] = wait(
                _ -> {
                    wait[0].stop();
                    return await(end);
                },
                LONG);

        assertThatThrownBy(() -> wait[0].lookUp(List.of(NAME))).isInstanceOf(CancellationException.class);
        assertThatThrownBy(() -> wait[0].lookUp(List.of(NAME))).isInstanceOf(CancellationException.class);
        end.countDown();
    }

    private static Result await(CountDownLatch end) {
        try {
            end.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return FOUND;
    }
}
