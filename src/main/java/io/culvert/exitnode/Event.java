package io.culvert.exitnode;

import io.culvert.process.ChildEvent;
import io.culvert.status.StatusReport;
import java.util.concurrent.CompletableFuture;

/** What wakes the running chain. */
sealed interface Event {

    /** Somebody asked us to stop. */
    record Stop(String why) implements Event {}

    /** Links, addresses, routes, rules or nftables changed, by another hand as a rule. */
    record MachineChanged() implements Event {}

    /** Something happened to a child. */
    record Child(ChildEvent what) implements Event {}

    /** A name that the plan depends on has other addresses now. */
    record NamesChanged() implements Event {}

    /** Something learned on another thread, to be taken in on this one. */
    record Learned(Runnable takeIn) implements Event {}

    /** Somebody asks how we are. */
    record StatusAsked(CompletableFuture<StatusReport> answer) implements Event {}
}
