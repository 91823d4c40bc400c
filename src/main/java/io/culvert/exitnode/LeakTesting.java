// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Counted;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.leaktest.LeakTest;
import io.culvert.leaktest.LeakTestInput;
import io.culvert.leaktest.LeakTestResult;
import io.culvert.leaktest.LeakTestSummary;
import io.culvert.linux.IdleMemory;
import io.culvert.net.Family;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.reconcile.EventQueue;
import io.culvert.reconcile.Reconciler;
import io.culvert.rtnl.LinkAddress;
import io.culvert.runtime.Environment;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * Runs leak tests: shortly after each connect, on request, and repeatedly while all traffic is blocked because of a leak. A test
 * runs on a thread of its own, so that events are handled meanwhile; everything else happens on the exit node's thread.
 *
 * <p>The block ends with the first test that passes. That is safe: the block is behind what the test observes, so it shows what
 * the kill switch lets out, and nothing leaves while it runs.
 */
final class LeakTesting {

    /** As Mullvad's leak checker: the connection has settled, and not much could have leaked yet. */
    static final Duration AFTER_CONNECT = Duration.ofSeconds(5);

    /** The interval of tests while traffic is blocked: what leaked may have been removed by its own program. */
    private static final Duration WHILE_BLOCKED = Duration.ofMinutes(1);

    /** A test after a connect is not postponed for longer, however often the plan changes. */
    private static final Duration MAX_POSTPONED = Duration.ofMinutes(1);

    /** The number of runs for one result, if the plan changes during each. */
    private static final int MAX_RUNS = 5;

    private static final Location LOCATION = Location.machine("leak test");

    private boolean automatic;
    private final KillSwitch killSwitch;
    private final EventQueue<ExitNodeEvent> events;
    private final Environment environment;
    private final Log log;

    /** What a test is run for. */
    private record Run(
            LeakTestInput input, ExitNodePlan plan, List<CompletableFuture<LeakTestResult>> responses, int number) {

        boolean isOutdated(LeakTestInput nowInput, ExitNodePlan nowPlan) {
            return !input.equals(nowInput)
                    || !plan.ruleset().equals(nowPlan.ruleset())
                    || !plan.killSwitchRouting().equals(nowPlan.killSwitchRouting());
        }
    }

    private Optional<Run> running = Optional.empty();
    private List<CompletableFuture<LeakTestResult>> waiting = new ArrayList<>();
    private final List<Runnable> responses = new ArrayList<>();
    private Optional<Instant> due = Optional.empty();
    private Instant connectedAt = Instant.EPOCH;
    private Optional<LeakTestSummary> latest = Optional.empty();
    /** The leak because of which all traffic is to be blocked. */
    private Optional<LeakTestSummary> leak = Optional.empty();

    private boolean connected;

    /** Whether the block may be in effect; an earlier run may have left it. */
    private boolean applied = true;

    /** @param automatic whether tests run without a request */
    LeakTesting(boolean automatic, KillSwitch killSwitch, EventQueue<ExitNodeEvent> events, Environment environment) {
        this.automatic = automatic;
        this.killSwitch = killSwitch;
        this.events = events;
        this.environment = environment;
        this.log = environment.log();
    }

    /** Sets whether tests run without a request, from the next connect on. A block is ended by a test only. */
    void setAutomatic(boolean changed) {
        automatic = changed;
        if (!automatic && !isBlocking()) {
            due = Optional.empty();
        }
    }

    /** Returns the latest result. */
    Optional<LeakTestSummary> latest() {
        return latest;
    }

    /** Returns whether all traffic is to be blocked because of a leak. */
    boolean isBlocking() {
        return leak.isPresent();
    }

    /**
     * Applies the block, also if another program removed it, or ends it.
     *
     * @param isLeakKnown whether something else than a test has found a leak
     */
    void applyBlock(boolean isLeakKnown) {
        if (isBlocking() || isLeakKnown) {
            applied = true;
            killSwitch.blockAfterLeak();
        } else if (applied) {
            killSwitch.unblockAfterLeak();
            applied = false;
        }
    }

    /** Postpones a test after a connect: it tests what the exit node has settled at. */
    void killSwitchChanged() {
        Instant now = now();
        if (connected && !isBlocking() && due.isPresent() && now.isBefore(connectedAt.plus(MAX_POSTPONED))) {
            due = Optional.of(now.plus(AFTER_CONNECT));
        }
    }

    /** Returns whether {@link #check} will start a test. */
    boolean isDue() {
        Instant now = now();
        return running.isEmpty()
                && (!waiting.isEmpty() || due.filter(at -> !at.isAfter(now)).isPresent());
    }

