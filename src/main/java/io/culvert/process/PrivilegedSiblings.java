// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Finds processes of other programs in this network namespace that can bypass the kill switch, as they have
 * {@code CAP_NET_RAW} or {@code CAP_NET_ADMIN}. It finds only processes that are visible to this one, which in a
 * container without a shared PID namespace are those of the container itself.
 */
public final class PrivilegedSiblings {

    /** {@code CAP_NET_ADMIN} (include/uapi/linux/capability.h). */
    private static final int NET_ADMIN = 12;

    private static final int NET_RAW = 13;

    /** Programs that Culvert starts, and that may outlive it. */
    private static final Set<String> CHILD_PROGRAMS =
            Set.of("wireguard-go", "sockd", "containerboot", "tailscaled", "tailscale");

    private static final Pattern CAPABILITIES = Pattern.compile("(?m)^Cap(?:Eff|Prm):\\s*([0-9a-f]+)$");
    private static final Pattern PARENT = Pattern.compile("(?m)^PPid:\\s*(\\d+)$");
    private static final Pattern NAME = Pattern.compile("(?m)^Name:\\s*(.*)$");

    private final Path proc;
    private final long self;

    private record ProcessInfo(
            String name, long parent, boolean admin, boolean raw, String network, String mounts, String program) {}

    public PrivilegedSiblings() {
        this(Path.of("/proc"), ProcessHandle.current().pid());
    }

    PrivilegedSiblings(Path proc, long self) {
        this.proc = proc;
        this.self = self;
    }

    /** Returns a sentence about each, without a full stop. */
    public List<String> find() {
        Map<Long, ProcessInfo> processInfos = readProcesses();
        ProcessInfo ownProcess = processInfos.get(self);
        if (ownProcess == null || ownProcess.network().isEmpty()) {
            return List.of();
        }
        ProcessInfo first = processInfos.get(1L);
        boolean container = first != null && first.network().equals(ownProcess.network());
        Set<Long> culvertPids = culvertProcesses(processInfos, ownProcess);
        List<String> descriptions = new ArrayList<>();
        processInfos.forEach((pid, process) -> {
            if (process.network().equals(ownProcess.network())
                    && (process.admin() || process.raw())
                    && !culvertPids.contains(pid)
                    && !(container && process.mounts().equals(ownProcess.mounts()))) {
                descriptions.add("process " + pid + " (" + process.name() + ") shares the network namespace and has "
                        + (process.admin() ? "CAP_NET_ADMIN" : "CAP_NET_RAW")
                        + ", so it can bypass the kill switch");
            }
        });
        return descriptions;
    }

    /** Returns this process and its ancestors, every Culvert with its descendants, and children of earlier ones. */
    private Set<Long> culvertProcesses(Map<Long, ProcessInfo> processInfos, ProcessInfo ownProcess) {
        Set<Long> culvertPids = new HashSet<>();
        for (Long pid = self; pid != 0 && culvertPids.add(pid); ) {
            ProcessInfo process = processInfos.get(pid);
            pid = process == null ? 0L : process.parent();
        }
        Set<Long> descendants = new HashSet<>();
        processInfos.forEach((pid, process) -> {
            if (process.program().equals(ownProcess.program())
                    || CHILD_PROGRAMS.contains(
                            process.program().replaceFirst(".*/", "").replaceFirst(" \\(deleted\\)$", ""))) {
                descendants.add(pid);
            }
        });
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Map.Entry<Long, ProcessInfo> entry : processInfos.entrySet()) {
                changed |= descendants.contains(entry.getValue().parent()) && descendants.add(entry.getKey());
            }
        }
        culvertPids.addAll(descendants);
        return culvertPids;
    }

    private Map<Long, ProcessInfo> readProcesses() {
        Map<Long, ProcessInfo> processInfos = new TreeMap<>();
        try (Stream<Path> directories = Files.list(proc)) {
            directories
                    .filter(directory -> directory.getFileName().toString().matches("\\d+"))
                    .forEach(directory -> readProcess(directory)
                            .ifPresent(process -> processInfos.put(
                                    Long.valueOf(directory.getFileName().toString()), process)));
        } catch (IOException | UncheckedIOException _) {
            // Without /proc no process is visible.
        }
        return processInfos;
    }

    private static Optional<ProcessInfo> readProcess(Path directory) {
        try {
            String status = new String(Files.readAllBytes(directory.resolve("status")), StandardCharsets.UTF_8);
            long capabilities = 0;
            Matcher matcher = CAPABILITIES.matcher(status);
            while (matcher.find()) {
                capabilities |= Long.parseUnsignedLong(matcher.group(1), 16);
            }
            return Optional.of(new ProcessInfo(
                    group(NAME, status),
                    Long.parseLong("0" + group(PARENT, status)),
                    (capabilities & 1L << NET_ADMIN) != 0,
                    (capabilities & 1L << NET_RAW) != 0,
                    link(directory.resolve("ns/net")),
                    link(directory.resolve("ns/mnt")),
                    program(directory)));
        } catch (IOException | NumberFormatException _) {
            // The process has exited.
            return Optional.empty();
        }
    }

    /** Returns the process's executable; for a JVM, which runs other programs too, also whether it runs Culvert. */
    private static String program(Path directory) throws IOException {
        String program = link(directory.resolve("exe"));
        return program.endsWith("/java")
                        && Files.readString(directory.resolve("cmdline"), StandardCharsets.ISO_8859_1)
                                .contains("io.culvert.cli.Main")
                ? program + " (culvert)"
                : program;
    }

    private static String group(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.find() ? matcher.group(1) : "";
    }

    /** Returns the target of a symbolic link; empty where it may not be read. */
    private static String link(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException _) {
            return "";
        }
    }
}
