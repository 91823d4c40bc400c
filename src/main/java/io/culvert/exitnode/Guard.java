package io.culvert.exitnode;

import io.culvert.network.Network;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.GuardRuleset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.LongPredicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Both layers of the guard: nftables, and the rules that lead every packet to the tunnel or nowhere. */
final class Guard {

    /** What was put right when it was not a rule of routing. */
    static final String NFTABLES = "nftables replaced";

    private static final String NFTABLES_LAYER = "nftables";
    private static final String ROUTING_LAYER = "routing";

    private final Nftables nftables;
    private final Network network;
    private final LongPredicate marks;

    /** @param marks of packets that may leave */
    Guard(Nftables nftables, Network network, LongPredicate marks) {
        this.nftables = nftables;
        this.network = network;
        this.marks = marks;
    }

    /**
     * Makes both layers as planned; what stands already, from this run or one that was killed, is never opened in between:
     * nftables are replaced in one transaction, and rules are only added here.
     *
     * @return what was put right, a line each; empty when all stood already
     */
    List<String> arm(ExitNodePlan plan) {
        boolean stood = nftables.matches(plan.guard());
        if (!stood) {
            nftables.apply(plan.guard());
        }
        List<String> done = network.ensure(plan.rules());
        return stood ? done : Stream.concat(Stream.of(NFTABLES), done.stream()).toList();
    }

    /**
     * Each layer, and whether reading it back finds it as planned and in effect; what cannot be read is not known to hold.
     *
     * @param overruled what {@link #overruled} says now
     */
    Map<String, Boolean> layers(ExitNodePlan plan, Map<String, List<String>> overruled) {
        Map<String, Boolean> layers = new LinkedHashMap<>();
        layers.put(NFTABLES_LAYER, holds(() -> nftables.matches(plan.guard())));
        layers.put(
                ROUTING_LAYER,
                holds(() -> network.observe().rules().containsAll(plan.rules().rules())));
        layers.replaceAll((layer, stands) ->
                stands && overruled.getOrDefault(layer, List.of()).isEmpty());
        return layers;
    }

    /**
     * By layer, what other programs have added that decides in its place, a sentence each; empty where nothing does. It is
     * not ours, so it is not removed.
     */
    Map<String, List<String>> overruled(ExitNodePlan plan) {
        Map<String, List<String>> overruled = new LinkedHashMap<>();
        overruled.put(NFTABLES_LAYER, sentences(() -> nftables.foreign(GuardRuleset.ALL, marks)));
        overruled.put(ROUTING_LAYER, sentences(() -> network.foreign(plan.claim())));
        overruled.values().removeIf(List::isEmpty);
        return overruled;
    }

    private static List<String> sentences(Supplier<List<String>> layer) {
        try {
            return layer.get();
        } catch (RuntimeException e) {
            return List.of("cannot be read: " + e.getMessage());
        }
    }

    private static boolean holds(BooleanSupplier layer) {
        try {
            return layer.getAsBoolean();
        } catch (RuntimeException _) {
            return false;
        }
    }

    /** Nothing passes, not even the tunnel's own packets. */
    void close() {
        List<Table> closed = GuardRuleset.closed();
        if (!nftables.matches(closed)) {
            nftables.apply(closed);
        }
    }

    /** Opens it, the routing layer first. */
    void disarm() {
        network.remove();
        nftables.remove(GuardRuleset.ALL);
    }
}
