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
 * What is the case when a test misses its deadline: each Java thread, each process and where it waits, and links, routes, rules
 * and rulesets of each network namespace that one of them is in. It goes to a file in the directory of the property {@code
 * culvert.evidence}; a short form is returned.
 */
final class Evidence {

    private static final Duration EACH = Duration.ofSeconds(10);
    private static final int MOST_LINES = 40;
    private static final int MOST_COLUMNS = 140;

    private static final List<List<String>> QUESTIONS = List.of(
            List.of("ip", "-d", "address"),
            List.of("ip", "-4", "rule"),
            List.of("ip", "-6", "rule"),
            List.of("ip", "-4", "route", "show", "table", "all"),
            List.of("ip", "-6", "route", "show", "table", "all"),
            List.of("ip", "neighbour"),
            List.of("nft", "list", "ruleset"),
            List.of("ss", "-n", "-a", "-p", "-t", "-u"));

    private Evidence() {}

    /** @return where it is, and the thread and the processes in short */
    static String keep(String test, Thread stuck) {
        List<String> processes = processes();
        String head = Stream.concat(
                        Arrays.stream(stuck.getStackTrace()).limit(MOST_LINES).map(frame -> "  at " + frame),
                        processes.stream().limit(MOST_LINES).map(Evidence::shortened))
                .collect(Collectors.joining("\n"));
        StringBuilder all = new StringBuilder("# threads\n");
        threads(all);
        all.append("# processes\n").append(String.join("\n", processes)).append('\n');
        stacks(all);
        namespaces(all);
        try {
            Path directory =
                    Files.createDirectories(Path.of(System.getProperty("culvert.evidence", "target/evidence")));
            Path file = Files.createTempFile(directory, test.replaceAll("[^A-Za-z0-9_.]", "_") + "-", ".txt");
            Files.writeString(file, all);
            return "evidence: " + file + "\n" + head;
        } catch (IOException e) {
            return "no evidence is kept: " + e + "\n" + head + "\n" + all;
        }
    }

    private static void threads(StringBuilder all) {
        new TreeMap<>(Thread.getAllStackTraces().entrySet().stream()
                        .collect(Collectors.toMap(each -> each.getKey().threadId(), each -> each)))
                .values()
                .forEach(each -> {
                    all.append('"')
                            .append(each.getKey().getName())
                            .append("\" ")
                            .append(each.getKey().getState())
                            .append('\n');
                    for (StackTraceElement frame : each.getValue()) {
                        all.append("  at ").append(frame).append('\n');
                    }
                });
    }

    /** Of this process namespace, where it is the lab's own; else those that this process has started. */
    private static Stream<ProcessHandle> started() {
        ProcessHandle own = ProcessHandle.current();
        return (own.pid() == 1 ? ProcessHandle.allProcesses() : Stream.concat(Stream.of(own), own.descendants()))
                .sorted(Comparator.comparingLong(ProcessHandle::pid));
    }

    private static List<String> processes() {
        return started()
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

    /** Where each thread of each process waits in the kernel, which only root may see. */
    private static void stacks(StringBuilder all) {
        started().forEach(process -> {
            Path tasks = Path.of("/proc", Long.toString(process.pid()), "task");
            try (Stream<Path> listed = Files.list(tasks)) {
                for (Path task : listed.sorted().toList()) {
                    all.append(task)
                            .append(' ')
                            .append(read(task.resolve("comm")).strip())
                            .append('\n')
                            .append(read(task.resolve("stack")).indent(2));
                }
            } catch (IOException | UncheckedIOException e) {
                all.append(tasks).append(' ').append(e).append('\n');
            }
        });
    }

    private static void namespaces(StringBuilder all) {
        Map<String, Long> members = new LinkedHashMap<>();
        started().forEach(process -> {
            try {
                Path link = Path.of("/proc", Long.toString(process.pid()), "ns/net");
                members.putIfAbsent(Files.readSymbolicLink(link).toString(), process.pid());
            } catch (IOException e) {
                // It has ended, or is somebody else's.
            }
        });
        members.forEach((namespace, pid) ->
                ask(all, namespace + " of process " + pid, List.of("nsenter", "--net=/proc/" + pid + "/ns/net")));
        try (Stream<Path> named = Files.list(Path.of("/run/netns"))) {
            // Those in which there is no process now.
            for (Path name : named.sorted().toList()) {
                ask(all, name.toString(), List.of("nsenter", "--net=" + name));
            }
        } catch (IOException | UncheckedIOException e) {
            all.append("/run/netns: ").append(e).append('\n');
        }
    }

    private static void ask(StringBuilder all, String where, List<String> inside) {
        for (List<String> question : QUESTIONS) {
            List<String> command = new ArrayList<>(inside);
            command.addAll(question);
            all.append("# ")
                    .append(where)
                    .append(": ")
                    .append(String.join(" ", question))
                    .append('\n');
            all.append(answer(command)).append('\n');
        }
    }

    private static String answer(List<String> command) {
        try {
            Path out = Files.createTempFile("evidence", ".out");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
                boolean ended = process.waitFor(EACH);
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

    private static String shortened(String line) {
        return line.length() <= MOST_COLUMNS ? line : line.substring(0, MOST_COLUMNS) + "…";
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
