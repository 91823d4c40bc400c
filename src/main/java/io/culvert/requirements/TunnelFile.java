// SPDX-License-Identifier: Apache-2.0
package io.culvert.requirements;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.Problems;
import io.culvert.dns.ResolutionResult;
import io.culvert.linux.HostLookup;
import io.culvert.net.Host;
import io.culvert.net.InterfaceName;
import io.culvert.plan.ResolvedNames;
import io.culvert.rtnl.Machine;
import io.culvert.wireguard.config.FileUse;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.config.WireGuardFile;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The wg-quick file of a standalone tunnel ({@code culvert tunnel up}).
 *
 * @param path the path of the file, which need not exist if only the interface's name is needed
 */
public record TunnelFile(Path path) {

    /** Resolves a file or an interface name as wg-quick does: a bare name is a file in /etc/wireguard. */
    public static TunnelFile of(String fileOrName, Path root) {
        return new TunnelFile(
                InterfaceName.isValid(fileOrName) && !Files.exists(Path.of(fileOrName))
                        ? root.resolve("etc/wireguard").resolve(fileOrName + ".conf")
                        : Path.of(fileOrName).toAbsolutePath().normalize());
    }

    /** @throws ProblemException if the file's name is not a valid interface name */
    public String interfaceName() {
        return WireGuardFile.interfaceName(path)
                .orElseThrow(() -> new ProblemException(
                        WireGuardFile.interfaceNameProblem(path).orElseThrow()));
    }

    /** @throws ProblemException with all problems of the file */
    public WireGuardConfig read(Log log, boolean killSwitch) {
        return read(WireGuardFile.read(path), log, killSwitch);
    }

    /** Reads a file that, as for wg-quick, may lack addresses and peers. */
    public WireGuardConfig readIncomplete(Log log, boolean killSwitch) {
        return read(WireGuardFile.readPartial(path), log, killSwitch);
    }

    private WireGuardConfig read(WireGuardFile.Parsed parsed, Log log, boolean killSwitch) {
        Problems problems = new Problems();
        WireGuardFile.interfaceNameProblem(path).ifPresent(problems::add);
        problems.addAll(parsed.problems(killSwitch ? FileUse.TUNNEL_WITH_KILL_SWITCH : FileUse.TUNNEL));
        problems.throwIfErrors();
        log.problems(problems.all());
        return parsed.config().orElseThrow();
    }

    /**
     * Returns the addresses of the servers' names, those that the machine has a route to first.
     *
     * @param lookups one for each name
     * @throws ProblemException if a name has no address
     */
    public static ResolvedNames resolvedNames(Map<Host.Name, HostLookup.Result> lookups, Machine machine) {
        Map<Host.Name, List<InetAddress>> addresses = new HashMap<>();
        Problems problems = new Problems();
        lookups.forEach((name, lookup) -> {
            ResolutionResult result = resolved(name, lookup, machine);
            addresses.put(name, result.addresses());
            problems.addAll(result.problems());
        });
        problems.throwIfErrors();
        return new ResolvedNames(addresses);
    }

    /** Returns the result of a lookup of a server's name, addresses that the machine has a route to first. */
    public static ResolutionResult resolved(Host.Name name, HostLookup.Result lookup, Machine machine) {
        return switch (lookup) {
            case HostLookup.Result.Found(List<InetAddress> addresses) ->
                ResolutionResult.withoutTtl(addresses.stream()
                        .sorted(Comparator.comparing(address -> !machine.main().hasRouteTo(address)))
                        .toList());
            case HostLookup.Result.Nonexistent() ->
                unresolved(
                        name,
                        "the server's name does not exist, or has no address",
                        "correct the name in Endpoint, or write the server's address there");
            case HostLookup.Result.NoResponse(String reason) ->
                unresolved(
                        name,
                        "the server's name does not resolve: " + reason,
                        "check /etc/resolv.conf, or write the server's address into Endpoint");
        };
    }

    private static ResolutionResult unresolved(Host.Name name, String message, String hint) {
        return new ResolutionResult(
                List.of(),
                Duration.ZERO,
                false,
                List.of(Problem.failure(Location.machine(name.name()), message, hint)));
    }
}
