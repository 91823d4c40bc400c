// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.process.PrivilegedSiblings;
import io.culvert.rtnl.Machine;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
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
public record ExitNodeCheck(List<Category> categories, int exitStatus) {

    /** A group of checks with a heading. */
    public record Category(String name, List<Check> checks) {}

    /** One check. */
    public record Check(Result result, String message, String hint) {}

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

    public ExitNodeCheck {
        categories = List.copyOf(categories);
    }

    public static ExitNodeCheck of(Environment environment) {
        List<Category> categories = new ArrayList<>();
        int status = 0;
        try {
            LoadedConfiguration configuration = LoadedConfiguration.load(environment);
            categories.add(new Category(
                    "settings and files", checks("all settings and files are valid", configuration.remarks())));
            try (KernelConnections kernel = KernelConnections.open(environment)) {
                Machine machine = kernel.machine();
                List<Problem> remarks =
                        new ArrayList<>(Requirements.check(kernel, machine, configuration, environment));
                List<Problem> unreachable = Requirements.unreachableServers(machine, configuration);
                remarks.addAll(unreachable);
                if (!unreachable.isEmpty()) {
                    status = new ProblemException(unreachable).exitStatus();
                }
                new PrivilegedSiblings()
                        .find()
                        .forEach(message -> remarks.add(Problem.warning(
                                Location.machine("network namespace"),
                                message,
                                Hints.here().dropCapabilities())));
                categories.add(new Category("machine", checks("the machine meets all requirements", remarks)));
            } catch (ProblemException e) {
                categories.add(new Category("machine", checks("", e.problems())));
                status = e.exitStatus();
            }
        } catch (ProblemException e) {
            categories.add(new Category("settings and files", checks("", e.problems())));
            status = e.exitStatus();
        }
        StatusReport report = StatusSocket.query(environment.statusSocket());
        categories.add(new Category("exit node", List.of(exitNodeCheck(report))));
        boolean unhealthy = report.state() != State.STOPPED && !report.healthy();
        return new ExitNodeCheck(categories, status == 0 && unhealthy ? 1 : status);
    }

    private static Check exitNodeCheck(StatusReport report) {
        if (report.state() == State.STOPPED) {
            return new Check(Result.WARNING, "no exit node is running here", "start it with 'culvert up'");
        }
        return report.healthy()
                ? new Check(Result.SUCCESS, "connected to " + report.server(), "")
                : new Check(Result.ERROR, "the exit node is " + report.state(), "see 'culvert status'");
    }

    private static List<Check> checks(String successText, List<Problem> problems) {
        List<Check> checks = new ArrayList<>();
        if (problems.stream().noneMatch(problem -> problem.kind().isError())) {
            checks.add(new Check(Result.SUCCESS, successText, ""));
        }
        for (Problem problem : problems) {
            Result result = problem.kind().isError() ? Result.ERROR : Result.WARNING;
            if (problem.kind() != Problem.Kind.NOTE) {
                checks.add(new Check(result, problem.location() + ": " + problem.message(), problem.hint()));
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
                lines.add(check.result().sign + " " + check.message());
                if (!check.hint().isEmpty()) {
                    lines.add(Problem.hintLine(check.hint()));
                }
            }
            lines.add("");
        }
        lines.add("Status check results are " + (exitStatus == 0 ? "√" : "×"));
        return String.join("\n", lines);
    }

    public JsonObject toJson() {
        JsonArrayBuilder groups = Json.createArrayBuilder();
        for (Category category : categories) {
            JsonArrayBuilder checks = Json.createArrayBuilder();
            category.checks()
                    .forEach(check -> checks.add(Json.createObjectBuilder()
                            .add("description", check.message())
                            .add("result", check.result().name().toLowerCase(Locale.ROOT))
                            .add("hint", check.hint())));
            groups.add(Json.createObjectBuilder()
                    .add("categoryName", category.name())
                    .add("checks", checks));
        }
        return Json.createObjectBuilder()
                .add("success", exitStatus == 0)
                .add("categories", groups)
                .build();
    }
}
