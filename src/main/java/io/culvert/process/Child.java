package io.culvert.process;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A program under supervision, and the thread that stays with it: wait for its end, wait a while, start it again. The thread
 * begins in the network namespace of {@link Supervisor#start}'s caller, so every restart is there too.
 */
public final class Child {

    private static final Pattern ERROR = Pattern.compile("error[:=] ?[0-9]+,? \\(?([^()]+?)\\)? *$");

    private final Supplier<ChildSpec> specs;
    private final Supervision supervision;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final Thread thread;
    private int starts;
    private volatile ChildSpec spec;
    private Run run;

    /** @throws ProblemException when the program cannot be started */
    Child(Supplier<ChildSpec> specs, Supervision supervision) {
        this.specs = specs;
        this.spec = specs.get();
        this.supervision = supervision;
        try {
            this.run = begin(spec);
        } catch (IOException e) {
            throw new ProblemException(Problem.failure(
                    Place.machine(spec.program().toString()),
                    spec.name() + " cannot be started: " + reason(e),
                    "check that the file is there, is executable and fits this machine"));
        }
        this.thread = Thread.ofPlatform().name("child-" + spec.name()).daemon().start(this::supervise);
    }

    public String name() {
        return spec.name();
    }

    /** Of the process that runs now, or ran last. */
    public synchronized long pid() {
        return run.pid();
    }

    /** The end of the process that runs now, or ran last. */
    public synchronized CompletableFuture<ChildEvent.Ended> end() {
        return run.end();
    }

    /**
     * Ends it for good: SIGTERM, SIGKILL after its grace. Returns when it is gone; safe to repeat. Not to be called by the
     * listener, on whose return the child's own thread waits.
     */
    public void stop() {
        Run last;
        synchronized (this) { // From here on nothing is started any more.
            stopping.countDown();
            last = run;
        }
        last.terminate(spec.grace());
        try {
            thread.join();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    boolean isStopping() {
        return stopping.getCount() == 0;
    }

    private void supervise() {
        try {
            int failures = 0;
            do { // At least once: a child may be told to stop before this thread gets here.
                long since = supervision.timing().nanoTime();
                Run now = current();
                int status = now.await(supervision.children());
                ChildEvent.Ended ended = new ChildEvent.Ended(spec.name(), status, isStopping(), now.lastWords());
                supervision.tell(ended);
                now.end().complete(ended);
                Duration lasted = Duration.ofNanos(supervision.timing().nanoTime() - since);
                failures = lasted.compareTo(supervision.backOff().steady()) < 0 ? failures + 1 : 1;
                while (restartAfter(supervision.backOff().after(failures))) {
                    failures++;
                }
            } while (!isStopping());
        } catch (InterruptedException _) {
            // Nobody interrupts this thread but the end of the JVM.
            Thread.currentThread().interrupt();
        }
    }

    private synchronized Run current() {
        return run;
    }

    /** @return whether it must be tried once more */
    private boolean restartAfter(Duration wait) throws InterruptedException {
        if (isStopping()) {
            return false;
        }
        supervision.tell(new ChildEvent.Restarting(spec.name(), wait));
        if (supervision.timing().await(stopping, wait)) {
            return false;
        }
        Optional<IOException> failure = restart();
        failure.ifPresent(e -> supervision.tell(new ChildEvent.NotStarted(spec.name(), reason(e))));
        return failure.isPresent();
    }

    private synchronized Optional<IOException> restart() {
        if (isStopping()) {
            return Optional.empty();
        }
        try {
            ChildSpec next = specs.get();
            run = begin(next);
            spec = next;
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(e);
        }
    }

    private Run begin(ChildSpec now) throws IOException {
        Run fresh = Run.start(now, supervision);
        starts++;
        supervision.tell(new ChildEvent.Started(now.name(), fresh.pid(), starts));
        fresh.read();
        return fresh;
    }

    /** The system's own words, which the JDK puts behind a repetition of the command. */
    private static String reason(IOException e) {
        Matcher matcher = ERROR.matcher(String.valueOf(e.getMessage()));
        return matcher.find() ? matcher.group(1) : String.valueOf(e.getMessage());
    }
}
