// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.nft.KernelRuleset;
import io.culvert.nft.PlannedTables;
import io.culvert.packetpath.PlannedNamespace;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.PlanShapes;
import io.culvert.plan.PlanShapes.Shape;
import io.culvert.rtnl.NetworkState;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The proof that what may leave is what is promised, over all packets, for plans of many shapes and in every state of the life
 * cycle. {@code -Dculvert.proof.shapes} sets their number.
 */
class ProofTest {

    static Stream<Shape> shapes() {
        return PlanShapes.first(Integer.getInteger("culvert.proof.shapes", 12)).stream();
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void the_promise_is_kept_by_both_layers_and_by_each_alone(Shape shape) {
        ExitNodePlan plan = ExitNodePlanner.plan(shape.inputs());

        assertThat(audit(PlannedNamespace.of(plan), promise(shape, plan)).violations())
                .isEmpty();
    }

    /** The tunnel, or the mesh, or both have lost their link, or the tunnel's table its routes. */
    @ParameterizedTest
    @MethodSource("shapes")
    void the_promise_is_kept_where_links_and_routes_are_missing(Shape shape) {
        ExitNodePlan plan = ExitNodePlanner.plan(shape.inputs());
        PlannedNamespace connected = PlannedNamespace.of(plan);
        Promise promise = promise(shape, plan);
        Set<String> inner = promise.innerLinks();
        Set<String> clients = promise.clientLinks();

        for (PlannedNamespace state : List.of(
                connected.withoutLinks(Set.of("wg0")),
                connected.withoutLinks(clients),
                connected.withoutLinks(inner),
                connected.withRoutes(route -> route.table() != plan.identity().table()))) {
            assertThat(audit(state, promise).violations()).isEmpty();
        }
    }

    /** Before the tunnel is up. */
    @ParameterizedTest
    @MethodSource("shapes")
    void the_promise_is_kept_before_there_is_a_tunnel(Shape shape) {
        ExitNodePlan plan = ExitNodePlanner.plan(shape.inputs());
        PlannedNamespace state =
                PlannedNamespace.of(plan.machine(), plan.killSwitchRouting(), PlannedTables.of(plan.ruleset()));

        assertThat(audit(state, promise(shape, plan)).violations()).isEmpty();
    }

    /** Before settings are read, and after a start that was refused: nftables alone. */
    @ParameterizedTest
    @MethodSource("shapes")
    void nothing_but_replies_and_what_links_need_leaves_before_the_settings_are_read(Shape shape) {
        PlannedNamespace state = PlannedNamespace.of(
                shape.inputs().machine(), NetworkState.EMPTY, PlannedTables.of(KillSwitchRuleset.lockdown()));

        assertThat(Audit.violations(state.routing(), ruleset(state), Promise.beforePlan()))
                .isEmpty();
    }

    private static Promise promise(Shape shape, ExitNodePlan plan) {
        return Promise.of(AuditedExamples.promiseInputs(shape.inputs(), plan));
    }

    private static AuditReport audit(PlannedNamespace state, Promise promise) {
        return Audit.of(state.routing(), ruleset(state), promise);
    }

    private static KernelRuleset ruleset(PlannedNamespace state) {
        return new KernelRuleset(Optional.empty(), state.tables(), List.of());
    }
}
