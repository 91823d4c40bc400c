// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import io.culvert.timing.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Threads in simulated time. Only one runs at a time, until it waits; which one is next is drawn from the seed. While none
 * can run, time advances to the next event of the world, or to the next deadline of a wait.
 *
 * <p>A program that is killed never runs again: its threads stay parked, so that nothing of it is undone.
 */
final class SimulatedThreads implements Threads {

    private static final long NO_DEADLINE = Long.MAX_VALUE;

    /** A thread of a program. */
    private static final class Task {

        private final int program;
        private BooleanSupplier condition = () -> true;
        private long deadline = NO_DEADLINE;
        private volatile @Nullable Thread thread;
        private volatile boolean isChosen;
        private boolean isEnded;

        Task(int program) {
            this.program = program;
        }

        void choose() {
            isChosen = true;
            LockSupport.unpark(thread);
        }

        void park() {
            while (!isChosen) {
                LockSupport.park(this);
            }
            isChosen = false;
        }
    }

    private record WorldEvent(long at, long number, Runnable action) {}

    private final Random random;
    private final List<Task> tasks = new ArrayList<>();
    private final PriorityQueue<WorldEvent> events =
            new PriorityQueue<>(Comparator.comparingLong(WorldEvent::at).thenComparingLong(WorldEvent::number));
    /** Holds the threads, so that parked ones end with this. */
    private final Executor executor = Executors.newThreadPerTaskExecutor(this::newThread);

    private @Nullable Task starting;
    private final CountDownLatch finished = new CountDownLatch(1);
    private long now;
    private long eventNumber;
    private int program;
    private @Nullable Task current;
    private volatile boolean isFinished;
    private volatile Optional<Throwable> failure = Optional.empty();

    SimulatedThreads(Random random) {
        this.random = random;
    }

    private Thread newThread(Runnable work) {
        Thread thread = Thread.ofVirtual().unstarted(work);
        if (starting != null) {
            starting.thread = thread;
        }
        return thread;
    }

    @Override
    public long nanoTime() {
        return now;
    }

    /** Adds an event of the world, which happens while the programs wait. */
    void schedule(Duration in, Runnable action) {
        events.add(new WorldEvent(now + in.toNanos(), eventNumber++, action));
    }

    /** Ends the simulation; the failure is that of the seed, if there is one. */
    void finish(Optional<Throwable> why) {
        if (!isFinished) {
            failure = why;
            isFinished = true;
            finished.countDown();
        }
    }

    /** Runs until the end of the simulation. */
    Optional<Throwable> run() throws InterruptedException {
        next().ifPresent(Task::choose);
        finished.await();
        return failure;
    }

    /** Ends all threads of the running program at once; returns to its caller only outside of them. */
    void killProgram() {
        int killed = program++;
        tasks.removeIf(task -> task.program == killed);
        if (current != null && current.program == killed) {
            Task self = current;
            current = null;
            next().ifPresent(Task::choose);
            self.isChosen = false;
            while (true) {
                LockSupport.park(self);
            }
        }
    }

    @Override
    public Thread start(String name, Runnable work) {
        Task task = new Task(program);
        starting = task;
        executor.execute(() -> {
            task.park();
            try {
                work.run();
            } catch (Throwable e) {
                finish(Optional.of(e));
            }
            task.isEnded = true;
            tasks.remove(task);
            next().ifPresent(Task::choose);
        });
        tasks.add(task);
        return Objects.requireNonNull(task.thread);
    }

    /** Waits until the condition holds; false when the time has elapsed. */
    boolean await(BooleanSupplier condition, Duration atMost) {
        if (condition.getAsBoolean()) {
            return true;
        }
        Task self = current;
        if (self == null) {
            throw new IllegalStateException("the world does not wait");
        }
        self.condition = condition;
        self.deadline = now + Math.max(0, atMost.toNanos());
        if (self.deadline < 0) {
            self.deadline = NO_DEADLINE;
        }
        pass(self);
        boolean result = condition.getAsBoolean();
        self.condition = () -> true;
        self.deadline = NO_DEADLINE;
        return result;
    }

    /** Lets all other threads run until they wait. */
    void runOthers() {
        Task self = current;
        if (self == null) {
            return;
        }
        self.condition = () -> tasks.stream().noneMatch(task -> task != self && isReady(task));
        pass(self);
        self.condition = () -> true;
    }

    private void pass(Task self) {
        current = null;
        Optional<Task> next = next();
        if (next.isPresent() && next.get() == self) {
            current = self;
            return;
        }
        next.ifPresent(Task::choose);
        self.park();
        current = self;
    }

    private boolean isReady(Task task) {
        return task.deadline <= now || task.condition.getAsBoolean();
    }

    /** Returns the thread that runs next; empty after the end of the simulation. */
    private Optional<Task> next() {
        current = null;
        List<Task> ready = new ArrayList<>();
        while (!isFinished) {
            ready.clear();
            for (Task task : tasks) {
                if (isReady(task)) {
                    ready.add(task);
                }
            }
            if (!ready.isEmpty()) {
                Task task = ready.size() == 1 ? ready.getFirst() : ready.get(random.nextInt(ready.size()));
                current = task;
                return Optional.of(task);
            }
            advance();
        }
        return Optional.empty();
    }

    private void advance() {
        long deadline = NO_DEADLINE;
        for (Task task : tasks) {
            deadline = Math.min(deadline, task.deadline);
        }
        WorldEvent event = events.peek();
        if (event != null && event.at <= deadline) {
            events.remove();
            now = Math.max(now, event.at);
            try {
                event.action.run();
            } catch (Throwable e) {
                finish(Optional.of(e));
            }
        } else if (deadline == NO_DEADLINE) {
            finish(Optional.of(new IllegalStateException("nothing ever happens again")));
        } else {
            now = deadline;
        }
    }

    @Override
    public void join(Thread thread) {
        await(() -> isEnded(thread), Duration.ofDays(365));
    }

    @Override
    public boolean join(Thread thread, Duration atMost) {
        return await(() -> isEnded(thread), atMost);
    }

    private boolean isEnded(Thread thread) {
        return tasks.stream().noneMatch(task -> Objects.equals(task.thread, thread));
    }

    @Override
    public boolean await(CountDownLatch latch, Duration atMost) {
        return await(() -> latch.getCount() == 0, atMost);
    }

    @Override
    public <E> @Nullable E poll(BlockingQueue<E> queue, Duration atMost) {
        await(() -> !queue.isEmpty(), atMost);
        return queue.poll();
    }

    @Override
    public ScheduledExecutorService scheduler(String name, int threads) {
        return new SimulatedScheduler(name, this);
    }
}
