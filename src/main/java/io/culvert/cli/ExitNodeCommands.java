// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.audit.AuditReport;
import io.culvert.audit.PacketExplanation;
import io.culvert.audit.PacketQuery;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.exitnode.ControlClient;
import io.culvert.exitnode.ExitNodeApplication;
import io.culvert.exitnode.ExitNodeAudit;
import io.culvert.exitnode.ExitNodeCheck;
import io.culvert.exitnode.LeakTestRequest;
import io.culvert.exitnode.PlanPreview;
import io.culvert.leaktest.LeakTestResult;
import io.culvert.runtime.Environment;
import io.culvert.status.ControlRequest;
import io.culvert.status.ControlResult;
import io.culvert.status.ForwardedPort;
import io.culvert.status.HealthWait;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import io.culvert.timing.Threads;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands of the exit node. */
final class ExitNodeCommands {

    private ExitNodeCommands() {}

    static int up(Environment environment) throws InterruptedException {
        new ExitNodeApplication(environment).run();
        return 0;
    }

    @Command(
            description =
                    "Runs the exit node: kill switch, tunnel, Tailscale or WireGuard clients, and SOCKS5 proxy, until SIGTERM or SIGINT.",
            footer =
                    "Exit status: 0 stopped by a signal, 1 failed, 2 invalid settings, 3 the machine lacks a requirement.")
    static final class Up extends BaseCommand {
        /** The list of settings is long, so it is made only when help is requested. */
        @Override
        void complete(CommandLine line, List<String> arguments) {
            line.getHelpSectionMap()
                    .put(
                            UsageMessageSpec.SECTION_KEY_FOOTER,
                            help -> help.footer()
                                    + System.lineSeparator()
                                    + SettingsHelp.lines(Commands.WIDTH).stream()
                                            .map(setting -> setting + System.lineSeparator())
                                            .collect(Collectors.joining()));
        }

        @Override
        public Integer call() throws InterruptedException {
            return ExitNodeCommands.up(environment());
        }
    }

    @Command(description = "Shows what 'up' would configure, in the syntax of ip and nft. Changes nothing.")
    static final class Plan extends BaseCommand {
        @Mixin
        private JsonOption json;

        @Override
        public Integer call() {
            print(json.text(PlanPreview.of(environment()), PlanPreview::text, PlanPreview::json));
            return 0;
        }
    }

    @Command(
            description = "Checks the settings, the files, the machine and the running exit node. Changes nothing.",
            footer =
                    "Exit status: 0 no errors, 1 the running exit node has a problem, 2 invalid settings, 3 the machine lacks a requirement.")
    static final class Check extends BaseCommand {
        @Mixin
        private JsonOption json;

        @Override
        public Integer call() {
            ExitNodeCheck result = ExitNodeCheck.of(environment());
            print(json.text(result, ExitNodeCheck::text, ExitNodeCheck::toJson));
            return result.exitStatus();
        }
    }

    @Command(
            description = "Shows the status of the running exit node.",
            footer = "Exit status: 0 connected, 1 not connected.")
    static final class Status extends BaseCommand {
        @Mixin
        private JsonOption json;

        @Override
        public Integer call() {
            StatusReport report = StatusSocket.query(environment().statusSocket());
            print(json.text(report, status -> status.text(environment().clock().instant()), StatusReport::toJson));
            return report.healthy() ? 0 : 1;
        }
    }

    @Command(
            description = "Prints the port that the provider forwards through the tunnel.",
            footer = "Exit status: 0 a port is forwarded, 1 none is.")
    static final class ForwardedPortCommand extends BaseCommand {

        private static final Duration INTERVAL = Duration.ofMillis(500);

        @Mixin
        private JsonOption json;

        @Option(names = "--wait", paramLabel = "SECONDS", description = "Wait up to SECONDS until a port is forwarded.")
        private Optional<Integer> seconds;

        @Override
        public Integer call() throws InterruptedException {
            Threads threads = environment().system().threads();
            long end =
                    threads.nanoTime() + Duration.ofSeconds(seconds.orElse(0)).toNanos();
            ForwardedPort port = query();
            while (port.port().isEmpty() && threads.nanoTime() < end) {
                threads.pause(INTERVAL);
                port = query();
            }
            if (port.port().isPresent() || json.isGiven()) {
                print(json.text(port, it -> String.valueOf(it.port().getAsInt()), ForwardedPort::toJson));
            } else {
                printProblems(List.of(Problem.failure(
                        Location.setting("CULVERT_FORWARDED_PORT"),
                        port.enabled() ? "no port is forwarded: " + port.detail() : "no port is forwarded here",
                        port.enabled() ? "see 'culvert status'" : "set it to auto, or start the exit node")));
            }
            return port.port().isPresent() ? 0 : 1;
        }

        private ForwardedPort query() {
            return StatusSocket.query(environment().statusSocket()).facts().forwardedPort();
        }
    }

    @Command(
            description = "Checks whether the tunnel works and the kill switch is active.",
            footer = "Exit status: 0 healthy, 1 unhealthy.")
    static final class Health extends BaseCommand {
        @Mixin
        private JsonOption json;

        @Option(
                names = "--wait",
                paramLabel = "SECONDS",
                description = "Wait up to SECONDS until the exit node is healthy.")
        private Optional<Integer> seconds;

