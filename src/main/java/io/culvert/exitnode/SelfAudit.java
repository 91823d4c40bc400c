// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.audit.Auditor;
import io.culvert.audit.Promise;
import io.culvert.audit.PromiseInputs;
import io.culvert.audit.Violation;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.linux.IdleMemory;
import io.culvert.nft.KernelRuleset;
import io.culvert.nft.KernelTable;
import io.culvert.nft.RulesetReader;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingStateReader;
import io.culvert.timing.Threads;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The audit of a running exit node by itself. The kernel's state is read on the exit node's thread; to compare it takes longer
 * and is done on another one. While something may leave that the settings do not allow, the exit node blocks all traffic, and
 * what is judged is the state in which it would not.
 */
final class SelfAudit implements AutoCloseable {

    /** The beginning of its sentences in the status. */
    static final String PREFIX = "audit: ";

    /** What one audit depends on. */
    private record Subject(RoutingState routing, KernelRuleset ruleset, PromiseInputs inputs) {}

    private final Auditor auditor;
    private final RoutingStateReader routes;
    private final RulesetReader rulesets;
    private final Consumer<Runnable> onOwnThread;
    private final Runnable onVerdict;
    private final Threads threads;
    private final Log log;
    private Optional<Subject> judged = Optional.empty();
    private Optional<Subject> waiting = Optional.empty();
    private boolean isBusy;
    private List<Violation> violations = List.of();

    /**
     * @param onOwnThread runs an action on the exit node's thread
     * @param onVerdict called there when packets may leave, and when they no longer may
     */
    SelfAudit(
            Auditor auditor,
            RoutingStateReader routes,
            RulesetReader rulesets,
            Consumer<Runnable> onOwnThread,
            Runnable onVerdict,
            Threads threads,
            Log log) {
        this.auditor = auditor;
        this.routes = routes;
        this.rulesets = rulesets;
        this.onOwnThread = onOwnThread;
        this.onVerdict = onVerdict;
        this.threads = threads;
        this.log = log;
    }

    /** Returns what may leave or come in that the settings do not allow. */
    List<String> violations() {
        return violations.stream()
                .map(violation -> PREFIX + violation.sentence())
                .toList();
    }

    /** Starts an audit, unless nothing has changed since the last one. */
    void check(PromiseInputs inputs) {
        Subject subject = new Subject(routes.read(), withoutBlock(rulesets.read()), inputs);
        if (judged.filter(subject::equals).isPresent()) {
            return;
        }
        if (isBusy) {
            waiting = Optional.of(subject);
        } else {
            start(subject);
        }
    }

    /** Returns the ruleset without the table that blocks all traffic after a leak. */
    private static KernelRuleset withoutBlock(KernelRuleset ruleset) {
        List<KernelTable> tables = ruleset.tables().stream()
                .filter(table -> !table.is(KillSwitchRuleset.LEAK_TABLE))
                .toList();
        return new KernelRuleset(ruleset.generation(), tables, ruleset.unreadable());
    }

    private void start(Subject subject) {
        isBusy = true;
        judged = Optional.of(subject);
        threads.start("audit", () -> {
            long start = System.nanoTime();
            List<Violation> found = judge(subject);
            log.debug(PREFIX + "followed all packets in " + (System.nanoTime() - start) / 1_000_000 + " ms");
            onOwnThread.accept(() -> finish(found));
        });
    }

    private List<Violation> judge(Subject subject) {
        try {
            return auditor.violations(subject.routing(), subject.ruleset(), Promise.of(subject.inputs()));
        } catch (RuntimeException | Error e) {
            return List.of(new Violation(
                    Violation.JudgedLayers.BOTH, "anything may leave: the audit itself failed (" + e + ")", List.of()));
        }
    }

    private void finish(List<Violation> found) {
        isBusy = false;
        boolean changed = found.isEmpty() != violations.isEmpty();
        found.stream()
                .filter(violation -> !violations.contains(violation))
                .forEach(violation -> log.problems(List.of(Problem.failure(
                        Location.machine("network namespace"),
                        violation.sentence()
                                + (violation.path().isEmpty() ? "" : " (" + String.join("; ", violation.path()) + ")")
                                + ". The settings do not allow this, so all traffic is blocked",
                        "remove the rule or route of another program that is named here"))));
        if (found.isEmpty() && !violations.isEmpty()) {
            log.info("audit: nothing may leave any more that the settings do not allow");
        }
        violations = found;
        if (changed) {
            onVerdict.run();
        }
        IdleMemory.release();
        waiting.ifPresent(subject -> {
            waiting = Optional.empty();
            start(subject);
        });
    }

    @Override
    public void close() {
        rulesets.close();
    }
}
