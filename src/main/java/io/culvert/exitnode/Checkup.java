package io.culvert.exitnode;

import io.culvert.network.Machine;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.PrivilegedSiblings;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import io.culvert.status.StatusSocket;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The result of {@code culvert check}: settings and files, the machine, and the running exit node, in the output format
 * of {@code linkerd check}.
 *
 * @param exitStatus 0 success, 1 the running exit node is not healthy, 2 invalid settings, 3 an unmet requirement
 *     of the machine
 */
public record Checkup(List<Category> categories, int exitStatus) {

    /** A group of checks with a heading. */
    public record Category(String name, List<Check> checks) {}

    /** One check. */
    public record Check(Result result, String what, String cure) {}

    /** The result of a check. */
    public enum Result {
        SUCCESS("√"),
        WARNING("‼"),
        ERROR("×");

        private final String sign;

        Result(String sign) {
            this.sign = sign;
        }
    }

    public Checkup {
        categories = List.copyOf(categories);
    }

    public static Checkup of(Surroundings around) {
        List<Category> categories = new ArrayList<>();
        int status = 0;
        try {
            Reading reading = Reading.of(around);
            categories.add(
                    new Category("settings and files", checks("all settings and files are valid", reading.remarks())));
            try (Kernel kernel = Kernel.open(around)) {
                Machine machine = kernel.machine();
                List<Problem> remarks = new ArrayList<>(Requirements.of(kernel, machine, reading, around));
                List<Problem> unreachable = Requirements.unreachable(machine, reading);
                remarks.addAll(unreachable);
                if (!unreachable.isEmpty()) {
                    status = new ProblemException(unreachable).exitStatus();
                }
                new PrivilegedSiblings()
                        .find()
                        .forEach(what -> remarks.add(Problem.warning(
                                Place.machine("network namespace"),
                                what,
                                Hints.here().noCapability())));
                categories.add(new Category("machine", checks("the machine meets all requirements", remarks)));
            } catch (ProblemException e) {
                categories.add(new Category("machine", checks("", e.problems())));
                status = e.exitStatus();
            }
        } catch (ProblemException e) {
            categories.add(new Category("settings and files", checks("", e.problems())));
            status = e.exitStatus();
        }
        StatusReport report = StatusSocket.ask(around.statusSocket());
        categories.add(new Category("exit node", List.of(running(report))));
        boolean unwell = report.state() != State.STOPPED && !report.healthy();
        return new Checkup(categories, status == 0 && unwell ? 1 : status);
    }

    private static Check running(StatusReport report) {
        if (report.state() == State.STOPPED) {
            return new Check(Result.WARNING, "no exit node is running here", "start it with 'culvert up'");
        }
        return report.healthy()
                ? new Check(Result.SUCCESS, "connected to " + report.server(), "")
                : new Check(Result.ERROR, "the exit node is " + report.state(), "see 'culvert status'");
    }

    private static List<Check> checks(String allWell, List<Problem> problems) {
        List<Check> checks = new ArrayList<>();
        if (problems.stream().noneMatch(problem -> problem.kind().isError())) {
            checks.add(new Check(Result.SUCCESS, allWell, ""));
        }
        for (Problem problem : problems) {
            Result result = problem.kind().isError() ? Result.ERROR : Result.WARNING;
            if (problem.kind() != Problem.Kind.NOTE) {
                checks.add(new Check(result, problem.place() + ": " + problem.what(), problem.cure()));
            }
        }
        return checks;
    }

    public String text() {
        List<String> lines = new ArrayList<>();
        for (Category category : categories) {
            lines.add(category.name());
            lines.add("-".repeat(category.name().length()));
            for (Check check : category.checks()) {
                lines.add(check.result().sign + " " + check.what());
                if (!check.cure().isEmpty()) {
                    lines.add("    hint: " + check.cure());
                }
            }
            lines.add("");
        }
        lines.add("Status check results are " + (exitStatus == 0 ? "√" : "×"));
        return String.join("\n", lines);
    }

    public JsonObject toJson() {
        JsonArrayBuilder all = Json.createArrayBuilder();
        for (Category category : categories) {
            JsonArrayBuilder checks = Json.createArrayBuilder();
            category.checks()
                    .forEach(check -> checks.add(Json.createObjectBuilder()
                            .add("description", check.what())
                            .add("result", check.result().name().toLowerCase(Locale.ROOT))
                            .add("hint", check.cure())));
            all.add(Json.createObjectBuilder()
                    .add("categoryName", category.name())
                    .add("checks", checks));
        }
        return Json.createObjectBuilder()
                .add("success", exitStatus == 0)
                .add("categories", all)
                .build();
    }
}
