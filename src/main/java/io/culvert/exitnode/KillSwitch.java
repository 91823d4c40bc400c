// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.net.MaskedMark;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.plan.ExitNodePlan;
import io.culvert.rtnl.NetworkConfigurator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Both layers of the kill switch: nftables, and routing rules that send every packet into the tunnel or reject it. */
final class KillSwitch {

    /** Reported by {@link #apply} for a change of the nftables layer. */
    static final String NFTABLES = "nftables ruleset reloaded";

    private static final String NFTABLES_LAYER = "nftables";
    private static final String ROUTING_LAYER = "routing";

    private final Nftables nftables;
    private final NetworkConfigurator network;
    private final List<MaskedMark> marks;

    /** @param marks the packet marks that may leave by the uplink */
    KillSwitch(Nftables nftables, NetworkConfigurator network, List<MaskedMark> marks) {
        this.nftables = nftables;
        this.network = network;
        this.marks = marks;
    }

    /**
     * Applies both layers as planned. A kill switch that is active already, from this run or one that was killed, stays
     * active throughout: the nftables ruleset is replaced in one transaction, and routing rules are only added here.
     *
     * @return the changes made, one line each; empty where both layers were as planned
     */
    List<String> apply(ExitNodePlan plan) {
        boolean unchanged = nftables.matches(plan.ruleset());
        if (!unchanged) {
            nftables.apply(plan.ruleset());
        }
        List<String> done = network.ensure(plan.killSwitchRouting());
        return unchanged
                ? done
                : Stream.concat(Stream.of(NFTABLES), done.stream()).toList();
    }

    /**
     * Returns whether each layer, read back from the kernel, is as planned and in effect; false for a layer that cannot
     * be read.
     *
     * @param overrides the current result of {@link #overrides}
     */
    Map<String, Boolean> layers(ExitNodePlan plan, Map<String, List<String>> overrides) {
        Map<String, Boolean> layers = new LinkedHashMap<>();
        layers.put(NFTABLES_LAYER, isInEffect(() -> nftables.matches(plan.ruleset())));
        layers.put(
                ROUTING_LAYER,
                isInEffect(() -> network.observe()
                        .rules()
                        .containsAll(plan.killSwitchRouting().rules())));
        layers.replaceAll((layer, asPlanned) ->
                asPlanned && overrides.getOrDefault(layer, List.of()).isEmpty());
        return layers;
    }

    /**
     * Returns, for each layer, the rules and routes of other programs that override it, one sentence each; empty where
     * there are none. They are not removed, as they belong to other programs.
     */
    Map<String, List<String>> overrides(ExitNodePlan plan) {
        Map<String, List<String>> overrides = new LinkedHashMap<>();
        overrides.put(NFTABLES_LAYER, reasons(() -> nftables.foreign(KillSwitchRuleset.ALL, marks)));
        overrides.put(ROUTING_LAYER, reasons(() -> network.findForeignRouting(plan.routingIntent())));
        overrides.values().removeIf(List::isEmpty);
        return overrides;
    }

    private static List<String> reasons(Supplier<List<String>> layer) {
        try {
            return layer.get();
        } catch (RuntimeException e) {
            return List.of("cannot be read: " + e.getMessage());
        }
    }

    private static boolean isInEffect(BooleanSupplier layer) {
        try {
            return layer.getAsBoolean();
        } catch (RuntimeException _) {
            return false;
        }
    }

    /** Blocks all traffic, including the tunnel's own packets. */
    void blockAllTraffic() {
        List<Table> closed = KillSwitchRuleset.lockdown();
        if (!nftables.matches(closed)) {
            nftables.apply(closed);
        }
    }

    /** Blocks all traffic after a leak, in addition to the kill switch; idempotent. */
    void blockAfterLeak() {
        if (!nftables.matches(KillSwitchRuleset.blockAfterLeak())) {
            nftables.apply(KillSwitchRuleset.blockAfterLeak());
        }
    }

    /** Returns whether {@link #blockAfterLeak} is in effect. */
    boolean isBlockedAfterLeak() {
        return isInEffect(() -> nftables.matches(KillSwitchRuleset.blockAfterLeak()));
    }

    /** Ends {@link #blockAfterLeak}, also that of an earlier run. */
    void unblockAfterLeak() {
        nftables.remove(List.of(KillSwitchRuleset.LEAK_TABLE));
    }

    /** Removes the kill switch, the routing layer first. */
    void remove() {
        network.remove();
        nftables.remove(KillSwitchRuleset.ALL);
    }
}
