package io.culvert.exitnode;

import io.culvert.process.ChildEvent;
import io.culvert.status.StatusReport;
import java.util.concurrent.CompletableFuture;

/** An event that the running exit node handles. */
sealed interface Event {

    /** A stop was requested. */
    record Stop(String why) implements Event {}

    /** Links, addresses, routes, rules or nftables changed, usually by another program. */
    record MachineChanged() implements Event {}

    /** A child process has started, printed a line or exited. */
    record Child(ChildEvent what) implements Event {}

    /** A host name that the plan depends on resolves to other addresses now. */
    record NamesChanged() implements Event {}

    /** An update from another thread, to be applied on the exit node's own. */
    record Learned(Runnable takeIn) implements Event {}

    /** The status was requested. */
    record StatusAsked(CompletableFuture<StatusReport> answer) implements Event {}
}
