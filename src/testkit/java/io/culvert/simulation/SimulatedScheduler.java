// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Delayed;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Delayed tasks in simulated time, one after the other on a thread that starts with the first one. */
final class SimulatedScheduler extends AbstractExecutorService implements ScheduledExecutorService {

    private final String name;
    private final SimulatedThreads threads;
    private final List<Delay> waiting = new ArrayList<>();
    private boolean isStarted;
    private boolean isShutDown;
    private long lastNumber;

    SimulatedScheduler(String name, SimulatedThreads threads) {
        this.name = name;
        this.threads = threads;
    }

    private final class Delay implements ScheduledFuture<Object> {

        private final CompletableFuture<Object> future = new CompletableFuture<>();
        private final Runnable work;
        private final long at;
        private final long number = ++lastNumber;

        Delay(Runnable work, long at) {
            this.work = work;
            this.at = at;
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(at - threads.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }

        @Override
        public boolean cancel(boolean interrupts) {
            return waiting.remove(this) && future.cancel(interrupts);
        }

        @Override
        public boolean isCancelled() {
            return future.isCancelled();
        }

        @Override
        public boolean isDone() {
            return future.isDone();
        }

        @Override
        public Object get() throws InterruptedException, ExecutionException {
            return future.get();
        }

        @Override
        public Object get(long timeout, TimeUnit unit)
                throws InterruptedException, ExecutionException, TimeoutException {
            return future.get(timeout, unit);
        }
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable work, long delay, TimeUnit unit) {
        if (isShutDown) {
            throw new RejectedExecutionException();
        }
        Delay task = new Delay(work, threads.nanoTime() + unit.toNanos(delay));
        waiting.add(task);
        if (!isStarted) {
            isStarted = true;
            threads.start(name, this::run);
        }
        return task;
    }

    private void run() {
        while (!isShutDown) {
            Optional<Delay> next = first();
            if (next.isPresent() && next.get().at <= threads.nanoTime()) {
                waiting.remove(next.get());
                next.get().work.run();
                next.get().future.complete("done");
            } else {
                Duration left = next.map(task -> Duration.ofNanos(task.at - threads.nanoTime()))
                        .orElse(Duration.ofDays(365));
                threads.await(() -> isShutDown || !first().equals(next), left);
            }
        }
    }

    private Optional<Delay> first() {
        return waiting.stream()
                .min(Comparator.comparingLong((Delay task) -> task.at).thenComparingLong(task -> task.number));
    }

    @Override
    public void shutdown() {
        isShutDown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        isShutDown = true;
        waiting.clear();
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return isShutDown;
    }

    @Override
    public boolean isTerminated() {
        return isShutDown;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return true;
    }

    @Override
    public void execute(Runnable command) {
        var _ = schedule(command, 0, TimeUnit.NANOSECONDS);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> work, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable work, long first, long period, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable work, long first, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }
}