        @Override
        public Integer call() throws InterruptedException {
            StatusReport report;
            try {
                report = seconds.isPresent()
                        ? HealthWait.await(environment().statusSocket(), Duration.ofSeconds(seconds.get()))
                        : StatusSocket.query(environment().statusSocket());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            print(json.text(
                    report,
                    status -> status.healthy() ? "healthy" : "unhealthy: " + status.state(),
                    StatusReport::toJson));
            return report.healthy() ? 0 : 1;
        }
    }

    /** A command for the running exit node. */
    abstract static class Control extends BaseCommand {
        @Mixin
        private JsonOption json;

        /** Returns the request. */
        abstract ControlRequest request();

        @Override
        public Integer call() {
            ControlResult result = ControlClient.send(environment(), request());
            if (json.isGiven()) {
                print(result.toJson().toString());
            } else {
                printProblems(result.problems());
                print(result.message());
            }
            return result.exitStatus();
        }
    }

    @Command(
            description = {
                "Makes the running exit node read its settings and files again, as SIGHUP does. It applies what has changed.",
                "If something is invalid or cannot be changed while it runs, nothing is changed, and all reasons are shown."
            },
            footer =
                    "Exit status: 0 applied or unchanged, 1 something cannot be changed while it runs, 2 invalid settings or files, 3 the machine lacks a requirement or no exit node is running.")
    static final class Reload extends Control {
        @Override
        ControlRequest request() {
            return ControlRequest.of(ControlRequest.Kind.RELOAD);
        }
    }

    @Command(
            description = "Makes the running exit node use the next server: that of the next file by name.",
            footer =
                    "Exit status: 0 connected, 1 its server does not respond, so the previous one is used again, 3 no exit node is running.")
    static final class Next extends Control {
        @Override
        ControlRequest request() {
            return ControlRequest.of(ControlRequest.Kind.NEXT);
        }
    }

    @Command(
            description = "Makes the running exit node use the server of this file.",
            footer =
                    "Exit status: 0 connected, 1 its server does not respond, so the previous one is used again, 2 there is no such file, 3 no exit node is running.")
    static final class Use extends Control {
        @Parameters(paramLabel = "NAME", description = "The name of the file, with or without .conf.")
        private String name;

        @Override
        ControlRequest request() {
            return new ControlRequest(ControlRequest.Kind.USE, name);
        }
    }

    @Command(
            description =
                    "Disconnects the tunnel of the running exit node. The kill switch stays active: what needs the tunnel is blocked.",
            footer = "Exit status: 0 paused, 3 no exit node is running.")
    static final class Pause extends Control {
        @Override
        ControlRequest request() {
            return ControlRequest.of(ControlRequest.Kind.PAUSE);
        }
    }

    @Command(
            description = "Connects the tunnel of the running exit node again, after 'culvert pause'.",
            footer = "Exit status: 0 connected, 1 the server has not responded yet, 3 no exit node is running.")
    static final class Resume extends Control {
        @Override
        ControlRequest request() {
            return ControlRequest.of(ControlRequest.Kind.RESUME);
        }
    }

    @Command(
            description = {
                "Lets the running exit node try to send packets outside the tunnel, and shows which would have left.",
                "None reaches the network. If one would have left, the exit node blocks all traffic."
            },
            footer = "Exit status: 0 nothing leaked, 1 a leak, 3 the test could not be run.")
    static final class LeakTestCommand extends BaseCommand {
        @Mixin
        private JsonOption json;

        @Override
        public Integer call() {
            LeakTestResult result = LeakTestRequest.send(environment());
            print(json.text(result, LeakTestResult::text, LeakTestResult::toJson));
            return switch (result.verdict()) {
                case PASSED -> 0;
                case LEAK -> 1;
                case NOT_RUN -> throw LeakTestRequest.notRun(result);
            };
        }
    }

    @Command(
            description = {
                "Reads rules, routes, links and nftables rules from the kernel, and shows what may leave, come in and be forwarded.",
                "Compares this with what the settings allow. Changes nothing."
            },
            footer =
                    "Exit status: 0 nothing but what the settings allow, 1 something else, 2 invalid settings or packet, 3 the machine lacks a requirement.")
    static final class Audit extends BaseCommand {
        @Mixin
        private JsonOption json;

        @Option(
                names = "--packet",
                paramLabel = "PACKET",
                description =
                        "Explain what happens to one packet, such as 'local tcp 203.0.113.9:443 mark 0x51000000' or 'from mesh0 udp 203.0.113.9:53'. Further words: 'from ADDRESS[:PORT]', 'bound LINK', 'reply'.")
        private Optional<String> packet;

        @Override
        public Integer call() {
            Optional<PacketQuery> query = packet.map(PacketQuery::parse);
            ExitNodeAudit audit = ExitNodeAudit.of(environment());
            if (query.isPresent()) {
                PacketExplanation explanation = audit.explain(query.get());
                print(json.text(explanation, PacketExplanation::text, PacketExplanation::toJson));
                return explanation.isAllowed() ? 0 : 1;
            }
            AuditReport report = audit.report();
            print(json.text(report, it -> text(it, audit), AuditReport::toJson));
            return report.isClean() && audit.blockedFor().isEmpty() ? 0 : 1;
        }

        private static String text(AuditReport report, ExitNodeAudit audit) {
            List<String> lines = new ArrayList<>(List.of(report.text(), audit.source()));
            audit.blockedFor()
                    .forEach(sentence -> lines.add("The exit node blocks all traffic, because otherwise: " + sentence));
            return String.join(System.lineSeparator(), lines);
        }
    }
}
