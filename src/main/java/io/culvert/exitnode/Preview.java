package io.culvert.exitnode;

import io.culvert.network.Machine;
import io.culvert.plan.PlanText;
import io.culvert.problem.Problem;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import jakarta.json.JsonObject;
import java.util.List;
import java.util.stream.Collectors;

/** The plan that {@code culvert up} would apply on this machine now, with unresolved names. */
public final class Preview {

    private final PlanText plan;
    private final List<Problem> remarks;

    private Preview(PlanText plan, List<Problem> remarks) {
        this.plan = plan;
        this.remarks = remarks;
    }

    /** Reads settings, files and the machine; changes nothing. */
    public static Preview of(Surroundings around) {
        Reading reading = Reading.of(around);
        try (Kernel kernel = Kernel.open(around)) {
            Machine machine = kernel.machine();
            PlanText plan = PlanText.of(
                    reading.inputs(NameService.runtimeResolvers(around, reading, machine.connected()), machine));
            return new Preview(plan, reading.remarks());
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
