// SPDX-License-Identifier: Apache-2.0
package io.culvert.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.timing.Threads;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class ChangeWatcherTest {

    private final StringWriter logged = new StringWriter();
    private final Log log = new Log(new PrintWriter(logged));
    private final BlockingQueue<String> notifications = new LinkedBlockingQueue<>();

    /** An event source that reports scripted events; closing it ends its wait. */
    private static final class ScriptedSource {

        private enum Event {
            CHANGE,
            FAIL,
            CLOSE
        }

        private final BlockingQueue<Event> script = new LinkedBlockingQueue<>();
        private final AtomicInteger closed = new AtomicInteger();

        ChangeWatcher.Source source() {
            return new ChangeWatcher.Source(
                    "scripted events",
                    _ -> {
                        try {
                            return switch (script.take()) {
                                case CHANGE -> true;
                                case FAIL -> throw new IndexOutOfBoundsException("a message without an end");
                                case CLOSE -> false;
                            };
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    () -> {
                        closed.incrementAndGet();
                        script.add(Event.CLOSE);
                    });
        }
    }

    private ChangeWatcher watch(List<Supplier<ChangeWatcher.Source>> sources) {
        return ChangeWatcher.start(log, Threads.SYSTEM, sources, () -> notifications.add("woken"));
    }

    private void awaitNotification() throws InterruptedException {
        assertThat(notifications.poll(30, TimeUnit.SECONDS)).isEqualTo("woken");
    }

    @Test
    void a_change_notifies_the_owner_and_closing_does_not() throws Exception {
        ScriptedSource scripted = new ScriptedSource();
        try (ChangeWatcher watcher = watch(List.of(scripted::source))) {
            scripted.script.add(ScriptedSource.Event.CHANGE);
            awaitNotification();
            watcher.reopenFailed();
        }

        assertThat(scripted.closed).hasValue(1);
        assertThat(notifications).isEmpty();
        assertThat(logged.toString()).isEmpty();
    }

    @Test
    void a_failed_source_is_logged_and_the_owner_is_notified() throws Exception {
        ScriptedSource scripted = new ScriptedSource();
        try (ChangeWatcher watcher = watch(List.of(scripted::source))) {
            scripted.script.add(ScriptedSource.Event.FAIL);
            awaitNotification();

            assertThat(watcher.hasFailed()).isTrue();
            assertThat(logged.toString())
                    .startsWith("error: scripted events")
                    .contains("cannot be received any more")
                    .contains("a message without an end");
        }
    }

    @Test
    void reopening_covers_all_sources_and_notifies_the_owner_of_missed_changes() throws Exception {
        ScriptedSource broken = new ScriptedSource();
        ScriptedSource reopened = new ScriptedSource();
        ScriptedSource other = new ScriptedSource();
        Deque<ScriptedSource> next = new ArrayDeque<>(List.of(broken, reopened));
        try (ChangeWatcher watcher = watch(List.of(() -> next.remove().source(), other::source))) {
            broken.script.add(ScriptedSource.Event.FAIL);
            awaitNotification();

            watcher.reopenFailed();
            awaitNotification();
            assertThat(watcher.hasFailed()).isFalse();
            assertThat(broken.closed).hasValue(1);
            assertThat(other.closed).hasValue(1);

            reopened.script.add(ScriptedSource.Event.CHANGE);
            awaitNotification();
        }
    }

    @Test
    void a_failed_reopening_is_logged_once() throws Exception {
        ScriptedSource broken = new ScriptedSource();
        ScriptedSource other = new ScriptedSource();
        Deque<ScriptedSource> next = new ArrayDeque<>(List.of(broken));
        Supplier<ChangeWatcher.Source> failing = () -> {
            if (next.isEmpty()) {
                throw new IllegalStateException("no more sockets");
            }
            return next.remove().source();
        };
        try (ChangeWatcher watcher = watch(List.of(other::source, failing))) {
            broken.script.add(ScriptedSource.Event.FAIL);
            awaitNotification();

            watcher.reopenFailed();
            watcher.reopenFailed();
            assertThat(watcher.hasFailed()).isTrue();
            assertThat(notifications).isEmpty();
            assertThat(logged.toString()).containsOnlyOnce("no more sockets");
            assertThat(other.closed).as("what was opened for nothing is closed").hasValue(2);
        }
    }
}
