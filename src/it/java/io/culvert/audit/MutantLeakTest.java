// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import static io.culvert.linux.FreshNamespace.run;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.audit.Audit.Unpromised;
import io.culvert.audit.Violation.JudgedLayers;
import io.culvert.diagnostics.ProblemException;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.lab.CommandResult;
import io.culvert.lab.MarkedTable;
import io.culvert.lab.NamespaceTest;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.nft.KernelTable;
import io.culvert.nft.Nftables;
import io.culvert.nft.RulesetReader;
import io.culvert.nft.Table;
import io.culvert.packetpath.AllPackets;
import io.culvert.packetpath.Exposure;
import io.culvert.packetpath.PacketExchange;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.packetpath.PacketSets;
import io.culvert.packetpath.PlanMutant;
import io.culvert.packetpath.PlanMutant.Piece;
import io.culvert.packetpath.PlannedNamespace;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.PlanExamples;
import io.culvert.rtnl.NetworkConfigurator;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import io.culvert.rtnl.RoutingStateReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Gives a kernel plans with one change each, and sends what leaks by the model: it leaks in the kernel, too, and does not
 * with the plan itself. So the model finds real leaks, and each of the changed rules, routes and elements prevents one.
 *
 * <p>{@code -Dculvert.mutants.seed=N} chooses other changes; {@code -Dculvert.proof.shapes=N} takes all of them.
 */
@NamespaceTest
class MutantLeakTest {

    private static final long SEED = 20_261_130;

    /** Changes of each plan, where not all are taken. */
    private static final int SAMPLE = 20;

    private static final boolean IS_WHOLE = System.getProperty("culvert.proof.shapes") != null;

    /** What became of the changes of a plan. */
    private static final class Counts {
        private int changes;
        private int refused;
        private int harmless;
        private int later;
        private int unsendable;
        private int uncertain;
        private int leaked;

        String row(String plan) {
            return "| %s | %d | %d | %d | %d | %d | %d | %d |%n"
                    .formatted(plan, changes, refused, harmless, leaked, later, unsendable, uncertain);
        }
    }

    /** A packet that leaked, with the layer that was alone. */
    private record Leak(JudgedLayers layers, PlanMutant mutant, LeakWitness witness) {}

    @Test
    @Timeout(value = 120, unit = TimeUnit.MINUTES)
    void what_leaks_by_the_model_leaks_in_the_kernel_and_not_with_the_plan_itself() {
        long seed = Long.getLong("culvert.mutants.seed", SEED);
        StringBuilder table = new StringBuilder("""
                | plan | changes | refused by the kernel | nothing leaks | sent and seen | later packets only | not sent by sockets | left open by the model |
                |---|---|---|---|---|---|---|---|
                """);
        int leaked = 0;
        for (Map.Entry<String, String> plan : MutatedPlans.NAMES.entrySet()) {
            Counts counts = new Counts();
            long start = System.nanoTime();
            compare(PlanExamples.inputsOf(plan.getKey()), new Random(seed), counts);
            table.append(counts.row(plan.getValue()));
            System.out.printf(
                    "%s: seed %d, %d ms%n%s",
                    plan.getKey(), seed, (System.nanoTime() - start) / 1_000_000, counts.row(plan.getValue()));
            leaked += counts.leaked;
        }
        assertThat(leaked).as("changes that leaked").isPositive();
        System.out.print(table);
        if (IS_WHOLE && Boolean.getBoolean("update")) {
            MarkedTable.replace(Path.of("docs/proof.md"), "mutants-in-the-kernel", table.toString());
        }
    }

    private static void compare(ExitNodeInputs inputs, Random random, Counts counts) {
        ExitNodePlan plan = ExitNodePlanner.plan(inputs);
        Promise promise = Promise.of(AuditedExamples.promiseInputs(inputs, plan));
        List<String> links = PlannedNamespace.of(plan).routing().links().stream()
                .filter(link -> !link.isLoopback())
                .map(StateLink::name)
                .toList();
        List<PlanMutant> mutants = new ArrayList<>(PlanMutant.all(plan));
        mutants.removeIf(mutant -> mutant.piece() == Piece.ARP);
        Collections.shuffle(mutants, random);
        if (!IS_WHOLE) {
            mutants.subList(Math.min(SAMPLE, mutants.size()), mutants.size()).clear();
        }
        List<Leak> leaks = new ArrayList<>();
        try (PacketExchange exchange = new PacketExchange(links)) {
            exchange.inside(() -> {
                try (KernelState kernel = new KernelState(plan)) {
                    for (PlanMutant mutant : mutants) {
                        counts.changes++;
                        JudgedLayers layers =
                                mutant.piece() == Piece.ROUTING ? JudgedLayers.ROUTING : JudgedLayers.NFTABLES;
                        leak(kernel, promise, mutant, layers, counts.changes, counts)
                                .ifPresent(witness -> {
                                    PacketExchange.Outcome outcome = exchange.exchange(List.of(witness.packet()))
                                            .getFirst();
                                    assertThat(hasLeaked(outcome, witness))
                                            .as("%s, %s: %s: %s%n%s", layers, mutant, witness, outcome, kernel.text())
                                            .isTrue();
                                    counts.leaked++;
                                    leaks.add(new Leak(layers, mutant, witness));
                                });
                    }
                }
                return true;
            });
        }
        // In a new namespace: connection tracking does not know the packets.
        try (PacketExchange exchange = new PacketExchange(links)) {
            exchange.inside(() -> {
                try (KernelState kernel = new KernelState(plan)) {
                    for (JudgedLayers layers : JudgedLayers.values()) {
                        List<LeakWitness> witnesses = leaks.stream()
                                .filter(leak -> leak.layers() == layers)
                                .map(Leak::witness)
                                .toList();
                        kernel.apply(layers, plan.network(), plan.ruleset());
                        List<PacketExchange.Outcome> outcomes = exchange.exchange(
                                witnesses.stream().map(LeakWitness::packet).toList());
                        for (int i = 0; i < witnesses.size(); i++) {
                            assertThat(hasLeaked(outcomes.get(i), witnesses.get(i)))
                                    .as("with the plan itself, %s: %s", layers, witnesses.get(i))
                                    .isFalse();
                        }
                    }
                }
                return true;
            });
        }
    }

