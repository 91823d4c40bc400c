// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.audit.Audit;
import io.culvert.audit.AuditReport;
import io.culvert.audit.PacketExplanation;
import io.culvert.audit.PacketQuery;
import io.culvert.audit.Promise;
import io.culvert.nft.KernelRuleset;
import io.culvert.nft.LegacyTables;
import io.culvert.nft.RulesetReader;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingStateReader;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.status.RuntimeFacts;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.WireGuardDevice;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Compares the network namespace with what the settings allow. Reads everything from the kernel, and changes nothing. */
public final class ExitNodeAudit {

    private final RoutingState routing;
    private final KernelRuleset ruleset;
    private final Promise promise;
    private final String source;
    private final List<String> blockedFor;
    private final List<String> legacy;

    private ExitNodeAudit(
            RoutingState routing,
            KernelRuleset ruleset,
            Promise promise,
            String source,
            List<String> blockedFor,
            List<String> legacy) {
        this.routing = routing;
        this.ruleset = ruleset;
        this.promise = promise;
        this.source = source;
        this.blockedFor = blockedFor;
        this.legacy = legacy;
    }

    /**
     * Reads settings, files and the kernel's state.
     *
     * @throws io.culvert.diagnostics.ProblemException if the settings are invalid, or the state cannot be read
     */
    public static ExitNodeAudit of(Environment environment) {
        LoadedConfiguration configuration = LoadedConfiguration.load(environment);
        try (KernelConnections kernel = KernelConnections.open(environment);
                RulesetReader rulesets = RulesetReader.open()) {
            Machine machine = kernel.machine();
            StatusReport status = StatusSocket.query(environment.statusSocket());
            boolean isRunning = !status.facts().equals(RuntimeFacts.NONE);
            LoadedConfiguration.Server server = configuration.servers().stream()
                    .filter(it -> it.file().toString().equals(status.facts().file()))
                    .findFirst()
                    .orElse(configuration.servers().getFirst());
            RuntimeFacts facts = isRunning
                    ? status.facts()
                    : PromiseFacts.of(server.config(), server.file(), device(configuration, environment));
            Promise promise = Promise.of(PromiseFacts.inputs(
                    configuration,
                    server.config(),
                    machine,
                    DnsService.runtimeResolvers(environment, configuration, machine.connected()),
                    facts));
            return new ExitNodeAudit(
                    new RoutingStateReader(kernel.route()).read(),
                    rulesets.read(),
                    promise,
                    isRunning
                            ? "The server's address, resolved names and ports are those of the running exit node."
                            : "No exit node answers here: the server's address and port are those of the WireGuard device"
                                    + " and the file, and bypasses by name count as closed.",
                    status.problems().stream()
                            .filter(problem -> problem.startsWith(SelfAudit.PREFIX))
                            .toList(),
                    legacy(LegacyTables.read(environment.root().resolve("proc"))));
        }
    }

    /** They can open nothing that nftables blocks, unless they mark packets. */
    private static List<String> legacy(LegacyTables tables) {
        return Stream.concat(
                        tables.names().stream()
                                .map(name -> "table '" + name + "' of iptables-legacy is not followed here"),
                        tables.unreadable().stream()
                                .map(family -> "whether there are tables of iptables-legacy for " + family.text()
                                        + " is not known, as only root may read that"))
                .toList();
    }

    private static Optional<DeviceState> device(LoadedConfiguration configuration, Environment environment) {
        try {
            return Components.devices(configuration.settings(), environment)
                    .find(configuration.identity().link())
                    .map(WireGuardDevice::read);
        } catch (RuntimeException _) {
            // Then nothing of it is known, and nothing is allowed for it.
            return Optional.empty();
        }
    }

    public AuditReport report() {
        return Audit.of(routing, ruleset, promise).withForeign(legacy);
    }

    /** Returns where what is in no setting and no file comes from, as a sentence. */
    public String source() {
        return source;
    }

    /**
     * Returns why the running exit node blocks all traffic at the moment: what could leave if it did not. The report is about
     * the state in which it does.
     */
    public List<String> blockedFor() {
        return blockedFor;
    }

    /** Explains what happens to a packet. */
    public PacketExplanation explain(PacketQuery query) {
        return PacketExplanation.of(query, routing, ruleset, promise);
    }
}
