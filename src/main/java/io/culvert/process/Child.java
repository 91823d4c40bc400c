// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A supervised program and its supervising thread, which waits for its exit, waits for the back-off delay and restarts
 * it. The thread starts in the network namespace of {@link Supervisor#start}'s caller, so every restart is in that one
 * too.
 */
public final class Child {

    private static final Pattern ERROR = Pattern.compile("error[:=] ?[0-9]+,? \\(?([^()]+?)\\)? *$");

    private final Supplier<ChildSpec> specs;
    private final Supervision supervision;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final Thread thread;
    private int starts;
    private volatile ChildSpec spec;
    private ProcessRun run;

    /** @throws ProblemException when the program cannot be started */
    Child(Supplier<ChildSpec> specs, Supervision supervision) {
        this.specs = specs;
        this.spec = specs.get();
        this.supervision = supervision;
        try {
            this.run = startRun(spec);
        } catch (IOException e) {
            throw new ProblemException(Problem.failure(
                    Location.machine(spec.program().toString()),
                    spec.name() + " cannot be started: " + reason(e),
                    "check that the file exists, is executable and is built for this machine"));
        }
        this.thread = supervision.threads().start("child-" + spec.name(), this::supervise);
    }

    public String name() {
        return spec.name();
    }

    /** Returns the process id of the current run, or of the last one. */
    public synchronized long pid() {
        return run.pid();
    }

    /** Returns the exit of the current run, or of the last one. */
    public synchronized CompletableFuture<ChildEvent.Exited> exit() {
        return run.exit();
    }

    /**
     * Stops the program: SIGTERM, then SIGKILL after its grace period. Returns when it has exited; idempotent. Not to
     * be called by the listener, whose return the child's own thread waits for.
     */
    public void stop() {
        ProcessRun lastRun;
        synchronized (this) { // From here on there is no restart.
            stopping.countDown();
            lastRun = run;
        }
        lastRun.terminate(spec.grace());
        try {
            supervision.threads().join(thread);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Kills a program that hangs, with its descendants. It is restarted like one that exited unexpectedly; does nothing
     * once it is being stopped.
     */
    public synchronized void kill() {
        if (!isStopping()) {
            run.kill();
        }
    }

    boolean isStopping() {
        return stopping.getCount() == 0;
    }

    private void supervise() {
        try {
            int failures = 0;
            do { // At least once: a child may be stopped before this thread gets here.
                long startTime = supervision.threads().nanoTime();
                ProcessRun current = current();
                int status = current.await(supervision.children());
                ChildEvent.Exited exited =
                        new ChildEvent.Exited(spec.name(), status, isStopping(), current.lastOutput());
                supervision.report(exited);
                current.exit().complete(exited);
                Duration runTime = Duration.ofNanos(supervision.threads().nanoTime() - startTime);
                failures = runTime.compareTo(Supervision.STABLE_AFTER) < 0 ? failures + 1 : 1;
                while (restartAfter(supervision.backOff().afterFailures(failures))) {
                    failures++;
                }
            } while (!isStopping());
        } catch (InterruptedException _) {
            // Only the exit of the JVM interrupts this thread.
            Thread.currentThread().interrupt();
        }
    }

    private synchronized ProcessRun current() {
        return run;
    }

    /** @return whether the restart failed and has to be retried */
    private boolean restartAfter(Duration delay) throws InterruptedException {
        if (isStopping()) {
            return false;
        }
        supervision.report(new ChildEvent.Restarting(spec.name(), delay));
        if (supervision.threads().await(stopping, delay)) {
            return false;
        }
        Optional<IOException> failure = restart();
        failure.ifPresent(e -> supervision.report(new ChildEvent.RestartFailed(spec.name(), reason(e))));
        return failure.isPresent();
    }

    private synchronized Optional<IOException> restart() {
        if (isStopping()) {
            return Optional.empty();
        }
        try {
            ChildSpec next = specs.get();
            run = startRun(next);
            spec = next;
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(e);
        }
    }

    private ProcessRun startRun(ChildSpec current) throws IOException {
        ProcessRun newRun = ProcessRun.start(current, supervision);
        starts++;
        supervision.report(new ChildEvent.Started(current.name(), newRun.pid(), starts));
        newRun.startReading();
        return newRun;
    }

    /** Returns the operating system's error text, to which the JDK's message prepends the command. */
    private static String reason(IOException e) {
        Matcher matcher = ERROR.matcher(String.valueOf(e.getMessage()));
        return matcher.find() ? matcher.group(1) : String.valueOf(e.getMessage());
    }
}
