// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.rtnl.Machine;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Loads settings and files again while the exit node runs. What was loaded is checked and planned completely before anything
 * is changed: the exit node is always that of one valid configuration. The errors of the last one that was not are kept.
 */
final class Reload {

    private Instant loaded;
    private List<Problem> errors = List.of();

    /** @param loaded when the configuration in use was loaded */
    Reload(Instant loaded) {
        this.loaded = loaded;
    }

    /** Returns when the configuration in use was loaded. */
    Instant loaded() {
        return loaded;
    }

    /** Returns why the settings and files, as they are now, are not in use. */
    List<Problem> errors() {
        return errors;
    }

    /**
     * Loads settings and files.
     *
     * @param inputs of the plan in effect
     * @return the configuration, to be applied; empty if it is the one in use
     * @throws ProblemException with all errors, if it cannot be applied
     */
    Optional<LoadedConfiguration> load(Components components, Failover failover, ExitNodeInputs inputs) {
        try {
            LoadedConfiguration changed = LoadedConfiguration.load(components.environment());
            if (!changed.equals(components.configuration())) {
                check(components, failover, inputs, changed);
                loaded = components.environment().clock().instant();
                errors = List.of();
                return Optional.of(changed);
            }
            errors = List.of();
            return Optional.empty();
        } catch (ProblemException e) {
            errors = e.problems().stream()
                    .filter(problem -> problem.kind().isError())
                    .toList();
            throw e;
        }
    }

    private static void check(
            Components components, Failover failover, ExitNodeInputs inputs, LoadedConfiguration changed) {
        List<Problem> fixed = FixedSettings.changed(components.configuration().settings(), changed.settings());
        if (!fixed.isEmpty()) {
            throw new ProblemException(fixed);
        }
        Machine machine = components.kernel().machine();
        Requirements.checkChange(machine, changed, components);
        ExitNodePlanner.plan(
                inputs(inputs, changed, failover.currentOf(changed.servers())).with(it -> it.machine = machine));
    }

    /** Returns the inputs of a plan with what a configuration says. */
    static ExitNodeInputs inputs(
            ExitNodeInputs inputs, LoadedConfiguration configuration, LoadedConfiguration.Server server) {
        return inputs.with(it -> {
            it.settings = configuration.settings();
            it.server = server.config();
            it.meshes = configuration.meshes();
            it.socksPort = Proxies.socksPort(configuration.settings(), configuration.sockd());
        });
    }
}
