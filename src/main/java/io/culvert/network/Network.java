package io.culvert.network;

import io.culvert.ip.Family;
import io.culvert.linux.Errno;
import io.culvert.linux.Sysctl;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
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
public final class Network {

    /**
     * Errors of the deletion of an object that no longer exists, which are no failure: a link takes its addresses and
     * routes along.
     */
    private static final Set<Integer> GONE = Set.of(Errno.ENOENT, Errno.ESRCH, Errno.ENODEV, Errno.EADDRNOTAVAIL);

    private final NetlinkSocket socket;
    private final Optional<Sysctl> sysctl;

    public Network(NetlinkSocket socket) {
        this.socket = socket;
        this.sysctl = Optional.empty();
    }

    /**
     * @param sysctl to enable IPv6 on a link that is to have an IPv6 address, if the kernel created the link without
     */
    public Network(NetlinkSocket socket, Sysctl sysctl) {
        this.socket = socket;
        this.sysctl = Optional.of(sysctl);
    }

    /** Returns Culvert's current objects, as far as the terms of a desired state can express them. */
    public NetworkState observe() {
        return Snapshot.read(socket).ours();
    }

    /**
     * Returns what {@link #apply} would do, in the syntax of iproute2; empty if the state is as desired. Changes
     * nothing.
     */
    public List<String> drift(NetworkState desired) {
        Difference difference = Difference.between(Snapshot.read(socket), desired);
        return Stream.of(
                        difference.absentLinks().stream().map(name -> "ip link show dev " + name + " # does not exist"),
                        texts(difference.missing()),
                        texts(difference.surplus()))
                .flatMap(lines -> lines)
                .toList();
    }

    /**
     * Describes rules and routes of other programs that take precedence over Culvert's rules; empty if there are none.
     */
    public List<String> foreign(RoutingClaim claim) {
        return new ForeignRouting(socket, claim).find();
    }

    /**
     * Makes Culvert's objects exactly these: adds those missing, then removes those not desired, including links.
     *
     * @return the changes, in the syntax of iproute2; empty if there were none
     * @throws ProblemException with everything that the kernel refused or did not keep; then nothing is changed
     */
    public List<String> apply(NetworkState desired) {
        return change(desired, true);
    }

    /**
     * Adds the missing objects and removes nothing: a part of a state, while the rest of an earlier run is still in
     * use.
     *
     * @return the changes, in the syntax of iproute2; empty if there were none
     * @throws ProblemException with everything that the kernel refused or did not keep; then nothing is changed
     */
    public List<String> ensure(NetworkState wanted) {
        return change(wanted, false);
    }

    /**
     * Removes all objects of Culvert; what blocks packets is removed last. Can be repeated.
     *
     * @return the changes, in the syntax of iproute2
     */
    public List<String> remove() {
        return apply(NetworkState.EMPTY);
    }

    private List<String> change(NetworkState desired, boolean exactly) {
        Difference difference = between(desired, exactly);
        if (!difference.absentLinks().isEmpty()) {
            throw new ProblemException(difference.absentLinks().stream()
                    .map(name -> Problem.failure(Place.machine(name), "interface not found", ""))
                    .toList());
        }
        sysctl.ifPresent(switches -> giveIpv6(desired, switches));
        List<Change> done = new ArrayList<>();
        carryOut(difference.missing(), Set.of(), done);
        if (exactly) {
            carryOut(difference.surplus(), GONE, done);
        }
        if (!done.isEmpty()) {
            readBack(desired, exactly, done);
        }
        return texts(done).toList();
    }

    /**
     * Enables IPv6 where addresses need it. If the switch cannot be written, the kernel refuses the address and reports
     * it.
     */
    private static void giveIpv6(NetworkState desired, Sysctl switches) {
        desired.addresses().stream()
                .filter(own -> own.address().family() == Family.IPV6)
                .map(own -> Ipv6.sysctl(own.link()))
                .distinct()
                .filter(name -> switches.read(name).filter("1"::equals).isPresent())
                .forEach(name -> switches.write(name, "0"));
    }

    /** Returns the difference. If nothing is to be removed, only the tables of the desired state are read. */
    private Difference between(NetworkState desired, boolean exactly) {
        Snapshot actual = exactly
                ? Snapshot.read(socket)
                : Snapshot.read(
                        socket, desired.routes().stream().map(Route::table).collect(Collectors.toSet()));
        return Difference.between(actual, desired);
    }

    /** @param done the changes so far, to which this adds its own; all of them are reverted if something fails */
    private void carryOut(List<Change> changes, Set<Integer> harmless, List<Change> done) {
        List<Outcome> outcomes =
                socket.execute(changes.stream().map(Change::request).toList());
        List<Refusal> refusals = new ArrayList<>();
        for (int i = 0; i < changes.size(); i++) {
            Outcome outcome = outcomes.get(i);
            if (outcome.done()) {
                done.add(changes.get(i));
            } else if (!harmless.contains(outcome.errno())) {
                refusals.add(new Refusal(changes.get(i).text(), outcome));
            }
        }
        if (!refusals.isEmpty()) {
            fail(Refusal.problems(refusals), done);
        }
    }

    /** Verifies the state by listing it, because the kernel accepts some invalid requests without an error. */
    private void readBack(NetworkState desired, boolean exactly, List<Change> done) {
        Difference left = between(desired, exactly);
        List<Problem> problems = new ArrayList<>();
        left.absentLinks()
                .forEach(name -> problems.add(
                        Problem.failure(Place.machine(name), "the interface disappeared while it was configured", "")));
        texts(left.missing())
                .forEach(text -> problems.add(
                        Problem.failure(Place.machine("kernel"), "accepted '" + text + "' but does not list it", "")));
        if (exactly) {
            texts(left.surplus())
                    .forEach(text -> problems.add(Problem.failure(
                            Place.machine("kernel"), "accepted '" + text + "' but still lists it", "")));
        }
        if (!problems.isEmpty()) {
            fail(problems, done);
        }
    }

    private void fail(List<Problem> problems, List<Change> done) {
        List<Change> undone = done.stream()
                .filter(change -> change.inverse().isPresent())
                .toList()
                .reversed();
        List<Outcome> outcomes = socket.execute(
                undone.stream().map(Change::inverse).flatMap(Optional::stream).toList());
        List<Problem> all = new ArrayList<>(problems);
        for (int i = 0; i < undone.size(); i++) {
            Outcome outcome = outcomes.get(i);
            if (!outcome.done() && !GONE.contains(outcome.errno()) && outcome.errno() != Errno.EEXIST) {
                all.add(Problem.failure(
                        Place.machine("kernel"),
                        "'" + undone.get(i).text() + "' could not be reverted: " + Errno.text(outcome.errno()),
                        ""));
            }
        }
        throw new ProblemException(all);
    }

    private static Stream<String> texts(List<Change> changes) {
        return changes.stream().map(Change::text);
    }
}
