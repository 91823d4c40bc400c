// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import io.culvert.audit.Audit;
import io.culvert.audit.Auditor;
import io.culvert.audit.Promise;
import io.culvert.audit.Violation;
import io.culvert.nft.KernelRuleset;
import io.culvert.nft.KernelSet;
import io.culvert.nft.KernelTable;
import io.culvert.rtnl.RoutingState;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The audit over all packets, which takes half a second, of a sample of the states that exit nodes of simulations have been in,
 * each once. {@code -Dculvert.simulation.audited} is their share in percent. All states are judged by {@link Witnesses}.
 */
final class RememberedAudits implements Auditor {

    private static final int SHARE = Integer.getInteger("culvert.simulation.audited", 2);

    /** A state, as far as the order of what is listed matters. */
    private record State(long routing, int rules, int tables, int promise) {}

    private static final Map<State, List<Violation>> KNOWN = new ConcurrentHashMap<>();

    @Override
    public List<Violation> violations(RoutingState routing, KernelRuleset ruleset, Promise promise) {
        State state = new State(
                sum(routing.links()) + 31 * sum(routing.addresses()) + 1009 * sum(routing.routes()),
                routing.rules().hashCode(),
                ruleset.tables().stream().mapToInt(RememberedAudits::hash).sum(),
                promise.hashCode());
        if (Math.floorMod((state.hashCode() * 0x9E3779B9) >>> 7, 100) >= SHARE) {
            return List.of();
        }
        return KNOWN.computeIfAbsent(state, _ -> Audit.violations(routing, ruleset, promise));
    }

    private static long sum(Collection<?> objects) {
        return objects.stream().mapToLong(Object::hashCode).sum();
    }

    private static int hash(KernelTable table) {
        int hash = table.fullName().hashCode() + 31 * table.chains().hashCode();
        for (KernelSet set : table.sets()) {
            int elements = 0;
            for (KernelSet.Element element : set.elements()) {
                elements += 31 * Arrays.hashCode(element.first()) + Arrays.hashCode(element.last());
            }
            hash = 31 * hash + set.name().hashCode() + elements;
        }
        return hash;
    }

    static int count() {
        return KNOWN.size();
    }
}
