package io.culvert.tunnel;

import io.culvert.ip.Prefix;
import io.culvert.needs.MachineNeeds;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.plan.AddressConflicts;
import io.culvert.plan.Marks;
import io.culvert.plan.Tunnels;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.settings.WireGuardSettings.Implementation;
import io.culvert.wireguard.WireGuardConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What must be so before a tunnel alone is raised.
 *
 * @param before what is ours already
 */
record TunnelChecks(Path path, WireGuardConfig file, Machine machine, NetworkState before) {

    /**
     * @param foreign whether the interface's name is somebody else's
     * @param nftables finds what keeps nftables from being used, which matters to a kill switch
     * @return warnings and notes
     * @throws ProblemException with all that is wrong
     */
    List<Problem> of(boolean killSwitch, boolean foreign, Supplier<Optional<Problem>> nftables) {
        Problems problems = new Problems();
        problems.addAll(refusals(file.name(), foreign, before));
        problems.addAll(AddressConflicts.ofTunnel(Place.file(path), file, machine, killSwitch || carriesAll()));
        MachineNeeds.missing(machine, Implementation.AUTO).stream()
                .filter(problem -> problem.kind().isError())
                .forEach(problems::add);
        Optional<String> standing = new Tunnels(before).killSwitch();
        boolean guarded = killSwitch || standing.isPresent();
        if (guarded) {
            nftables.get().ifPresent(problems::add);
            problems.addAll(alone(standing));
            mark().ifPresent(problems::add);
        }
        if (standing.filter(file.name()::equals).isPresent() && !killSwitch) {
            problems.add(Problem.note(Place.machine(file.name()), "its kill switch stays until it is taken down"));
        }
        problems.throwIfErrors();
        return problems.all();
    }

    private boolean carriesAll() {
        return file.peers().stream().flatMap(peer -> peer.allowedIps().stream()).anyMatch(Prefix::isDefault);
    }

    /** @throws ProblemException where a name is not ours to change */
    static void refuse(String name, boolean foreign, NetworkState before) {
        Problems problems = new Problems();
        problems.addAll(refusals(name, foreign, before));
        problems.throwIfErrors();
    }

    private static List<Problem> refusals(String name, boolean foreign, NetworkState before) {
        if (new Tunnels(before).besideChain()) {
            return List.of(Problem.input(
                    Place.machine(name),
                    "'culvert up' runs in this network namespace, or was killed here",
                    "end it first; where it was killed, start it again and end it"));
        }
        return foreign
                ? List.of(Problem.input(
                        Place.machine(name),
                        "there is an interface of this name already, and it is not ours",
                        "rename the file; or, where another WireGuard program made it, take it down with that (wg-quick down "
                                + name + ")"))
                : List.of();
    }

    /** A kill switch is for one tunnel: what is beside it would be cut off. */
    private List<Problem> alone(Optional<String> standing) {
        Optional<String> other = standing.filter(name -> !name.equals(file.name()))
                .or(() -> new Tunnels(before)
                        .without(file.name()).links().stream()
                                .map(link -> link.name())
                                .findFirst());
        return other.stream()
                .map(name -> Problem.input(
                        Place.machine(name),
                        standing.isPresent()
                                ? "its kill switch lets nothing leave beside it, so no other tunnel can be raised"
                                : "is up, and a kill switch would cut it off",
                        "take it down first: culvert tunnel down " + name))
                .toList();
    }

    private Optional<Problem> mark() {
        if (file.fwMark().isEmpty()) {
            return Optional.empty();
        }
        try {
            Marks.withTunnel(file.fwMark().getAsLong());
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of(Problem.input(
                    Place.file(path), "FwMark cannot serve the kill switch: " + e.getMessage(), "delete the line"));
        }
    }
}
