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
 * Makes a desired state true in the network namespace of a netlink socket. What is ours is known by {@link Ownership}, so
 * that a run adopts what an earlier one left; what is not ours is never touched.
 *
 * <p>All or nothing: where the kernel refuses one request of a call, the call takes back what it did.
 */
public final class Network {

    /** Deleting what is gone already is no failure: a link takes its addresses and routes along. */
    private static final Set<Integer> GONE = Set.of(Errno.ENOENT, Errno.ESRCH, Errno.ENODEV, Errno.EADDRNOTAVAIL);

    private final NetlinkSocket socket;
    private final Optional<Sysctl> sysctl;

    public Network(NetlinkSocket socket) {
        this.socket = socket;
        this.sysctl = Optional.empty();
    }

    /** @param sysctl by which a link gets IPv6 that is to have an address of it, where the kernel started it without */
    public Network(NetlinkSocket socket, Sysctl sysctl) {
        this.socket = socket;
        this.sysctl = Optional.of(sysctl);
    }

    /** What is ours there now, as far as our own terms can say it. */
    public NetworkState observe() {
        return Snapshot.read(socket).ours();
    }

    /**
     * What {@link #apply} would do now, in the syntax of iproute2; empty when the state is as desired. Changes nothing.
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

    /** What other programs have put where it decides in the place of our rules, a sentence each; empty where ours decide. */
    public List<String> foreign(RoutingClaim claim) {
        return new ForeignRouting(socket, claim).find();
    }

    /**
     * Makes what is ours exactly this: adds what is missing, then removes what is not desired, links of ours included.
     *
     * @return what was done, in the syntax of iproute2; empty when all was so already
     * @throws ProblemException with everything that the kernel refused or did not keep; then nothing has changed
     */
    public List<String> apply(NetworkState desired) {
        return change(desired, true);
    }

    /**
     * Adds what is missing of this, and removes nothing: a part of a state, while the rest of an earlier run still serves.
     *
     * @return what was done, in the syntax of iproute2; empty when all was so already
     * @throws ProblemException with everything that the kernel refused or did not keep; then nothing has changed
     */
    public List<String> ensure(NetworkState wanted) {
        return change(wanted, false);
    }

    /**
     * Removes everything of ours; what stops packets goes last. Safe to repeat.
     *
     * @return what was done, in the syntax of iproute2
     */
    public List<String> remove() {
        return apply(NetworkState.EMPTY);
    }

    private List<String> change(NetworkState desired, boolean exactly) {
        Difference difference = between(desired, exactly);
        if (!difference.absentLinks().isEmpty()) {
            throw new ProblemException(difference.absentLinks().stream()
                    .map(name -> Problem.failure(Place.machine(name), "there is no such link", ""))
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

    /** Where the switch cannot be written, the kernel refuses the address and says so. */
    private static void giveIpv6(NetworkState desired, Sysctl switches) {
        desired.addresses().stream()
                .filter(own -> own.address().family() == Family.IPV6)
                .map(own -> Ipv6.sysctl(own.link()))
                .distinct()
                .filter(name -> switches.read(name).filter("1"::equals).isPresent())
                .forEach(name -> switches.write(name, "0"));
    }

    /** Where nothing is removed, only the tables that are spoken of are looked at. */
    private Difference between(NetworkState desired, boolean exactly) {
        Snapshot actual = exactly
                ? Snapshot.read(socket)
                : Snapshot.read(
                        socket, desired.routes().stream().map(Route::table).collect(Collectors.toSet()));
        return Difference.between(actual, desired);
    }

    /** @param done grows by what was carried out; all of it is taken back when something fails */
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

    /** The kernel accepts some wrong requests without a word: only what it lists afterwards counts. */
    private void readBack(NetworkState desired, boolean exactly, List<Change> done) {
        Difference left = between(desired, exactly);
        List<Problem> problems = new ArrayList<>();
        left.absentLinks()
                .forEach(name -> problems.add(
                        Problem.failure(Place.machine(name), "the link went away while it was set up", "")));
        texts(left.missing())
                .forEach(text -> problems.add(Problem.failure(
                        Place.machine("kernel"), "took '" + text + "' without an error but does not list it", "")));
        if (exactly) {
            texts(left.surplus())
                    .forEach(text -> problems.add(Problem.failure(
                            Place.machine("kernel"), "still lists what '" + text + "' was to remove", "")));
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
                        "'" + undone.get(i).text() + "' could not be taken back: " + Errno.text(outcome.errno()),
                        ""));
            }
        }
        throw new ProblemException(all);
    }

    private static Stream<String> texts(List<Change> changes) {
        return changes.stream().map(Change::text);
    }
}
