package io.culvert.lab;

import io.culvert.ip.Family;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A process that shares the node's network and asks the internet's web server who it is, at a steady pace, whether earlier
 * requests were answered or not: none of them holds the next one up.
 */
final class Neighbour implements AutoCloseable {

    /** Forty requests a second. */
    private static final Duration PACE = Duration.ofMillis(25);

    /** Much longer than an answer takes, and short enough for {@link #AT_ONCE}. */
    private static final Duration PATIENCE = Duration.ofMillis(500);

    private static final int AT_ONCE = 48;

    /** @param at by {@link System#nanoTime()} */
    private record Answer(String who, long at) {}

    private final ScheduledThreadPoolExecutor inside = new ScheduledThreadPoolExecutor(AT_ONCE, task -> {
        Thread thread = new Thread(task, "neighbour");
        thread.setDaemon(true);
        return thread;
    });
    private final List<Answer> answers = new ArrayList<>();

    private Neighbour() {}

    static Neighbour in(Namespace space) {
        Neighbour neighbour = new Neighbour();
        try {
            // A thread stays in the namespace of the one that started it.
            space.call(neighbour.inside::prestartAllCoreThreads);
        } catch (Exception e) {
            throw new AssertionError("asking from " + space.name(), e);
        }
        var _ = neighbour.inside.scheduleAtFixedRate(
                () -> neighbour.inside.execute(neighbour::ask), 0, PACE.toNanos(), TimeUnit.NANOSECONDS);
        return neighbour;
    }

    private void ask() {
        try {
            String who = Probe.askWebServer(Family.IPV4, Math.toIntExact(PATIENCE.toMillis()));
            synchronized (answers) {
                answers.add(new Answer(who, System.nanoTime()));
                answers.notifyAll();
            }
        } catch (IOException _) {
            // No answer.
        }
    }

    /**
     * Waits for the first answer after a time that says this.
     *
     * @param since by {@link System#nanoTime()}
     * @return when it came
     */
    long awaitAnswer(String who, long since, Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        synchronized (answers) {
            while (true) {
                for (Answer answer : answers) {
                    if (answer.who.equals(who) && answer.at - since > 0) {
                        return answer.at;
                    }
                }
                long rest = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (rest <= 0) {
                    throw new AssertionError("the neighbour has had no answer for " + who + " in " + deadline);
                }
                try {
                    answers.wait(rest);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new AssertionError("interrupted", e);
                }
            }
        }
    }

    /** When answers that say this came after a time. */
    List<Long> answers(String who, long since) {
        synchronized (answers) {
            return answers.stream()
                    .filter(answer -> answer.who.equals(who) && answer.at - since > 0)
                    .map(Answer::at)
                    .toList();
        }
    }

    @Override
    public void close() {
        inside.shutdownNow();
    }
}
