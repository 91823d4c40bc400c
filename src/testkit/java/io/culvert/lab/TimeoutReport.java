// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A report about a test that misses its deadline: Java threads, processes and where they wait, and the links, routes, rules and
 * nft rulesets of their network namespaces. It is written to a file in the directory of the property {@code culvert.evidence};
 * a summary is returned.
 */
final class TimeoutReport {

    private static final Duration COMMAND_TIMEOUT = Duration.ofSeconds(10);
    private static final int MAX_LINES = 40;
    private static final int MAX_COLUMNS = 140;

    private static final List<List<String>> COMMANDS = List.of(
            List.of("ip", "-d", "address"),
            List.of("ip", "-4", "rule"),
            List.of("ip", "-6", "rule"),
            List.of("ip", "-4", "route", "show", "table", "all"),
            List.of("ip", "-6", "route", "show", "table", "all"),
            List.of("ip", "neighbour"),
            List.of("nft", "list", "ruleset"),
            List.of("ss", "-n", "-a", "-p", "-t", "-u"));

    private TimeoutReport() {}

    /** @return the path of the file, and a summary of the thread and the processes */
    static String write(String test, Thread stuck) {
        List<String> processes = processes();
        String summary = Stream.concat(
                        Arrays.stream(stuck.getStackTrace()).limit(MAX_LINES).map(frame -> "  at " + frame),
                        processes.stream().limit(MAX_LINES).map(TimeoutReport::truncate))
                .collect(Collectors.joining("\n"));
        StringBuilder report = new StringBuilder("# threads\n");
        threads(report);
        report.append("# processes\n").append(String.join("\n", processes)).append('\n');
        stacks(report);
        namespaces(report);
        try {
            Path directory =
                    Files.createDirectories(Path.of(System.getProperty("culvert.evidence", "target/evidence")));
            Path file = Files.createTempFile(directory, test.replaceAll("[^A-Za-z0-9_.]", "_") + "-", ".txt");
            Files.writeString(file, report);
            return "evidence: " + file + "\n" + summary;
        } catch (IOException e) {
            return "the report cannot be written: " + e + "\n" + summary + "\n" + report;
        }
    }

    private static void threads(StringBuilder report) {
        new TreeMap<>(Thread.getAllStackTraces().entrySet().stream()
                        .collect(Collectors.toMap(each -> each.getKey().threadId(), each -> each)))
                .values()
                .forEach(each -> {
                    report.append('"')
                            .append(each.getKey().getName())
                            .append("\" ")
                            .append(each.getKey().getState())
                            .append('\n');
                    for (StackTraceElement frame : each.getValue()) {
                        report.append("  at ").append(frame).append('\n');
                    }
                });
    }

    /** Returns the processes of this process namespace if it is the lab's, else those that this process has started. */
    private static Stream<ProcessHandle> testProcesses() {
        ProcessHandle own = ProcessHandle.current();
        return (own.pid() == 1 ? ProcessHandle.allProcesses() : Stream.concat(Stream.of(own), own.descendants()))
                .sorted(Comparator.comparingLong(ProcessHandle::pid));
    }

    private static List<String> processes() {
        return testProcesses()
                .map(process -> "process " + process.pid()
                        + " of "
                        + process.parent().map(ProcessHandle::pid).orElse(0L) + ", " + state(process.pid()) + ", in "
                        + read(process.pid(), "wchan")
                        + ": "
                        + read(process.pid(), "cmdline").replace('\0', ' ').replace('\n', ' '))
                .toList();
    }

    private static String state(long pid) {
        return read(pid, "status")
                .lines()
                .filter(line -> line.startsWith("State:"))
                .map(line -> line.substring("State:".length()).strip())
                .findFirst()
                .orElse("gone");
    }

    /** Adds the kernel stack of each thread, which only root may read. */
    private static void stacks(StringBuilder report) {
        testProcesses().forEach(process -> {
            Path tasks = Path.of("/proc", Long.toString(process.pid()), "task");
            try (Stream<Path> listed = Files.list(tasks)) {
                for (Path task : listed.sorted().toList()) {
                    report.append(task)
                            .append(' ')
                            .append(read(task.resolve("comm")).strip())
                            .append('\n')
                            .append(read(task.resolve("stack")).indent(2));
                }
            } catch (IOException | UncheckedIOException e) {
                report.append(tasks).append(' ').append(e).append('\n');
            }
        });
    }

    private static void namespaces(StringBuilder report) {
        Map<String, Long> members = new LinkedHashMap<>();
        testProcesses().forEach(process -> {
            try {
                Path link = Path.of("/proc", Long.toString(process.pid()), "ns/net");
                members.putIfAbsent(Files.readSymbolicLink(link).toString(), process.pid());
            } catch (IOException e) {
                // It has ended, or belongs to another user.
            }
        });
        members.forEach((namespace, pid) -> inspect(
                report, namespace + " of process " + pid, List.of("nsenter", "--net=/proc/" + pid + "/ns/net")));
        try (Stream<Path> named = Files.list(Path.of("/run/netns"))) {
            // Namespaces without a process too.
            for (Path name : named.sorted().toList()) {
                inspect(report, name.toString(), List.of("nsenter", "--net=" + name));
            }
        } catch (IOException | UncheckedIOException e) {
            report.append("/run/netns: ").append(e).append('\n');
        }
    }

    private static void inspect(StringBuilder report, String where, List<String> inside) {
        for (List<String> command : COMMANDS) {
            List<String> inNamespace = new ArrayList<>(inside);
            inNamespace.addAll(command);
            report.append("# ")
                    .append(where)
                    .append(": ")
                    .append(String.join(" ", command))
                    .append('\n');
            report.append(output(inNamespace)).append('\n');
        }
    }

    private static String output(List<String> command) {
        try {
            Path out = Files.createTempFile("evidence", ".out");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
                boolean ended = process.waitFor(COMMAND_TIMEOUT);
                process.destroyForcibly();
                return Files.readString(out, StandardCharsets.ISO_8859_1) + (ended ? "" : "(no end)\n");
            } finally {
                Files.delete(out);
            }
        } catch (IOException e) {
            return e + "\n";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "(interrupted)\n";
        }
    }

    private static String truncate(String line) {
        return line.length() <= MAX_COLUMNS ? line : line.substring(0, MAX_COLUMNS) + "…";
    }

    private static String read(long pid, String name) {
        return read(Path.of("/proc", Long.toString(pid), name));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
