// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.audit.Audit.Unpromised;
import io.culvert.audit.Violation.JudgedLayers;
import io.culvert.net.Family;
import io.culvert.packetpath.AllPackets;
import io.culvert.packetpath.ExamplePacket;
import io.culvert.packetpath.Exposure;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.packetpath.PacketSets;
import io.culvert.packetpath.Passing;
import io.culvert.packetpath.PlanMutant;
import io.culvert.packetpath.PlannedNamespace;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.rtnl.RoutingState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Compares plans with one change each with the plan itself and with the promise, over all packets. */
final class MutantJudge {

    /** What a change means. */
    enum Verdict {
        CAUGHT("caught: more passes than is promised"),
        NEEDED("needed: less passes"),
        PROMISED("more passes by an uplink, all of it promised"),
        INSIDE("more passes to loopback, tunnel or mesh only"),
        WITHOUT_EFFECT("the same passes"),
        ARP("about ARP"),
        REFUSED("refused by the kernel");

        private final String text;

        Verdict(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /**
     * A verdict and its reason.
     *
     * @param evidence an example
     */
    record Judgement(PlanMutant mutant, Verdict verdict, String evidence) {}

    /** Decision diagrams are never released, so a comparison serves that many changes and is made again. */
    private static final int USES = 40;

    /** The plan itself in some layers, which the changed ones are compared with. */
    private static final class Original {
        private final AllPackets all;
        private final int unknowns;
        private final Exposure exposure;
        private final Passing passing;
        private int uses;

        Original(PlannedNamespace namespace, Promise promise, Layers layers, Family family) {
            all = AllPackets.of(new PacketSets(), namespace.routing(), family);
            unknowns = all.sets().unknowns();
            exposure = new Exposure(all, namespace.routing(), namespace.tables(), promise.innerLinks(), layers);
            passing = Passing.of(exposure, namespace.routing());
        }
    }

    private final ExitNodePlan plan;
    private final Promise promise;
    private final PlannedNamespace namespace;
    private final Map<String, Original> originals = new HashMap<>();

    MutantJudge(ExitNodeInputs inputs) {
        plan = ExitNodePlanner.plan(inputs);
        promise = Promise.of(AuditedExamples.promiseInputs(inputs, plan));
        namespace = PlannedNamespace.of(plan);
    }

    List<PlanMutant> mutants() {
        return PlanMutant.all(plan);
    }

    /** The layer of the change is judged alone first: that is cheaper, and most changes are seen there. */
    Judgement judge(PlanMutant mutant) {
        if (mutant.piece() == PlanMutant.Piece.ARP) {
            return new Judgement(mutant, Verdict.ARP, "");
        }
        if (mutant.isRefused()) {
            return new Judgement(mutant, Verdict.REFUSED, "");
        }
        Judgement alone = judge(
                mutant, mutant.piece() == PlanMutant.Piece.ROUTING ? JudgedLayers.ROUTING : JudgedLayers.NFTABLES);
        if (alone.verdict() == Verdict.CAUGHT || alone.verdict() == Verdict.NEEDED) {
            return alone;
        }
        Judgement both = judge(mutant, JudgedLayers.BOTH);
        return alone.verdict() == Verdict.WITHOUT_EFFECT || both.verdict() == Verdict.CAUGHT ? both : alone;
    }

    private Judgement judge(PlanMutant mutant, JudgedLayers layers) {
        PlannedNamespace changed = PlannedNamespace.of(plan, mutant);
        Judgement judgement = new Judgement(mutant, Verdict.WITHOUT_EFFECT, "");
        for (Family family : mutant.family().map(List::of).orElse(List.of(Family.values()))) {
            Original original = original(layers, family);
            original.all.sets().forgetUnknowns(original.unknowns);
            Exposure exposure = new Exposure(
                    original.all, changed.routing(), changed.tables(), promise.innerLinks(), layers(layers));
            List<Unpromised> unpromised = unpromised(exposure, layers);
            if (!unpromised.isEmpty()) {
                return new Judgement(
                        mutant,
                        Verdict.CAUGHT,
                        sentence(exposure, changed.routing(), unpromised.getFirst()) + ", by " + layers);
            }
            if (!exposure.notes().isEmpty()) {
                throw new IllegalStateException(mutant + ": " + exposure.notes());
            }
            if (judgement.verdict() == Verdict.WITHOUT_EFFECT) {
                Passing passing = Passing.of(exposure, changed.routing());
                String where = ", " + family.text() + ", by " + layers;
                Optional<String> lost = original.passing.more(passing, _ -> true);
                Optional<String> byUplink = passing.more(original.passing, this::isOutside);
                Optional<String> more = passing.more(original.passing, _ -> true);
                if (lost.isPresent()) {
                    judgement = new Judgement(mutant, Verdict.NEEDED, lost.get() + where);
                } else if (more.isPresent()) {
                    judgement = new Judgement(
                            mutant,
                            byUplink.isPresent() ? Verdict.PROMISED : Verdict.INSIDE,
                            byUplink.or(() -> more).get() + where);
                }
            }
        }
        return judgement;
    }

    /** Nftables alone keep what both layers promise, also about what comes in. */
    private List<Unpromised> unpromised(Exposure exposure, JudgedLayers layers) {
        return Audit.unpromised(
                exposure,
                namespace.routing(),
                promise,
                layers == JudgedLayers.ROUTING ? JudgedLayers.ROUTING : JudgedLayers.BOTH);
    }

    private boolean isOutside(String link) {
        return !link.equals("lo") && !promise.innerLinks().contains(link);
    }

    private static String sentence(Exposure exposure, RoutingState routing, Unpromised found) {
        return ExamplePacket.find(exposure, routing, found.packets(), found.way(), found.link())
                .map(example -> found.sentence(ExamplePacket.of(exposure, routing, example, found.last())))
                .orElseThrow();
    }

    private Original original(JudgedLayers layers, Family family) {
        String key = layers + " " + family;
        Original original = originals.get(key);
        if (original == null || original.uses == USES) {
            original = new Original(namespace, promise, layers(layers), family);
            if (!unpromised(original.exposure, layers).isEmpty()) {
                throw new IllegalStateException("the plan itself breaks the promise, " + key);
            }
            originals.put(key, original);
        }
        original.uses++;
        return original;
    }

    private static Layers layers(JudgedLayers layers) {
        return switch (layers) {
            case BOTH -> Layers.BOTH;
            case ROUTING -> Layers.ROUTING;
            case NFTABLES -> Layers.FIREWALL;
        };
    }
}
