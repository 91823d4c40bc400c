// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Problem;
import io.culvert.plan.PlanText;
import io.culvert.rtnl.Machine;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import jakarta.json.JsonObject;
import java.util.List;
import java.util.stream.Collectors;

/** The plan that {@code culvert up} would apply on this machine now, with unresolved names. */
public final class PlanPreview {

    private final PlanText plan;
    private final List<Problem> remarks;

    private PlanPreview(PlanText plan, List<Problem> remarks) {
        this.plan = plan;
        this.remarks = remarks;
    }

    /** Reads settings, files and the machine; changes nothing. */
    public static PlanPreview of(Environment environment) {
        LoadedConfiguration configuration = LoadedConfiguration.load(environment);
        try (KernelConnections kernel = KernelConnections.open(environment)) {
            Machine machine = kernel.machine();
            PlanText plan = PlanText.of(configuration.inputs(
                    DnsService.runtimeResolvers(environment, configuration, machine.connected()), machine));
            return new PlanPreview(plan, configuration.remarks());
        }
    }

    public String text() {
        return remarks.stream()
                        .map(remark -> "# " + remark.toString().replace("\n", "\n# ") + "\n")
                        .collect(Collectors.joining())
                + plan.text();
    }

    public JsonObject json() {
        return plan.json(remarks);
    }
}
