package io.culvert.tunnel;

import io.culvert.ip.Prefix;
import io.culvert.needs.MachineNeeds;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.network.Route;
import io.culvert.plan.AddressConflicts;
import io.culvert.plan.Marks;
import io.culvert.plan.Tunnels;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.settings.WireGuardSettings.Implementation;
import io.culvert.wireguard.RoutingTable;
import io.culvert.wireguard.WireGuardConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Checks before a standalone tunnel is brought up.
 *
 * @param before the part of the network state that belongs to Culvert already
 * @param chain whether 'culvert up' is running here, or has left its kill switch
 */
record TunnelChecks(Path path, WireGuardConfig file, Machine machine, NetworkState before, boolean chain) {

    /** {@code RT_TABLE_LOCAL} (include/uapi/linux/rtnetlink.h): it is looked up before any rule of ours. */
    private static final long LOCAL = 255;

    /**
     * @param foreign whether an interface of this name belongs to another program
     * @param nftables finds why nftables cannot be used; only called for a kill switch
     * @return warnings and notes
     * @throws ProblemException with all errors
     */
    List<Problem> of(boolean killSwitch, boolean foreign, Supplier<Optional<Problem>> nftables) {
        Problems problems = new Problems();
        problems.addAll(refusals(file.name(), foreign, chain));
        problems.addAll(AddressConflicts.ofTunnel(Place.file(path), file, machine, killSwitch || carriesAll()));
        MachineNeeds.missing(machine, Implementation.AUTO).stream()
                .filter(problem -> problem.kind().isError())
                .forEach(problems::add);
        Optional<String> standing = new Tunnels(before).killSwitch();
        boolean guarded = killSwitch || standing.isPresent();
        if (guarded) {
            nftables.get().ifPresent(problems::add);
            if (!chain) {
                problems.addAll(alone(standing));
            }
            mark().ifPresent(problems::add);
            unrouted().ifPresent(problems::add);
        }
        if (!file.peers().isEmpty()
                && file.peers().stream().allMatch(peer -> peer.endpoint().isEmpty())) {
            problems.add(Problem.note(
                    Place.file(path), "no peer has an Endpoint: the tunnel works only once a peer has connected"));
        }
        if (standing.filter(file.name()::equals).isPresent() && !killSwitch) {
            problems.add(Problem.note(
                    Place.machine(file.name()), "its kill switch stays active until the tunnel is taken down"));
        }
        problems.throwIfErrors();
        return problems.all();
    }

    private boolean carriesAll() {
        return file.peers().stream().flatMap(peer -> peer.allowedIps().stream()).anyMatch(Prefix::isDefault);
    }

    /** @throws ProblemException where an interface of this name must not be changed */
    static void refuse(String name, boolean foreign, boolean chain) {
        Problems problems = new Problems();
        problems.addAll(refusals(name, foreign, chain));
        problems.throwIfErrors();
    }

    private static List<Problem> refusals(String name, boolean foreign, boolean chain) {
        if (chain) {
            return List.of(Problem.input(
                    Place.machine(name),
                    "'culvert up' is running in this network namespace, or has left its kill switch here",
                    "stop it first; if it was killed, start it again and stop it"));
        }
        return foreign
                ? List.of(Problem.input(
                        Place.machine(name),
                        "an interface of this name exists already and does not belong to Culvert",
                        "rename the file; or, if another WireGuard program created the interface, remove it with that"
                                + " (wg-quick down " + name + ")"))
                : List.of();
    }

    /** Rejects a kill switch together with another tunnel: it admits one tunnel, any other would be cut off. */
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
                                ? "its kill switch blocks all traffic outside this tunnel, including other tunnels"
                                : "is up, and the kill switch would cut it off",
                        "take it down first: culvert tunnel down " + name))
                .toList();
    }

    /**
     * Warns about a Table for which, as with wg-quick, no routing rules are added: without a kill switch the machine's
     * own network still works, with it all traffic is blocked.
     */
    private Optional<Problem> unrouted() {
        return switch (file.table()) {
            case RoutingTable.Off() -> Optional.of(unrouted("off", "route", "ip route add NETWORK dev " + file.name()));
            case RoutingTable.Numbered(long number)
            when number != LOCAL && (number != Route.MAIN || carriesAll()) ->
                Optional.of(unrouted(Long.toString(number), "routing rule", "ip rule add to NETWORK lookup " + number));
            case RoutingTable.Numbered _, RoutingTable.Auto _ -> Optional.empty();
        };
    }

    private Problem unrouted(String table, String own, String command) {
        return Problem.warning(
                Place.file(path),
                "with Table = " + table + " no traffic enters the tunnel unless you add a " + own
                        + ", and the kill switch blocks all other traffic",
                "delete that line, or add a " + own + ": " + command);
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
                    Place.file(path),
                    "FwMark cannot be used with the kill switch: " + e.getMessage(),
                    "delete the line"));
        }
    }
}