    private static boolean hasLeaked(PacketExchange.Outcome outcome, LeakWitness witness) {
        return witness.isDelivered() ? outcome.isDelivered() : outcome.link().equals(Optional.of(witness.link()));
    }

    /** Applies a change, and finds a packet that leaks by the model. */
    private static Optional<LeakWitness> leak(
            KernelState kernel, Promise promise, PlanMutant mutant, JudgedLayers layers, int number, Counts counts) {
        try {
            kernel.apply(layers, mutant.network(), mutant.ruleset());
        } catch (ProblemException _) {
            counts.refused++;
            return Optional.empty();
        }
        RoutingState routing = kernel.routing();
        List<KernelTable> tables = kernel.tables();
        boolean isLeaking = false;
        boolean hasFirst = false;
        boolean isUncertain = false;
        for (Family family : mutant.family().map(List::of).orElse(List.of(Family.values()))) {
            Exposure exposure = new Exposure(
                    AllPackets.of(new PacketSets(), routing, family),
                    routing,
                    tables,
                    promise.innerLinks(),
                    Layers.BOTH);
            assertThat(exposure.notes()).isEmpty();
            for (Unpromised found : Audit.unpromised(
                    exposure,
                    routing,
                    promise,
                    // Without routing rules, nftables alone keep what both promise, also about what comes in.
                    layers == JudgedLayers.ROUTING ? layers : JudgedLayers.BOTH)) {
                isLeaking = true;
                hasFirst |= LeakWitness.hasFirstPacket(exposure, found);
                Optional<LeakWitness> witness = LeakWitness.find(number, exposure, routing, tables, found);
                if (witness.filter(LeakWitness::isCertain).isPresent()) {
                    return witness;
                }
                isUncertain |= witness.isPresent();
            }
        }
        if (!isLeaking) {
            counts.harmless++;
        } else if (isUncertain) {
            counts.uncertain++;
        } else if (hasFirst) {
            counts.unsendable++;
        } else {
            counts.later++;
        }
        return Optional.empty();
    }

    /** The state of the calling thread's namespace, whose links exist. */
    private static final class KernelState implements AutoCloseable {

        private final KernelNetlinkSocket socket = KernelNetlinkSocket.route();
        private final Nftables nftables = Nftables.open();
        private final RulesetReader reader = RulesetReader.open();
        private final NetworkConfigurator configurator = new NetworkConfigurator(socket);

        KernelState(ExitNodePlan plan) throws Exception {
            for (var address : plan.machine().main().addresses()) {
                boolean isIpv6 = address.address().family() == Family.IPV6;
                run(
                        "ip",
                        "address",
                        "add",
                        address.address().toString(),
                        "dev",
                        address.link(),
                        isIpv6 ? "nodad" : "noprefixroute");
            }
            for (var route : plan.machine().main().routes()) {
                List<String> command = new ArrayList<>(List.of(
                        "ip",
                        route.destination().family() == Family.IPV4 ? "-4" : "-6",
                        "route",
                        "replace",
                        route.destination().network().toString(),
                        "dev",
                        route.link()));
                route.gateway().ifPresent(gateway -> command.addAll(List.of("via", Prefix.text(gateway), "onlink")));
                run(command.toArray(String[]::new));
            }
        }

        /** Applies both layers, or one of them: without routing rules, or without nftables. */
        void apply(JudgedLayers layers, NetworkState network, List<Table> ruleset) {
            configurator.apply(
                    layers == JudgedLayers.NFTABLES
                            ? new NetworkState(network.links(), network.addresses(), List.of(), List.of())
                            : network);
            if (layers == JudgedLayers.ROUTING) {
                nftables.remove(KillSwitchRuleset.ALL);
            } else {
                nftables.apply(ruleset);
            }
        }

        RoutingState routing() {
            return new RoutingStateReader(socket).read();
        }

        List<KernelTable> tables() {
            return reader.read().tables();
        }

        String text() {
            StringBuilder text = new StringBuilder();
            for (String command : List.of(
                    "ip -brief address", "ip rule", "ip -6 rule", "ip route show table all", "nft list ruleset")) {
                text.append(CommandResult.of(List.of(command.split(" "))).out());
            }
            return text.toString();
        }

        @Override
        public void close() {
            reader.close();
            nftables.close();
            socket.close();
        }
    }
}
