package io.culvert.exitnode;

import io.culvert.network.Network;
import io.culvert.nft.Nftables;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.GuardRuleset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** Both layers of the guard: nftables, and the rules that lead every packet to the tunnel or nowhere. */
final class Guard {

    /** What was put right when it was not a rule of routing. */
    static final String NFTABLES = "nftables replaced";

    private final Nftables nftables;
    private final Network network;

    Guard(Nftables nftables, Network network) {
        this.nftables = nftables;
        this.network = network;
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

    /** Each layer, and whether reading it back finds it as planned; what cannot be read is not known to hold. */
    Map<String, Boolean> layers(ExitNodePlan plan) {
        Map<String, Boolean> layers = new LinkedHashMap<>();
        layers.put("nftables", holds(() -> nftables.matches(plan.guard())));
        layers.put(
                "routing",
                holds(() -> network.observe().rules().containsAll(plan.rules().rules())));
        return layers;
    }

    private static boolean holds(BooleanSupplier layer) {
        try {
            return layer.getAsBoolean();
        } catch (RuntimeException _) {
            return false;
        }
    }

    /** Opens it, the routing layer first. */
    void disarm() {
        network.remove();
        nftables.remove(GuardRuleset.ALL);
    }
}