    /**
     * Starts a test that is due, and responds to requests whose test has ended.
     *
     * @param nowConnected whether the tunnel is connected
     * @return when to call this again at the latest
     */
    Instant check(boolean nowConnected, ExitNodeInputs inputs, ExitNodePlan plan) {
        responses.forEach(Runnable::run);
        responses.clear();
        Instant now = now();
        if (nowConnected != connected) {
            connected = nowConnected;
            connectedAt = now;
            if (automatic && !isBlocking()) {
                due = connected ? Optional.of(now.plus(AFTER_CONNECT)) : Optional.empty();
            }
        }
        if (isDue()) {
            due = Optional.empty();
            start(new Run(input(inputs, plan), plan, waiting, 1));
            waiting = new ArrayList<>();
        }
        // While one runs, its end is an event.
        return running.isPresent() || due.isEmpty() ? now.plus(Reconciler.NO_DEADLINE) : due.get();
    }

    /** Requests a test that begins after this. */
    void request(CompletableFuture<LeakTestResult> response) {
        waiting.add(response);
    }

    private void start(Run run) {
        running = Optional.of(run);
        environment.system().threads().start("leak-test", () -> {
            LeakTestResult result;
            try {
                result = LeakTest.run(run.input(), environment.clock().instant());
            } catch (RuntimeException e) {
                result = LeakTestResult.notRun(environment.clock().instant(), String.valueOf(e));
            }
            events.add(new ExitNodeEvent.LeakTestFinished(result));
        });
    }

    /** Returns what a test has to know of the exit node. */
    static LeakTestInput input(ExitNodeInputs inputs, ExitNodePlan plan) {
        Map<Family, List<String>> links = new EnumMap<>(Family.class);
        for (Family family : Family.values()) {
            links.put(
                    family,
                    plan.machine().main().addresses().stream()
                            .filter(address -> address.address().family() == family)
                            .map(LinkAddress::link)
                            .filter(link -> !plan.routingIntent().inputLinks().contains(link))
                            .distinct()
                            .toList());
        }
        return new LeakTestInput(
                plan.routingIntent().inputLinks(),
                plan.machine().uplinks(),
                links,
                inputs.identity().marks(),
                Stream.concat(plan.tunnel().endpoints().stream(), inputs.roamedEndpoint().stream())
                        .toList(),
                inputs.resolvers().all(),
                ExitNodePlanner.lan(inputs.settings(), inputs.machine()),
                ExitNodePlanner.bypasses(inputs));
    }

    /**
     * Handles the end of a test. What was tested has to be what is in effect now: if the plan changed meanwhile, the test is run
     * again. A block is applied, or ended, by {@link #applyBlock}, and requests are responded to by the next {@link #check}.
     */
    void finished(LeakTestResult result, ExitNodeInputs inputs, ExitNodePlan plan) {
        Run run = running.orElseThrow();
        running = Optional.empty();
        LeakTestInput input = input(inputs, plan);
        if (run.isOutdated(input, plan) && run.number() < MAX_RUNS) {
            start(new Run(input, plan, run.responses(), run.number() + 1));
            return;
        }
        LeakTestSummary summary = result.summary();
        latest = Optional.of(summary);
        run.responses().forEach(response -> responses.add(() -> response.complete(result)));
        switch (summary.verdict()) {
            case LEAK -> block(summary);
            case PASSED -> unblock(summary);
            case NOT_RUN -> {
                log.warn("leak test: not run: " + summary.reason());
                due = isBlocking() ? Optional.of(now().plus(WHILE_BLOCKED)) : due;
            }
        }
        IdleMemory.release();
    }

    private void block(LeakTestSummary summary) {
        boolean known = leak.filter(it -> it.leaks().equals(summary.leaks())).isPresent();
        leak = Optional.of(summary);
        // Another program may have opened the kill switch for a moment only.
        due = Optional.of(now().plus(known ? WHILE_BLOCKED : Reconciler.RETRY));
        if (!known) {
            log.problems(List.of(problem(summary)));
        }
    }

    private void unblock(LeakTestSummary summary) {
        log.info("leak test: passed (" + summary.totals() + ")"
                + (isBlocking() ? "; traffic is no longer blocked" : ""));
        leak = Optional.empty();
        due = Optional.empty();
    }

    /** Returns the leak as a sentence for the status. */
    Optional<String> sentence() {
        return leak.map(summary -> problem(summary).toString());
    }

    private Instant now() {
        return environment.monotonicClock().instant();
    }

    private static Problem problem(LeakTestSummary summary) {
        int more = summary.leaks().size() - 1;
        return Problem.failure(
                LOCATION,
                summary.leaks().getFirst()
                        + (more == 0 ? "" : " and " + Counted.of(more, "other packet"))
                        + " would have left outside the tunnel; all traffic is blocked until a leak test passes",
                "see 'culvert leak-test' for all of them, remove the rule that lets them out ('nft list ruleset', 'ip rule'), and"
                        + " run 'culvert leak-test' again");
    }
}
