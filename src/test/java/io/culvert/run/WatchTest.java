package io.culvert.run;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class WatchTest {

    private final StringWriter words = new StringWriter();
    private final Journal journal = new Journal(new PrintWriter(words));
    private final BlockingQueue<String> woken = new LinkedBlockingQueue<>();

    /** Tells what it is told to tell, and ends its wait when closed. */
    private static final class Scripted {

        private enum Turn {
            CHANGE,
            BREAK,
            CLOSE
        }

        private final BlockingQueue<Turn> script = new LinkedBlockingQueue<>();
        private final AtomicInteger closed = new AtomicInteger();

        Watch.Source source() {
            return new Watch.Source(
                    "scripted events",
                    _ -> {
                        try {
                            return switch (script.take()) {
                                case CHANGE -> true;
                                case BREAK -> throw new IndexOutOfBoundsException("a message without an end");
                                case CLOSE -> false;
                            };
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    () -> {
                        closed.incrementAndGet();
                        script.add(Turn.CLOSE);
                    });
        }
    }

    private Watch watch(List<Supplier<Watch.Source>> sources) {
        return Watch.start(journal, sources, () -> woken.add("woken"));
    }

    private void awaitWakeUp() throws InterruptedException {
        assertThat(woken.poll(30, TimeUnit.SECONDS)).isEqualTo("woken");
    }

    @Test
    void a_change_wakes_and_an_end_is_silent() throws Exception {
        Scripted scripted = new Scripted();
        try (Watch watch = watch(List.of(scripted::source))) {
            scripted.script.add(Scripted.Turn.CHANGE);
            awaitWakeUp();
            watch.mend();
        }

        assertThat(scripted.closed).hasValue(1);
        assertThat(woken).isEmpty();
        assertThat(words.toString()).isEmpty();
    }

    @Test
    void a_source_that_breaks_is_told_and_the_story_woken_to_look_by_itself() throws Exception {
        Scripted scripted = new Scripted();
        try (Watch watch = watch(List.of(scripted::source))) {
            scripted.script.add(Scripted.Turn.BREAK);
            awaitWakeUp();

            assertThat(watch.isDeaf()).isTrue();
            assertThat(words.toString())
                    .startsWith("error: scripted events")
                    .contains("cannot be received any more")
                    .contains("a message without an end");
        }
    }

    @Test
    void it_listens_anew_to_all_of_them_and_what_was_missed_counts_as_a_change() throws Exception {
        Scripted broken = new Scripted();
        Scripted anew = new Scripted();
        Scripted other = new Scripted();
        Deque<Scripted> next = new ArrayDeque<>(List.of(broken, anew));
        try (Watch watch = watch(List.of(() -> next.remove().source(), other::source))) {
            broken.script.add(Scripted.Turn.BREAK);
            awaitWakeUp();

            watch.mend();
            awaitWakeUp();
            assertThat(watch.isDeaf()).isFalse();
            assertThat(broken.closed).hasValue(1);
            assertThat(other.closed).hasValue(1);

            anew.script.add(Scripted.Turn.CHANGE);
            awaitWakeUp();
        }
    }

    @Test
    void while_it_cannot_listen_anew_it_stays_deaf_and_says_why_once() throws Exception {
        Scripted broken = new Scripted();
        Scripted other = new Scripted();
        Deque<Scripted> next = new ArrayDeque<>(List.of(broken));
        Supplier<Watch.Source> failing = () -> {
            if (next.isEmpty()) {
                throw new IllegalStateException("no more sockets");
            }
            return next.remove().source();
        };
        try (Watch watch = watch(List.of(other::source, failing))) {
            broken.script.add(Scripted.Turn.BREAK);
            awaitWakeUp();

            watch.mend();
            watch.mend();
            assertThat(watch.isDeaf()).isTrue();
            assertThat(woken).isEmpty();
            assertThat(words.toString()).containsOnlyOnce("no more sockets");
            assertThat(other.closed).as("what was opened for nothing is closed").hasValue(2);
        }
    }
}
