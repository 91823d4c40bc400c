// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The memory of running processes (proc_pid_smaps_rollup(5)). Private memory is what a process really costs: pages of program files
 * are shared by all containers of an image, and the kernel can drop them.
 */
final class ProcessMemory {

    /** All processes of a program: how many they are, when they were measured, and megabytes of 10^6 bytes. */
    record Usage(String program, int processes, String when, double privateMegabytes, double resident) {

        private Usage plus(Usage other) {
            return new Usage(
                    program,
                    processes + other.processes,
                    when,
                    privateMegabytes + other.privateMegabytes,
                    resident + other.resident);
        }
    }

    private final List<Usage> usages = new ArrayList<>();

    /** Adds the program and all its children. */
    void addAll(RunningProgram program, String when) {
        ProcessHandle root = ProcessHandle.of(program.programPid()).orElseThrow();
        Map<String, Usage> byProgram = new LinkedHashMap<>();
        Stream.concat(Stream.of(root), root.descendants())
                .flatMap(process -> usage(process.pid(), when).stream())
                .forEach(usage -> byProgram.merge(usage.program(), usage, Usage::plus));
        usages.addAll(byProgram.values());
    }

    /** Returns the memory of a process; empty if it has exited. */
    static Optional<Usage> usage(long pid, String when) {
        try {
            String name = Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
            List<String> lines = Files.readAllLines(Path.of("/proc/" + pid + "/smaps_rollup"));
            return Optional.of(new Usage(name, 1, when, megabytes(lines, "Private_Dirty:"), megabytes(lines, "Rss:")));
        } catch (IOException e) {
            return Optional.empty(); // The process has just exited.
        }
    }

    private static double megabytes(List<String> lines, String key) {
        return lines.stream()
                .filter(line -> line.startsWith(key))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) * 1024 / 1e6)
                .findFirst()
                .orElseThrow();
    }

    /** Returns a Markdown table. */
    String table() {
        StringBuilder table =
                new StringBuilder("| program | processes | when | private | resident |\n|---|---|---|---|---|\n");
        usages.forEach(usage -> table.append(String.format(
                Locale.ROOT,
                "| %s | %d | %s | %.1f MB | %.1f MB |\n",
                usage.program(),
                usage.processes(),
                usage.when(),
                usage.privateMegabytes(),
                usage.resident())));
        return table.toString();
    }
}
