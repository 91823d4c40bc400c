// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.leaktest.LeakTestResult;
import io.culvert.process.ChildEvent;
import io.culvert.status.ControlRequest;
import io.culvert.status.ControlResult;
import io.culvert.status.StatusReport;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** An event that the running exit node handles. */
sealed interface ExitNodeEvent {

    /** A stop was requested. */
    record Stop(String why) implements ExitNodeEvent {}

    /** Links, addresses, routes, rules or nftables changed, usually by another program. */
    record MachineChanged() implements ExitNodeEvent {}

    /** A child process has started, printed a line or exited. */
    record Child(ChildEvent event) implements ExitNodeEvent {}

    /** A host name that the plan depends on resolves to other addresses now. */
    record NamesChanged() implements ExitNodeEvent {}

    /** An update from another thread, to be applied on the exit node's own. */
    record DeferredUpdate(Runnable update) implements ExitNodeEvent {}

    /** Settings or files may have changed. */
    record FilesChanged() implements ExitNodeEvent {}

    /** A reload was requested. */
    record ReloadRequested(String why) implements ExitNodeEvent {}

    /** A command was received; its result is delivered on the exit node's thread. */
    record ControlRequested(ControlRequest request, Consumer<ControlResult> response) implements ExitNodeEvent {}

    /** A leak test was requested. */
    record LeakTestRequested(CompletableFuture<LeakTestResult> response) implements ExitNodeEvent {}

    /** A leak test has ended. */
    record LeakTestFinished(LeakTestResult result) implements ExitNodeEvent {}

    /** The status was requested. */
    record StatusRequested(CompletableFuture<StatusReport> response) implements ExitNodeEvent {}
}
