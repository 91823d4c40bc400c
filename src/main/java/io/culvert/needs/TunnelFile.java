package io.culvert.needs;

import io.culvert.ip.Host;
import io.culvert.network.Machine;
import io.culvert.plan.Names;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.run.Journal;
import io.culvert.wireguard.WireGuardConfig;
import io.culvert.wireguard.WireGuardFile;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The wg-quick file of a standalone tunnel ({@code culvert tunnel up}).
 *
 * @param path of the file, which need not exist where only the interface's name is needed
 */
public record TunnelFile(Path path) {

    /** Resolves a file or an interface name as wg-quick does: a bare name is a file in /etc/wireguard. */
    public static TunnelFile of(String fileOrName, Path root) {
        return new TunnelFile(
                fileOrName.matches("[a-zA-Z0-9_=+.-]{1,15}") && !Files.exists(Path.of(fileOrName))
                        ? root.resolve("etc/wireguard").resolve(fileOrName + ".conf")
                        : Path.of(fileOrName).toAbsolutePath().normalize());
    }

    /** @throws ProblemException where the file's name is not a valid interface name */
    public String interfaceName() {
        return WireGuardFile.interfaceName(path)
                .orElseThrow(() -> new ProblemException(
                        WireGuardFile.interfaceNameProblem(path).orElseThrow()));
    }

    /** @throws ProblemException with everything that is wrong with the file */
    public WireGuardConfig read(Journal journal, boolean killSwitch) {
        return read(WireGuardFile.read(path), journal, killSwitch);
    }

    /** Does the same with a file that, as for wg-quick, may lack addresses and peers. */
    public WireGuardConfig readPart(Journal journal, boolean killSwitch) {
        return read(WireGuardFile.readPart(path), journal, killSwitch);
    }

    private WireGuardConfig read(WireGuardFile.Parsed parsed, Journal journal, boolean killSwitch) {
        Problems problems = new Problems();
        WireGuardFile.interfaceNameProblem(path).ifPresent(problems::add);
        problems.addAll(parsed.config()
                .map(file -> new TunnelHooks(killSwitch).reworded(parsed.problems(), file))
                .orElse(parsed.problems()));
        problems.throwIfErrors();
        journal.problems(problems.all());
        return parsed.config().orElseThrow();
    }

    /**
     * Resolves the servers' names by the machine's resolver; addresses that the machine has a route to come first.
     *
     * @throws ProblemException where one does not resolve
     */
    public static Names resolve(WireGuardConfig file, Machine machine) {
        Map<Host.Name, List<InetAddress>> addresses = new HashMap<>();
        Problems problems = new Problems();
        file.peers().stream().flatMap(peer -> peer.endpoint().stream()).forEach(endpoint -> {
            if (endpoint.host() instanceof Host.Name name && !addresses.containsKey(name)) {
                try {
                    addresses.put(
                            name,
                            Stream.of(InetAddress.getAllByName(name.name()))
                                    .sorted(Comparator.comparing(
                                            address -> !machine.main().reaches(address)))
                                    .toList());
                } catch (UnknownHostException _) {
                    problems.add(Problem.failure(
                            Place.machine(name.name()),
                            "the server's name does not resolve",
                            "check /etc/resolv.conf, or write the server's address into Endpoint"));
                }
            }
        });
        problems.throwIfErrors();
        return new Names(addresses);
    }
}
