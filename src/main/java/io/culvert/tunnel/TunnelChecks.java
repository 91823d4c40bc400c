// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.Problems;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.plan.AddressConflicts;
import io.culvert.requirements.MachineRequirements;
import io.culvert.routing.ActiveTunnels;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.Route;
import io.culvert.wireguard.config.RoutingTable;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.ImplementationChoice;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Checks before a standalone tunnel is brought up.
 *
 * @param before the part of the network state that belongs to Culvert already
 * @param exitNodePresent whether 'culvert up' is running here, or has left its kill switch
 */
record TunnelChecks(Path path, WireGuardConfig file, Machine machine, NetworkState before, boolean exitNodePresent) {

    /** {@code RT_TABLE_LOCAL} (include/uapi/linux/rtnetlink.h): it is looked up before any rule of Culvert. */
    private static final long LOCAL = 255;

    /**
     * @param isForeign whether an interface of this name belongs to another program
     * @param nftables finds why nftables cannot be used; only called for a kill switch
     * @return warnings and notes
     * @throws ProblemException with all errors
     */
    List<Problem> check(boolean killSwitch, boolean isForeign, Supplier<Optional<Problem>> nftables) {
        Problems problems = new Problems();
        problems.addAll(conflicts(file.name(), isForeign, exitNodePresent));
        problems.addAll(
                AddressConflicts.ofTunnel(Location.file(path), file, machine, killSwitch || carriesDefaultRoute()));
        MachineRequirements.unmet(machine, ImplementationChoice.AUTO).stream()
                .filter(problem -> problem.kind().isError())
                .forEach(problems::add);
        Optional<String> activeKillSwitch = new ActiveTunnels(before).tunnelWithKillSwitch();
        boolean withKillSwitch = killSwitch || activeKillSwitch.isPresent();
        if (withKillSwitch) {
            nftables.get().ifPresent(problems::add);
            if (!exitNodePresent) {
                problems.addAll(otherTunnelProblems(activeKillSwitch));
            }
            markProblem().ifPresent(problems::add);
            missingRoutesWarning().ifPresent(problems::add);
        }
        if (!file.peers().isEmpty()
                && file.peers().stream().allMatch(peer -> peer.endpoint().isEmpty())) {
            problems.add(Problem.note(
                    Location.file(path), "no peer has an Endpoint: the tunnel works only once a peer has connected"));
        }
        if (activeKillSwitch.filter(file.name()::equals).isPresent() && !killSwitch) {
            problems.add(Problem.note(
                    Location.machine(file.name()), "its kill switch stays active until the tunnel is taken down"));
        }
        problems.throwIfErrors();
        return problems.all();
    }

    private boolean carriesDefaultRoute() {
        return file.peers().stream().flatMap(peer -> peer.allowedIps().stream()).anyMatch(Prefix::isDefault);
    }

    /** @throws ProblemException where an interface of this name must not be changed */
    static void requireChangeable(String name, boolean isForeign, boolean exitNodePresent) {
        Problems problems = new Problems();
        problems.addAll(conflicts(name, isForeign, exitNodePresent));
        problems.throwIfErrors();
    }

    private static List<Problem> conflicts(String name, boolean isForeign, boolean exitNodePresent) {
        if (exitNodePresent) {
            return List.of(Problem.input(
                    Location.machine(name),
                    "'culvert up' is running in this network namespace, or has left its kill switch here",
                    "stop it first; if it was killed, start it again and stop it"));
        }
        return isForeign
                ? List.of(Problem.input(
                        Location.machine(name),
                        "an interface of this name exists already and does not belong to Culvert",
                        "rename the file; or, if another WireGuard program created the interface, remove it with that"
                                + " (wg-quick down " + name + ")"))
                : List.of();
    }

    /** Rejects a kill switch together with another tunnel: it admits one tunnel, any other would be cut off. */
    private List<Problem> otherTunnelProblems(Optional<String> activeKillSwitch) {
        Optional<String> other = activeKillSwitch
                .filter(name -> !name.equals(file.name()))
                .or(() -> new ActiveTunnels(before)
                        .without(file.name()).links().stream()
                                .map(link -> link.name())
                                .findFirst());
        return other.stream()
                .map(name -> Problem.input(
                        Location.machine(name),
                        activeKillSwitch.isPresent()
                                ? "its kill switch blocks all traffic outside this tunnel, including other tunnels"
                                : "is up, and the kill switch would cut it off",
                        "take it down first: culvert tunnel down " + name))
                .toList();
    }

    /**
     * Warns about a Table for which, as with wg-quick, no routing rules are added: without a kill switch the machine's
     * own network still works, with it all traffic is blocked.
     */
    private Optional<Problem> missingRoutesWarning() {
        return switch (file.table()) {
            case RoutingTable.Off() ->
                Optional.of(missingRoutes("off", "route", "ip route add NETWORK dev " + file.name()));
            case RoutingTable.Numbered(long number)
            when number != LOCAL && (number != Route.MAIN || carriesDefaultRoute()) ->
                Optional.of(missingRoutes(
                        Long.toString(number), "routing rule", "ip rule add to NETWORK lookup " + number));
            case RoutingTable.Numbered _, RoutingTable.Auto _ -> Optional.empty();
        };
    }

    private Problem missingRoutes(String table, String ownTable, String command) {
        return Problem.warning(
                Location.file(path),
                "with Table = " + table + " no traffic enters the tunnel unless you add a " + ownTable
                        + ", and the kill switch blocks all other traffic",
                "delete that line, or add a " + ownTable + ": " + command);
    }

    private Optional<Problem> markProblem() {
        if (file.fwMark().isEmpty()) {
            return Optional.empty();
        }
        try {
            Marks.withTunnel(file.fwMark().getAsLong());
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of(Problem.input(
                    Location.file(path),
                    "FwMark cannot be used with the kill switch: " + e.getMessage(),
                    "delete the line"));
        }
    }
}
