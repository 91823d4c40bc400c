// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Errno;
import io.culvert.linux.Sysctl;
import io.culvert.net.Family;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Applies a desired state in the network namespace of a netlink socket. Culvert's objects are recognized by {@link
 * Ownership}, so that a run adopts those of an earlier one; other programs' objects are never changed.
 *
 * <p>All or nothing: if the kernel refuses one request of a call, the call reverts its changes.
 */
public final class NetworkConfigurator {

    /**
     * Errors of the deletion of an object that no longer exists, which are no failure: a link takes its addresses and
     * routes along.
     */
    private static final Set<Integer> NOT_FOUND = Set.of(Errno.ENOENT, Errno.ESRCH, Errno.ENODEV, Errno.EADDRNOTAVAIL);

    private final NetlinkSocket socket;
    private final Optional<Sysctl> sysctl;

    public NetworkConfigurator(NetlinkSocket socket) {
        this.socket = socket;
        this.sysctl = Optional.empty();
    }

    /**
     * @param sysctl to enable IPv6 on a link that is to have an IPv6 address, if the kernel created the link without
     */
    public NetworkConfigurator(NetlinkSocket socket, Sysctl sysctl) {
        this.socket = socket;
        this.sysctl = Optional.of(sysctl);
    }

    /** Returns Culvert's current objects, as far as the terms of a desired state can express them. */
    public NetworkState observe() {
        return KernelSnapshot.read(socket).ownState();
    }

    /**
     * Returns what {@link #apply} would do, in the syntax of iproute2; empty if the state is as desired. Changes
     * nothing.
     */
    public List<String> drift(NetworkState desired) {
        StateDiff diff = StateDiff.between(KernelSnapshot.read(socket), desired);
        return Stream.of(
                        diff.absentLinks().stream().map(name -> "ip link show dev " + name + " # does not exist"),
                        texts(diff.missing()),
                        texts(diff.surplus()))
                .flatMap(lines -> lines)
                .toList();
    }

    /**
     * Describes rules and routes of other programs that take precedence over Culvert's rules; empty if there are none.
     */
    public List<String> findForeignRouting(RoutingIntent intent) {
        return new ForeignRouting(socket, intent).find();
    }

    /**
     * Makes Culvert's objects exactly these: adds those missing, then removes those not desired, including links.
     *
     * @return the changes, in the syntax of iproute2; empty if there were none
     * @throws ProblemException with all requests that the kernel refused or did not apply; then nothing is changed
     */
    public List<String> apply(NetworkState desired) {
        return change(desired, true);
    }

    /**
     * Adds the missing objects and removes nothing: a part of a state, while objects of an earlier run are still in
     * use.
     *
     * @return the changes, in the syntax of iproute2; empty if there were none
     * @throws ProblemException with all requests that the kernel refused or did not apply; then nothing is changed
     */
    public List<String> ensure(NetworkState state) {
        return change(state, false);
    }

    /**
     * Removes all objects of Culvert; what blocks packets is removed last. Can be repeated.
     *
     * @return the changes, in the syntax of iproute2
     */
    public List<String> remove() {
        return apply(NetworkState.EMPTY);
    }

    private List<String> change(NetworkState desired, boolean removeOthers) {
        StateDiff diff = between(desired, removeOthers);
        if (!diff.absentLinks().isEmpty()) {
            throw new ProblemException(diff.absentLinks().stream()
                    .map(name -> Problem.failure(Location.machine(name), "interface not found", ""))
                    .toList());
        }
        sysctl.ifPresent(ipv6Sysctl -> enableIpv6(desired, ipv6Sysctl));
        List<KernelRequest> done = new ArrayList<>();
        execute(diff.missing(), Set.of(), done);
        if (removeOthers) {
            execute(diff.surplus(), NOT_FOUND, done);
        }
        if (!done.isEmpty()) {
            verify(desired, removeOthers, done);
        }
        return texts(done).toList();
    }

    /**
     * Enables IPv6 where addresses need it. If the switch cannot be written, the kernel refuses the address and reports
     * it.
     */
    private static void enableIpv6(NetworkState desired, Sysctl ipv6Sysctl) {
        desired.addresses().stream()
                .filter(address -> address.address().family() == Family.IPV6)
                .map(address -> Ipv6.sysctl(address.link()))
                .distinct()
                .filter(name -> ipv6Sysctl.read(name).filter("1"::equals).isPresent())
                .forEach(name -> ipv6Sysctl.write(name, "0"));
    }

    /** Returns the difference. If nothing is to be removed, only the tables of the desired state are read. */
    private StateDiff between(NetworkState desired, boolean removeOthers) {
        KernelSnapshot actual = removeOthers
                ? KernelSnapshot.read(socket)
                : KernelSnapshot.read(
                        socket, desired.routes().stream().map(Route::table).collect(Collectors.toSet()));
        return StateDiff.between(actual, desired);
    }

    /** @param done the changes so far, to which this adds its own; all of them are reverted if something fails */
    private void execute(List<KernelRequest> changes, Set<Integer> ignoredErrors, List<KernelRequest> done) {
        List<Outcome> outcomes =
                socket.execute(changes.stream().map(KernelRequest::request).toList());
        List<RefusedRequest> refusals = new ArrayList<>();
        for (int i = 0; i < changes.size(); i++) {
            Outcome outcome = outcomes.get(i);
            if (outcome.succeeded()) {
                done.add(changes.get(i));
            } else if (!ignoredErrors.contains(outcome.errno())) {
                refusals.add(new RefusedRequest(changes.get(i).text(), outcome));
            }
        }
        if (!refusals.isEmpty()) {
            revertAndThrow(RefusedRequest.problems(refusals), done);
        }
    }

    /** Verifies the state by listing it, because the kernel accepts some invalid requests without an error. */
    private void verify(NetworkState desired, boolean removeOthers, List<KernelRequest> done) {
        StateDiff remaining = between(desired, removeOthers);
        List<Problem> problems = new ArrayList<>();
        remaining
                .absentLinks()
                .forEach(name -> problems.add(Problem.failure(
                        Location.machine(name), "the interface disappeared while it was configured", "")));
        texts(remaining.missing())
                .forEach(text -> problems.add(Problem.failure(
                        Location.machine("kernel"), "accepted '" + text + "' but does not list it", "")));
        if (removeOthers) {
            texts(remaining.surplus())
                    .forEach(text -> problems.add(Problem.failure(
                            Location.machine("kernel"), "accepted '" + text + "' but still lists it", "")));
        }
        if (!problems.isEmpty()) {
            revertAndThrow(problems, done);
        }
    }

    private void revertAndThrow(List<Problem> problems, List<KernelRequest> done) {
        List<KernelRequest> reverted = done.stream()
                .filter(change -> change.inverse().isPresent())
                .toList()
                .reversed();
        List<Outcome> outcomes = socket.execute(reverted.stream()
                .map(KernelRequest::inverse)
                .flatMap(Optional::stream)
                .toList());
        List<Problem> allProblems = new ArrayList<>(problems);
        for (int i = 0; i < reverted.size(); i++) {
            Outcome outcome = outcomes.get(i);
            if (!outcome.succeeded() && !NOT_FOUND.contains(outcome.errno()) && outcome.errno() != Errno.EEXIST) {
                allProblems.add(Problem.failure(
                        Location.machine("kernel"),
                        "'" + reverted.get(i).text() + "' could not be reverted: " + Errno.describe(outcome.errno()),
                        ""));
            }
        }
        throw new ProblemException(allProblems);
    }

    private static Stream<String> texts(List<KernelRequest> changes) {
        return changes.stream().map(KernelRequest::text);
    }
}
